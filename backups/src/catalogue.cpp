// SPDX-License-Identifier: Apache-2.0
#include "catalogue.h"

#include "file_lock.h"
#include "layout.h"
#include "written_parts.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/crypto/hash.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace nerve::backups {
namespace {

constexpr std::int64_t catalogue_format = 1;
/// Some millions of lines.
constexpr std::size_t catalogue_bytes_max = std::size_t{1} << 30;

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

std::string hash_of(std::string_view text) {
  return to_hex(crypto::sha256(as_bytes(text)));
}

std::string first_line(const std::string& previous, std::int64_t highest_sequence) {
  return Json({{"catalogue", catalogue_format}, {"previous", previous}, {"sequence", highest_sequence}})
      .dump();
}

std::string text_of(const CatalogueLine& line, const std::string& previous) {
  Json json = {
      {"at", line.at.to_text()},   {"created_at", line.created_at.to_text()}, {"event", name_of(line.event)},
      {"id", line.id.to_string()}, {"manifest_sha256", line.manifest_sha256}, {"previous", previous},
      {"sequence", line.sequence}};
  if (!line.source.empty()) json["source"] = line.source;
  return json.dump();
}

CatalogueLine parse_line(const Json& json) {
  CatalogueLine line;
  line.event = parse_event(json.at("event").get<std::string>());
  line.at = Timestamp::parse(json.at("at").get<std::string>());
  line.id = BackupId::parse(json.at("id").get<std::string>());
  line.created_at = Timestamp::parse(json.at("created_at").get<std::string>());
  line.sequence = json.at("sequence").get<std::int64_t>();
  line.manifest_sha256 = json.at("manifest_sha256").get<std::string>();
  line.source = json.value("source", std::string());
  return line;
}

void require_known_format(const Json& json, const std::filesystem::path& file) {
  const auto format = json.at("catalogue").get<std::int64_t>();
  if (format == catalogue_format) return;
  throw UnsupportedError(fmt::format("{} has format {}, and this program knows format {}", file.string(),
                                     format, catalogue_format),
                         "Use the version of nerve-db that made it, or a newer one.");
}

/// The catalogue, made where there is none, and locked; again where it was replaced in between.
Descriptor open_locked(const std::filesystem::path& path) {
  for (;;) {
    Descriptor file = open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    lock_exclusive(file, path);
    if (is_at(file, path)) return file;
  }
}

}  // namespace

void Catalogue::take(const CatalogueLine& line) {
  highest_sequence_ = std::max(highest_sequence_, line.sequence);
  Expectation& expected = expectations_[line.id.to_string()];
  if (line.event == CatalogueEvent::stored) {
    expected.must_be_there = true;
    expected.lines.clear();
  } else if (line.event == CatalogueEvent::removing) {
    expected.must_be_there = false;
  }
  expected.lines.push_back(line);
}

void Catalogue::take_line(std::string_view line, const std::filesystem::path& file) {
  ++line_number_;
  try {
    const Json json = parse_json(line, "it");
    if (json.contains("catalogue")) {
      require_known_format(json, file);
      highest_sequence_ = std::max(highest_sequence_, json.at("sequence").get<std::int64_t>());
    } else {
      take(parse_line(json));
    }
    const bool follows = line_number_ == 1 || json.at("previous").get<std::string>() == last_hash_;
    if (!follows && problem_.empty()) {
      problem_ = fmt::format("{} was altered: line {} does not follow from the line before it", file.string(),
                             line_number_);
    }
  } catch (const UnsupportedError&) {
    throw;
  } catch (const std::exception& error) {
    if (problem_.empty()) {
      problem_ = fmt::format("line {} of {} is damaged: {}", line_number_, file.string(), error.what());
    }
  }
  last_hash_ = hash_of(line);
}

Catalogue Catalogue::read(const std::filesystem::path& repository) {
  const std::filesystem::path file = repository / catalogue_file_name;
  Catalogue catalogue;
  std::string text;
  try {
    text = read_small_file(file, catalogue_bytes_max);
  } catch (const NotFoundError&) {
    return catalogue;
  }
  catalogue.is_there_ = true;
  for (std::size_t end = text.find('\n'); end != std::string::npos;
       end = text.find('\n', catalogue.whole_bytes_)) {
    catalogue.take_line(std::string_view(text).substr(catalogue.whole_bytes_, end - catalogue.whole_bytes_),
                        file);
    catalogue.whole_bytes_ = end + 1;
  }
  return catalogue;
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

CatalogueWriter::CatalogueWriter(const std::filesystem::path& repository)
    : path_(repository / catalogue_file_name),
      file_(open_locked(path_)),
      catalogue_(Catalogue::read(repository)) {
  // What a crash cut off would join the next line.
  if (::ftruncate(file_.number(), static_cast<::off_t>(catalogue_.whole_bytes_)) != 0) {
    throw_system_error(errno, "cannot write", path_);
  }
}

void CatalogueWriter::append(const CatalogueLine& line) {
  std::string text;
  std::string last = catalogue_.last_hash_;
  if (catalogue_.whole_bytes_ == 0) {
    const std::string first = first_line({}, 0);
    last = hash_of(first);
    text = first + "\n";
  }
  const std::string added = text_of(line, last);
  text += added + "\n";
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
  catalogue_.last_hash_ = hash_of(added);
  catalogue_.take(line);
}

void CatalogueWriter::take_back_unsynced() noexcept {
  // A disk that refuses this as a rule refuses to undo the step, too; repair() mends what is left.
  if (::ftruncate(file_.number(), static_cast<::off_t>(catalogue_.whole_bytes_)) != 0) return;
}

void CatalogueWriter::replace(const std::vector<CatalogueLine>& lines) {
  std::string line = first_line(catalogue_.last_hash_, catalogue_.highest_sequence_);
  std::string text = line + "\n";
  for (const CatalogueLine& one : lines) {
    line = text_of(one, hash_of(line));
    text += line + "\n";
  }
  const std::filesystem::path partial =
      path_.parent_path() / fmt::format("{}{}", partial_folder_prefix, catalogue_file_name);
  remove_if_there(partial);
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
          manifest.source.path};
}

}  // namespace nerve::backups
