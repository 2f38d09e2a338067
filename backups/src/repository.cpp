// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/repository.h"

#include "catalogue.h"
#include "container/keys.h"
#include "durable_file.h"
#include "layout.h"
#include "lines.h"
#include "marker.h"
#include "partial_backup.h"
#include "recovery.h"
#include "repository_folder.h"
#include "vouch.h"
#include "witness.h"

#include "nerve/core/error.h"
#include "nerve/core/shell.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

namespace nerve::backups {
namespace {

constexpr std::size_t suffix_length_min = 8;

/// Whether a folder holds nothing but, perhaps, the marker that a dead process had begun.
bool is_free(const std::filesystem::path& folder) {
  const std::vector<std::string> names = file_names(folder);
  return std::all_of(names.begin(), names.end(),
                     [](const std::string& name) { return name == partial_marker_file_name; });
}

bool is_newer(const Manifest& one, const Manifest& other) {
  return std::tuple(one.sequence, one.created_at, one.id) >
         std::tuple(other.sequence, other.created_at, other.id);
}

template <class Predicate>
std::optional<Manifest> newest_where(const std::vector<Entry>& entries, const std::string& source,
                                     Predicate is_meant) {
  std::optional<Manifest> newest;
  for (const Entry& entry : entries) {
    if (!entry.manifest || entry.manifest->source.path != source || !is_meant(*entry.manifest)) continue;
    if (!newest || is_newer(*entry.manifest, *newest)) newest = entry.manifest;
  }
  return newest;
}

/// What a restore kept of the state it replaced is not what anybody means by the newest backup: restoring
/// "latest" twice would bring the unwanted state back.
bool can_be_latest(const Manifest& manifest) {
  return manifest.is_asked_for() && !manifest.is_emptied;
}

std::optional<Manifest> newest_named(const std::vector<Entry>& entries, const std::string& source) {
  return newest_where(entries, source, can_be_latest);
}

/// The databases that are meant: the one that was named, or all that a repository knows.
std::set<std::string> sources_of(const std::vector<Entry>& entries,
                                 const std::optional<std::filesystem::path>& source,
                                 const std::filesystem::path& repository) {
  std::set<std::string> sources;
  if (source) return {source_name(*source)};
  for (const Entry& entry : entries) {
    if (entry.manifest) sources.insert(entry.manifest->source.path);
  }
  if (sources.size() > 1) {
    throw ConflictError(fmt::format("{} holds backups of several databases: {}", repository.string(),
                                    fmt::join(sources, ", ")),
                        "Name the database with --db, or give the id of the backup.");
  }
  return sources;
}

/// Leaves out what cannot be trusted and is of another database, as the catalogue has it: nobody means it.
void erase_of_others(std::vector<Entry>& entries, const std::string& source) {
  std::erase_if(entries, [&](const Entry& entry) {
    return !entry.manifest && !entry.source.empty() && entry.source != source;
  });
}

std::string see_list(const std::filesystem::path& repository) {
  return fmt::format("'nerve-db backup list --repo {}' shows what there is.",
                     shell_word(repository.string()));
}

[[noreturn]] void throw_without_backup(std::string_view id, const std::filesystem::path& repository) {
  throw NotFoundError(fmt::format("there is no backup {} in {}", id, repository.string()),
                      see_list(repository));
}

/// One that cannot be trusted may be the one that is meant, where it is newer than the newest that can and
/// was made until then (whenever that was, where it is not known).
void require_none_passed_over(const std::vector<Entry>& entries, const std::optional<Manifest>& newest,
                              std::string_view meant, const std::optional<Timestamp>& until,
                              const std::filesystem::path& repository) {
  // By their ids the newest comes last.
  const auto passed = std::find_if(entries.rbegin(), entries.rend(), [&](const Entry& entry) {
    return !entry.manifest && !entry.is_invented && (!newest || is_later(entry, *newest)) &&
           (!until || !entry.created_at || *entry.created_at <= *until);
  });
  if (passed == entries.rend()) return;
  const std::string folder = shell_word(repository.string());
  std::string hint = newest
                         ? fmt::format("To use the one before it, give its id: {}.", newest->id.short_text())
                         : see_list(repository);
  if (passed->is_gone) {
    hint += fmt::format(" If it was removed on purpose: nerve-db backup repair --repo {}.", folder);
  } else if (passed->is_unauthenticated) {
    hint += fmt::format(
        " If your backups are of an older nerve-db, vouch for them: nerve-db backup repair --authenticate "
        "--repo {} with their key.",
        folder);
  }
  throw IntegrityError(fmt::format("{} may be {}{}: {}", meant, passed->name,
                                   passed->is_unauthenticated ? "" : ", which is damaged", passed->problem),
                       std::move(hint));
}

/// Where numbers were given twice, the highest need not be the newest.
void require_one_order(const std::vector<Entry>& entries, const Manifest& newest,
                       const std::filesystem::path& repository) {
  std::vector<Manifest> alike;
  for (const Entry& entry : entries) {
    if (entry.manifest && is_of(*entry.manifest, newest.source.path, newest.line) &&
        can_be_latest(*entry.manifest)) {
      alike.push_back(*entry.manifest);
    }
  }
  const auto latest = std::ranges::max_element(alike, {}, &Manifest::created_at);
  if (latest == alike.end() || latest->created_at <= newest.created_at || !has_restarted(alike)) return;
  throw IntegrityError(
      fmt::format(
          "the numbers of the backups of {} in {} began again at some time, so it is not known which is the "
          "newest: {} has the highest number and is of {}, {} is of {}",
          newest.source.path, repository.string(), newest.id.short_text(), newest.created_at.to_text(),
          latest->id.short_text(), latest->created_at.to_text()),
      "Give the id of the one that you mean.");
}

/// Why there is no backup that "latest" could mean.
[[noreturn]] void throw_without_latest(const std::vector<Entry>& entries, const std::string& source,
                                       const std::filesystem::path& repository) {
  // Of an emptied database there was one with rows, which is gone: nobody can mean what is left by chance.
  if (const std::optional<Manifest> emptied =
          newest_where(entries, source, [](const Manifest& one) { return one.is_asked_for(); })) {
    throw NotFoundError(
        fmt::format("the good backups of {} in {} were made when it had lost all its rows", source,
                    repository.string()),
        fmt::format("To restore it without rows, give the id: {}.", emptied->id.short_text()));
  }
  if (const std::optional<Manifest> kept =
          newest_where(entries, source, [](const Manifest& one) { return one.state == State::good; })) {
    throw NotFoundError(
        fmt::format(
            "there is no good backup of {} in {} but what a restore has kept of it, which latest does "
            "not mean",
            source, repository.string()),
        fmt::format("To go back to the newest, give its id: nerve-db restore {} --repo {} --db {}",
                    kept->id.short_text(), shell_word(repository.string()), shell_word(source)));
  }
  const bool is_known = std::ranges::any_of(entries, [&](const Entry& entry) {
    return entry.manifest ? entry.manifest->source.path == source : entry.source == source;
  });
  throw NotFoundError(
      fmt::format("there is no good backup of {} in {}", source, repository.string()),
      is_known ? see_list(repository)
               : see_list(repository) +
                     " To make a file of the backup of another database, give its id and --to FILE.");
}

/// Lower case, and only what can be the end of an id.
std::string normalise_suffix(std::string_view text, const std::filesystem::path& repository) {
  std::string suffix(text);
  std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                 [](unsigned char character) { return static_cast<char>(std::tolower(character)); });
  const bool is_possible = suffix.size() >= suffix_length_min && suffix.size() <= Uuid::text_length &&
                           suffix.find_first_not_of("0123456789abcdef-") == std::string::npos;
  if (!is_possible) {
    throw ValidationError(fmt::format("{} is not the id of a backup", sanitize_for_terminal(text)),
                          fmt::format("Give latest, or an id or its last 8 characters as this shows them: "
                                      "nerve-db backup list --repo {}.",
                                      shell_word(repository.string())));
  }
  return suffix;
}

/// The folders that are named and filled as backups are, whatever their manifests are worth.
std::vector<std::string> probable_backups(const std::filesystem::path& folder) {
  std::vector<std::string> names = backup_names(folder);
  std::erase_if(names, [&](const std::string& name) {
    std::error_code error;
    return !std::filesystem::exists(folder / name / manifest_file_name, error);
  });
  return names;
}

/// Without its marker a folder of backups would pass for one of other files.
void require_marker_not_lost(const std::filesystem::path& folder) {
  const std::size_t count = probable_backups(folder).size();
  if (count == 0) return;
  throw IntegrityError(fmt::format("the backup repository {} has lost its marker {}; it holds {} backup{}",
                                   folder.string(), marker_file_name, count, count == 1 ? "" : "s"),
                       repair_hint(folder));
}

/// A repository of a later format that has lost its marker must not get one of this format.
void require_known_manifests(const std::filesystem::path& folder, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    try {
      read_manifest(folder / name);
    } catch (const UnsupportedError&) {
      throw;
    } catch (const Error&) {
      continue;  // a damaged manifest is for verify to tell
    }
  }
}

