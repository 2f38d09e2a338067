// SPDX-License-Identifier: Apache-2.0
#include "catalogue.h"

#include "authentication.h"
#include "file_lock.h"
#include "json_number.h"
#include "layout.h"
#include "repository_file.h"
#include "written_parts.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"
#include "nerve/crypto/hash.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <utility>

namespace nerve::backups {
namespace {

constexpr std::int64_t catalogue_format = 1;
/// Some millions of lines.
constexpr std::size_t catalogue_bytes_max = std::size_t{1} << 30;
/// A larger one is parsed anew at each look.
constexpr std::size_t remembered_bytes_max = std::size_t{16} << 20U;
constexpr std::size_t catalogue_block_bytes = std::size_t{64} << 10U;
constexpr std::size_t line_bytes_max = std::size_t{64} << 10U;
/// A longer path is left out of its line, which each of its bytes may lengthen sixfold.
constexpr std::size_t source_bytes_max = std::size_t{8} << 10U;
/// Of one backup. Each attempt at replacing it that a crash cut off leaves one.
constexpr std::size_t expected_lines_max = 64;
/// More than a folder can be listed with.
constexpr std::size_t expectations_max = std::size_t{1} << 18U;
constexpr std::size_t removed_at_once = 1024;

constexpr std::array<std::pair<CatalogueEvent, std::string_view>, 3> event_names = {{
    {CatalogueEvent::storing, "storing"},
    {CatalogueEvent::stored, "stored"},
    {CatalogueEvent::removing, "removing"},
}};

std::string_view name_of(CatalogueEvent event) {
  return std::ranges::find(event_names, event, &decltype(event_names)::value_type::first)->second;
}

CatalogueEvent parse_event(const std::string& name) {
  const auto* const found =
      std::ranges::find(event_names, std::string_view(name), &decltype(event_names)::value_type::second);
  if (found == event_names.end()) throw IntegrityError("it names an unknown event");
  return found->first;
}

/// Whether a backup can have this number after one with the number `before`: one more is usual, and a folder
/// that takes over from another goes on from there. Whoever plants a higher one could use all numbers up.
void require_plausible(std::int64_t sequence, std::int64_t before) {
  if (is_plausible_after(sequence, before)) return;
  throw IntegrityError(
      fmt::format("it has the number {}, and the one before it {}: no backup can have it", sequence, before));
}

std::string hash_of(std::string_view text) {
  return to_hex(crypto::sha256(as_bytes(text)));
}

std::string first_line(const std::string& previous, std::int64_t highest_sequence, std::int64_t times_begun) {
  return Json({{"begun", times_begun},
               {"catalogue", catalogue_format},
               {"previous", previous},
               {"sequence", highest_sequence}})
      .dump();
}

/// Without a code.
Json json_of(const CatalogueLine& line, const std::string& previous) {
  Json json = {
      {"at", line.at.to_text()},   {"created_at", line.created_at.to_text()}, {"event", name_of(line.event)},
      {"id", line.id.to_string()}, {"manifest_sha256", line.manifest_sha256}, {"previous", previous},
      {"sequence", line.sequence}};
  if (!line.source.empty() && line.source.size() <= source_bytes_max) json["source"] = line.source;
  if (!line.key.empty()) json["key"] = line.key;
  return json;
}

CatalogueLine parse_line(const Json& json) {
  CatalogueLine line;
  line.event = parse_event(json.at("event").get<std::string>());
  line.at = Timestamp::parse(json.at("at").get<std::string>());
  line.id = BackupId::parse(json.at("id").get<std::string>());
  line.created_at = Timestamp::parse(json.at("created_at").get<std::string>());
  line.sequence = whole_number(json.at("sequence"), "sequence", 0, sequence_max);
  line.manifest_sha256 = json.at("manifest_sha256").get<std::string>();
  line.source = json.value("source", std::string());
  line.key = json.value("key", std::string());
  return line;
}

/// Throws IntegrityError for a code that is not the one of its line. A line whose key is not at hand is what
/// it says: the next one under a key that is covers its hash.
bool is_authentic(const Json& line, const std::string& key, Keyring* keyring) {
  if (key.empty() || keyring == nullptr) return false;
  const std::string code = line.value("code", std::string());
  if (code.empty()) return false;
  Json json = line;
  json.erase("code");
  const auto expected = code_of(key, Authenticated::catalogue_line, hash_of(json.dump()), *keyring);
  if (!expected) return false;
  if (!equal_constant_time(as_bytes(*expected), as_bytes(code))) {
    throw IntegrityError("it was altered by somebody without the key");
  }
  return true;
}

void require_known_format(const Json& json, const std::filesystem::path& file) {
  const std::int64_t format = whole_number(json.at("catalogue"), "catalogue", 0, number_max);
  if (format == catalogue_format) return;
  throw UnsupportedError(fmt::format("{} has format {}, and this program knows format {}", file.string(),
                                     format, catalogue_format),
                         "Use the version of nerve-db that made it, or a newer one.");
}

/// The catalogue, made where there is none, and locked; again where it was replaced in between.
Descriptor open_locked(const std::filesystem::path& path) {
  for (;;) {
    Descriptor file = open_repository_file(path, O_RDWR | O_CREAT, 0600);
    lock_exclusive(file, path);
    if (is_at(file, path)) return file;
  }
}

}  // namespace

bool is_plausible_after(std::int64_t sequence, std::int64_t before) {
  return sequence <= (before == 0 ? sequence_max / 2 : before + sequence_step_max);
}

void Catalogue::take(const CatalogueLine& line) {
  Expectation& expected = expectations_[line.id.to_string()];
  // Whoever may write to the repository can write that a backup was removed, but not with its code.
  const CatalogueLine* before = expected.lines.empty() ? nullptr : &expected.lines.back();
  if (before != nullptr &&
      ((line.key.empty() && !before->key.empty()) || (before->is_authenticated && !line.is_authenticated))) {
    throw IntegrityError(
        fmt::format("it is of backup {}, and not authenticated with its key", line.id.to_string()));
  }
  highest_sequence_ = std::max(highest_sequence_, line.sequence);
  if (line.event == CatalogueEvent::stored) {
    expected.must_be_there = true;
    expected.lines.clear();
  } else if (line.event == CatalogueEvent::removing) {
    expected.must_be_there = false;
  }
  expected.lines.push_back(line);
  if (expected.lines.size() > expected_lines_max) expected.lines.erase(expected.lines.begin() + 1);
  if (expectations_.size() < forgetting_at_) return;
  forget_removed();
  if (expectations_.size() > expectations_max) {
    expectations_.erase(line.id.to_string());
    tell(fmt::format("{} names more than {} backups", file_.string(), expectations_max));
  }
}

void Catalogue::forget_removed() {
  std::erase_if(expectations_, [&](const auto& one) {
    std::error_code error;
    return !one.second.must_be_there && !std::filesystem::exists(repository_ / one.first, error) && !error;
  });
  // Each look costs as much as there is, so the next one comes when there is twice as much.
  forgetting_at_ =
      std::min(expectations_max, expectations_.size() + std::max(removed_at_once, expectations_.size()));
}

void Catalogue::tell(std::string problem) {
  if (problem_.empty()) problem_ = std::move(problem);
}

void Catalogue::pass_over_line() {
  ++line_number_;
  tell(fmt::format("line {} of {} is damaged: it is longer than {} bytes", line_number_, file_.string(),
                   line_bytes_max));
  last_hash_.clear();
}

bool Catalogue::vouches_for(const std::string& id) const {
  const Expectation* expected = find(id);
  return expected != nullptr && !expected->lines.empty() && expected->lines.back().is_authenticated;
}

void Catalogue::take_line(std::string_view line, const std::filesystem::path& file, Keyring* keyring) {
  ++line_number_;
  try {
    const Json json = parse_json(line, "it");
    if (json.contains("catalogue")) {
      // Anywhere else it would say without a code that the file was begun anew.
      if (line_number_ != 1) throw IntegrityError("it begins a catalogue, and is not the first line");
      require_known_format(json, file);
      const std::int64_t sequence = whole_number(json.at("sequence"), "sequence", 0, sequence_max);
      require_plausible(sequence, 0);
      highest_sequence_ = sequence;
      if (json.contains("begun")) times_begun_ = whole_number(json.at("begun"), "begun", 0, number_max);
    } else {
      CatalogueLine parsed = parse_line(json);
      require_plausible(parsed.sequence, highest_sequence_);
      parsed.is_authenticated = is_authentic(json, parsed.key, keyring);
      take(parsed);
    }
    const bool follows = line_number_ == 1 || json.at("previous").get<std::string>() == last_hash_;
    if (!follows) {
      tell(fmt::format("{} was altered: line {} does not follow from the line before it", file.string(),
                       line_number_));
    }
  } catch (const UnsupportedError&) {
    throw;
  } catch (const std::exception& error) {
    tell(fmt::format("line {} of {} is damaged: {}", line_number_, file.string(), error.what()));
  }
  last_hash_ = hash_of(line);
  if (last_hash_ == watched_) has_watched_line_ = true;
}

Catalogue Catalogue::before_lines(const std::filesystem::path& repository, const std::string& watched) {
  Catalogue catalogue;
  catalogue.watched_ = watched;
  catalogue.repository_ = repository;
  catalogue.file_ = repository / catalogue_file_name;
  catalogue.forgetting_at_ = removed_at_once;
  return catalogue;
}

Catalogue Catalogue::read(const Repository& repository, const std::string& watched) {
  CatalogueMemory& memory = repository.catalogue_memory();
  Catalogue catalogue = before_lines(repository.path(), watched);
  try {
    const Descriptor file = open_repository_file(catalogue.file_, O_RDONLY);
    catalogue.is_there_ = true;
    if (size_of(file, catalogue.file_) > remembered_bytes_max) {
      catalogue.read_lines(file, repository.keyring());
    } else {
      const std::string text = read_small_file(file, catalogue.file_, catalogue_bytes_max);
      const std::lock_guard lock(memory.mutex);
      catalogue.take_text(text, watched, repository.keyring(), memory);
      // Before removed ones are forgotten: what the folder shows may be another thing at the next look.
      catalogue.remember(text, memory);
    }
  } catch (const NotFoundError&) {
    return catalogue;
  }
  catalogue.forget_removed();
  return catalogue;
}

void Catalogue::take_text(const std::string& text, const std::string& watched, Keyring* keyring,
                          const CatalogueMemory& memory) {
  throw_if_interrupted();
  std::string rest = text;
  if (memory.catalogue && text.starts_with(memory.text)) {
    const Catalogue fresh = std::exchange(*this, *memory.catalogue);
    rest.erase(0, memory.text.size());
    const bool is_watched = watched.empty() || watched == watched_;
    if (!is_watched) {
      watched_ = watched;
      has_watched_line_ = watched == last_hash_;
    }
    take_lines(rest, keyring);
    if (is_watched || has_watched_line_) return;
    // Nobody looked for that line among those that are remembered.
    *this = fresh;
    rest = text;
  }
  take_lines(rest, keyring);
}

Catalogue Catalogue::read(const std::filesystem::path& repository, Keyring* keyring,
                          const std::string& watched) {
  Catalogue catalogue = before_lines(repository, watched);
  try {
    const Descriptor file = open_repository_file(catalogue.file_, O_RDONLY);
    catalogue.is_there_ = true;
    catalogue.read_lines(file, keyring);
  } catch (const NotFoundError&) {
    return catalogue;
  }
  catalogue.forget_removed();
  return catalogue;
}

void Catalogue::remember(const std::string& text, CatalogueMemory& memory) const {
  const std::string_view whole = std::string_view(text).substr(0, whole_bytes_);
  const bool is_known = memory.catalogue && memory.catalogue->watched_ == watched_ && memory.text == whole;
  if (is_known) return;
  memory.catalogue.reset();
  if (is_in_long_line_) return;
  memory.text = whole;
  memory.catalogue = *this;
}

void Catalogue::read_lines(const Descriptor& file, Keyring* keyring) {
  if (size_of(file, file_) > catalogue_bytes_max) {
    throw IntegrityError(
        fmt::format("{} is larger than {}", file_.string(), format_size(catalogue_bytes_max)));
  }
  std::string text;
  std::vector<std::byte> block(catalogue_block_bytes);
  while (const std::size_t count = read_some(file, block, file_)) {
    throw_if_interrupted();
    text += as_text(ByteView(block).first(count));
    take_lines(text, keyring);
    if (whole_bytes_ > catalogue_bytes_max) {
      throw IntegrityError(fmt::format("{} grows while it is read", file_.string()));
    }
  }
}

void Catalogue::take_lines(std::string& text, Keyring* keyring) {
  const std::string_view whole(text);
  std::size_t begin = 0;
  for (std::size_t end = whole.find('\n'); end != std::string_view::npos; end = whole.find('\n', begin)) {
    const std::string_view line = whole.substr(begin, end - begin);
    if (is_in_long_line_ || line.size() > line_bytes_max) {
      pass_over_line();
    } else {
      take_line(line, file_, keyring);
    }
    is_in_long_line_ = false;
    whole_bytes_ = bytes_before_text_ + end + 1;
    begin = end + 1;
  }
  is_in_long_line_ = is_in_long_line_ || text.size() - begin > line_bytes_max;
  if (is_in_long_line_) begin = text.size();
  text.erase(0, begin);
  bytes_before_text_ += begin;
}

bool Expectation::allows(const std::string& manifest_sha256) const {
  return std::ranges::any_of(lines, [&](const CatalogueLine& line) {
    return line.event != CatalogueEvent::removing && line.manifest_sha256 == manifest_sha256;
  });
}

const Expectation* Catalogue::find(const std::string& id) const {
  const auto found = expectations_.find(id);
  return found == expectations_.end() ? nullptr : &found->second;
}

CatalogueWriter::CatalogueWriter(const Repository& repository)
    : path_(repository.path() / catalogue_file_name),
      keyring_(repository.keyring()),
      file_(open_locked(path_)),
      catalogue_(Catalogue::read(repository)) {
  // What a crash cut off would join the next line.
  if (::ftruncate(file_.number(), static_cast<::off_t>(catalogue_.whole_bytes_)) != 0) {
    throw_system_error(errno, "cannot write", path_);
  }
}

std::string CatalogueWriter::text_of(const CatalogueLine& line, const std::string& previous) const {
  Json json = json_of(line, previous);
  if (!line.key.empty() && keyring_ != nullptr) {
    const auto code = code_of(line.key, Authenticated::catalogue_line, hash_of(json.dump()), *keyring_);
    if (code) json["code"] = *code;
  }
  return json.dump();
}

void CatalogueWriter::append(const CatalogueLine& line) {
  append(std::span(&line, 1));
}

void CatalogueWriter::append(std::span<const CatalogueLine> lines) {
  if (lines.empty()) return;
  std::string text;
  std::string last = catalogue_.last_hash_;
  if (catalogue_.whole_bytes_ == 0) {
    const std::string first = first_line({}, 0, 0);
    last = hash_of(first);
    text = first + "\n";
  }
  for (const CatalogueLine& line : lines) {
    const std::string added = text_of(line, last);
    last = hash_of(added);
    text += added + "\n";
  }
  try {
    write_at(file_, as_bytes(text), static_cast<::off_t>(catalogue_.whole_bytes_), path_);
    sync_descriptor(file_, path_);
    require_kept(file_, as_bytes(text), static_cast<::off_t>(catalogue_.whole_bytes_), path_);
    // Its name must last as long as what it names.
    if (catalogue_.whole_bytes_ == 0) sync_folder(path_.parent_path());
  } catch (const Error&) {
    // Whoever is told that the step failed undoes it, and a line that says it was taken would be wrong.
    take_back_unsynced();
    throw;
  }
  catalogue_.whole_bytes_ += text.size();
  catalogue_.last_hash_ = last;
  for (const CatalogueLine& line : lines) {
    CatalogueLine taken = line;
    taken.is_authenticated = !line.key.empty() && keyring_ != nullptr;
    catalogue_.take(taken);
  }
}

void CatalogueWriter::take_back_unsynced() noexcept {
  // A disk that refuses this as a rule refuses to undo the step, too; repair() mends what is left.
  if (::ftruncate(file_.number(), static_cast<::off_t>(catalogue_.whole_bytes_)) != 0) return;
}

void CatalogueWriter::replace(const std::vector<CatalogueLine>& lines) {
  std::string line =
      first_line(catalogue_.last_hash_, catalogue_.highest_sequence_, catalogue_.times_begun_ + 1);
  std::string text = line + "\n";
  for (const CatalogueLine& one : lines) {
    line = text_of(one, hash_of(line));
    text += line + "\n";
  }
  const std::filesystem::path partial =
      path_.parent_path() / fmt::format("{}{}", partial_folder_prefix, catalogue_file_name);
  remove_repository_file(partial);
  write_new_file(partial, text);
  rename_durably(partial, path_);
}

void CatalogueWriter::compact() {
  if (!catalogue_.problem().empty()) return;
  std::vector<CatalogueLine> lines;
  std::error_code error;
  for (const auto& [id, expected] : catalogue_.expectations()) {
    const bool is_there = std::filesystem::exists(path_.parent_path() / id, error);
    if (!expected.must_be_there && !is_there) continue;
    const bool has_all_keys = std::ranges::all_of(
        expected.lines, [](const CatalogueLine& line) { return line.key.empty() || line.is_authenticated; });
    if (!has_all_keys) return;
    lines.insert(lines.end(), expected.lines.begin(), expected.lines.end());
  }
  replace(lines);
}

CatalogueLine catalogue_line(CatalogueEvent event, const Manifest& manifest, const Timestamp& at) {
  return {event,
          at,
          manifest.id,
          manifest.created_at,
          manifest.sequence,
          hash_of(manifest_text(manifest)),
          manifest.source.path,
          manifest.authentication ? manifest.authentication->key : std::string()};
}

}  // namespace nerve::backups