/// In a folder of a backup a repository would pass for damage of that backup.
void require_outside_of_others(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::path outer = std::filesystem::weakly_canonical(folder, error);
  while (outer.has_relative_path()) {
    outer = outer.parent_path();
    if (!std::filesystem::exists(outer / marker_file_name, error)) continue;
    throw ConflictError(fmt::format("{} is inside the backup repository {}", folder.string(), outer.string()),
                        "Name a folder outside of it with --repo.");
  }
}

/// Throws for one of an unknown format: that one is not damaged.
bool is_marker_sound(const std::filesystem::path& folder) {
  try {
    require_known_marker(folder);
    return true;
  } catch (const IntegrityError&) {
    return false;
  }
}

/// Whether the marker had to be made again.
bool repair_marker(const std::filesystem::path& repository, const std::vector<std::string>& backups) {
  const bool is_lost = !has_marker(repository);
  if (!is_lost && is_marker_sound(repository)) return false;
  require_known_manifests(repository, backups);
  if (is_lost) {
    make_marker(repository);
  } else {
    rewrite_marker(repository);
  }
  return true;
}

/// A wrong key vouches for nothing, and what was seen of the repository is not to be forgotten for it.
void require_right_key(const Repository& repository, const Repair& repair) {
  if (!repair.vouched_for.empty()) return;
  bool holds_encrypted = false;
  for (const Entry& entry : repository.list()) {
    if (entry.manifest && entry.manifest->authentication) return;
    holds_encrypted = holds_encrypted || (entry.distrusted && entry.distrusted->is_encrypted());
  }
  if (!holds_encrypted) return;
  throw DeniedError(
      fmt::format("the key opens none of the encrypted backups in {}", repository.path().string()),
      "Give the key that they were made with.");
}

std::filesystem::path absolute_path(const std::filesystem::path& path) {
  return std::filesystem::absolute(path).lexically_normal();
}

}  // namespace

Repository::Repository(std::filesystem::path path)
    : path_(std::move(path)), catalogue_memory_(std::make_shared<CatalogueMemory>()) {}

Repository Repository::open_or_create(const std::filesystem::path& path) {
  const std::filesystem::path absolute = absolute_path(path);
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(absolute, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    require_outside_of_others(absolute);
    return Repository(absolute);
  }
  if (error) throw_system_error(error.value(), "cannot open the backup repository", absolute);
  if (!std::filesystem::is_directory(status)) {
    throw ConflictError(fmt::format("{} is not a folder", absolute.string()),
                        "Name a folder for the backups with --repo.");
  }
  if (has_marker(absolute)) {
    require_known_marker(absolute);
    return Repository(absolute);
  }
  require_marker_not_lost(absolute);
  if (!is_free(absolute)) {
    throw ConflictError(fmt::format("{} holds other files and is not a backup repository", absolute.string()),
                        "Name an empty or new folder for the backups with --repo.");
  }
  require_outside_of_others(absolute);
  return Repository(absolute);
}

Repository Repository::open(const std::filesystem::path& path) {
  const std::filesystem::path absolute = absolute_path(path);
  if (!has_marker(absolute)) {
    require_marker_not_lost(absolute);
    throw NotFoundError(fmt::format("there is no backup repository at {}", absolute.string()),
                        "Name its folder with --repo; the first backup into a folder makes the repository.");
  }
  require_known_marker(absolute);
  return Repository(absolute);
}

Repair Repository::repair(const std::filesystem::path& path, const RepairOptions& options) {
  const Repository repository = Repository(absolute_path(path)).for_key(options.key);
  const std::filesystem::path& folder = repository.path();
  std::vector<std::string> backups = probable_backups(folder);
  Repair repair;
  if (!has_marker(folder) && backups.empty()) {
    repair.forgot_witness = forget_witness(repository.witnessed_in(options.witness_folder));
    repair.is_empty = true;
    if (repair.forgot_witness) return repair;
    throw NotFoundError(fmt::format("{} holds no backup, so it is no repository to repair", folder.string()),
                        "Name the folder of the repository with --repo.");
  }
  repair.made_marker = repair_marker(folder, backups);
  const RepositoryLock lock = RepositoryLock::exclusive(repository);
  backups = backup_names(folder);
  if (options.vouch) {
    repair.vouched_for = vouch_for(repository, backups);
    require_right_key(repository, repair);
  }
  CatalogueWriter writer(repository);
  repair.forgotten = gone_backups(folder, writer.catalogue(), backups, repository.keyring());
  repair.made_catalogue =
      !repair.vouched_for.empty() || !repair.forgotten.empty() || !repository.catalogue_problems().empty();
  if (repair.made_catalogue) writer.replace(lines_for(folder, writer.catalogue(), backups));
  repair.forgot_witness = forget_witness(repository.witnessed_in(options.witness_folder));
  return repair;
}

Repository Repository::for_key(const BackupKey* key) const {
  if (key != nullptr) return authenticated_by(*key);
  return keyring_ ? Repository(path_).witnessed_in(witness_folder_) : *this;
}

Repository Repository::witnessed_in(const std::filesystem::path& folder) const {
  Repository witnessed = *this;
  witnessed.witness_folder_ = folder;
  return witnessed;
}

Repository Repository::authenticated_by(const BackupKey& key) const {
  if (keyring_ && keyring_->key() == &key) return *this;
  Repository keyed = *this;
  keyed.keyring_ = std::make_shared<Keyring>(&key);
  keyed.catalogue_memory_ = std::make_shared<CatalogueMemory>();
  open_recovery_slots(path_, *keyed.keyring_);
  return keyed;
}

std::filesystem::path Repository::folder_of(const BackupId& id) const {
  return path_ / id.to_string();
}

std::vector<Entry> Repository::list() const {
  return read_entries(*this);
}

std::vector<std::string> Repository::catalogue_problems() const {
  const WitnessedCatalogue seen = witnessed_catalogue(*this);
  const std::vector<std::string> names = backup_names(path_);
  const Catalogue catalogue = Catalogue::read(*this, seen.line);
  std::vector<std::string> problems = problems_of(catalogue, names, path_);
  if (keyring_ && problems.empty()) problems = unauthenticated_lines(catalogue, list(), path_);
  if (std::string missed = reason_to_miss(*this, seen, catalogue); !missed.empty())
    problems.push_back(std::move(missed));
  return problems;
}

Manifest Repository::read(const BackupId& id) const {
  std::error_code error;
  if (!std::filesystem::exists(folder_of(id), error)) throw_without_backup(id.to_string(), path_);
  return read_manifest(folder_of(id));
}

Manifest Repository::find(std::string_view id) const {
  const std::string suffix = normalise_suffix(id, path_);
  std::vector<std::string> found;
  for (std::string& name : backup_names(path_)) {
    if (name.ends_with(suffix)) found.push_back(std::move(name));
  }
  if (found.empty()) throw_without_backup(suffix, path_);
  if (found.size() > 1) {
    throw ConflictError(fmt::format("{} backups have an id that ends in {}: {}", found.size(), suffix,
                                    fmt::join(found, ", ")),
                        "Give more of the id.");
  }
  return read_manifest(path_ / found.front());
}

std::optional<Manifest> Repository::newest_of(const std::filesystem::path& source) const {
  return newest_named(list(), source_name(source));
}

std::optional<Manifest> Repository::newest_with_rows(const std::filesystem::path& source) const {
  return newest_where(list(), source_name(source),
                      [](const Manifest& one) { return one.is_asked_for() && one.has_rows; });
}

Manifest Repository::latest(const std::optional<std::filesystem::path>& source) const {
  std::vector<Entry> entries = list();
  const std::set<std::string> sources = sources_of(entries, source, path_);
  std::optional<Manifest> newest;
  if (!sources.empty()) {
    keep_line_at(*this, *sources.begin(), entries);
    newest = newest_named(entries, *sources.begin());
    if (source) erase_of_others(entries, *sources.begin());
  }
  require_not_put_back(*this, newest);
  if (newest) require_one_order(entries, *newest, path_);
  require_none_passed_over(entries, newest, "the newest backup", std::nullopt, path_);
  if (sources.empty()) {
    throw NotFoundError(fmt::format("there is no backup in {}", path_.string()), see_list(path_));
  }
  if (!newest) throw_without_latest(entries, *sources.begin(), path_);
  return *std::move(newest);
}

Manifest Repository::at(const Timestamp& time, const std::optional<std::filesystem::path>& source) const {
  std::vector<Entry> entries = list();
  const std::set<std::string> sources = sources_of(entries, source, path_);
  std::optional<Manifest> newest;
  if (!sources.empty()) {
    keep_line_at(*this, *sources.begin(), entries);
    if (source) erase_of_others(entries, *sources.begin());
    newest = newest_where(entries, *sources.begin(),
                          [&](const Manifest& one) { return can_be_latest(one) && one.created_at <= time; });
  }
  require_not_put_back(*this, newest);
  require_none_passed_over(entries, newest, "the one that is meant", time, path_);
  if (!newest) {
    throw NotFoundError(fmt::format("there is no good backup in {} that was made at {} or before",
                                    path_.string(), time.to_text()),
                        see_list(path_));
  }
  return *std::move(newest);
}

std::string source_name(const std::filesystem::path& database) {
  std::error_code error;
  // Without absolute(), the relative name of a file that is gone would stay relative.
  const std::filesystem::path absolute = std::filesystem::absolute(database);
  std::filesystem::path canonical = std::filesystem::weakly_canonical(absolute, error);
  if (error) canonical = absolute.lexically_normal();
  const std::string text = canonical.string();
  return is_valid_utf8(text) ? text : sanitize_for_terminal(text);
}

}  // namespace nerve::backups
