// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/replication.h"

#include "container/chain.h"
#include "container_backup.h"
#include "durable_file.h"
#include "layout.h"
#include "marker.h"
#include "partial_backup.h"
#include "recovery_file.h"
#include "repository_file.h"
#include "witness.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/update_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <tuple>

namespace nerve::backups {
namespace {

/// What a repository has of one database, by id.
using Holdings = std::map<BackupId, Manifest>;

Holdings holdings_of(const Repository& repository, const std::string& source) {
  Holdings holdings;
  for (Entry& entry : repository.list()) {
    if (!entry.manifest || entry.manifest->source.path != source) continue;
    const BackupId id = entry.manifest->id;
    holdings.emplace(id, *std::move(entry.manifest));
  }
  return holdings;
}

/// The highest sequence of what both have. Where they have nothing in common, and `to` has backups, the first
/// repository was lost and begun anew: the highest of `to`, since what has a lower number would pass for
/// older than it is.
std::int64_t horizon_of(const Holdings& from, const Holdings& to) {
  std::int64_t horizon = 0;
  const bool has_common = std::ranges::any_of(from, [&](const auto& one) { return to.contains(one.first); });
  if (!has_common) {
    for (const auto& [id, manifest] : to) horizon = std::max(horizon, manifest.sequence);
    return horizon;
  }
  for (const auto& [id, manifest] : from) {
    if (to.contains(id)) horizon = std::max(horizon, manifest.sequence);
  }
  return horizon;
}

/// The backups of `from` to copy, each after what it leads back to.
std::vector<Manifest> missing_in(const Holdings& to, const Holdings& from, std::int64_t horizon) {
  std::set<BackupId> chosen;
  std::vector<Manifest> missing;
  for (const auto& [id, manifest] : from) {
    if (!manifest.is_asked_for() || manifest.sequence <= horizon) continue;
    const Manifest* needed = &manifest;
    while (!to.contains(needed->id) && chosen.insert(needed->id).second) {
      missing.push_back(*needed);
      if (!needed->container || !needed->container->parent) break;
      const auto parent = from.find(*needed->container->parent);
      // Of a backup that can be trusted each parent is there, unless it is said to be of another database.
      if (parent == from.end()) break;
      needed = &parent->second;
    }
  }
  const auto place = [](const Manifest& one) {
    return std::tuple(one.sequence, one.container ? one.container->depth : 0, one.id);
  };
  std::ranges::sort(missing, {}, place);
  return missing;
}

class Replication {
 public:
  Replication(const Repository& from, const Repository& to, const BackupKey* key, const Clock& clock,
              ProgressSink* progress)
      : from_(from),
        to_(to),
        keyring_(key != nullptr ? *from.keyring() : without_key_),
        clock_(clock),
        progress_(progress) {}

  std::uint64_t copy(Manifest manifest) {
    PartialBackup partial(to_, manifest.id);
    std::uint64_t bytes = copy_file(manifest, manifest.file, partial);
    for (const StoredFile& companion : manifest.companions) bytes += copy_file(manifest, companion, partial);
    if (manifest.container) require_sound(manifest, partial.file(manifest.file.name));
    copy_recovery_slots(manifest, partial);
    partial.publish_as_it_is(manifest, clock_);
    return bytes;
  }

 private:
  std::uint64_t copy_file(const Manifest& manifest, const StoredFile& file, const PartialBackup& partial) {
    const std::filesystem::path path = partial.file(file.name);
    require_space(path.parent_path(), file.size_bytes);
    StoredFile copied;
    {
      const Descriptor target = open_repository_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
      copied =
          copy_file_durably(from_.folder_of(manifest.id) / file.name, target, path, "copying", progress_);
      // So that what is compared comes from the device. A hint: where it cannot be followed, it is what was
      // written.
      ::posix_fadvise(target.number(), 0, 0, POSIX_FADV_DONTNEED);
    }
    if (copied.size_bytes != file.size_bytes || (!file.sha256.empty() && copied.sha256 != file.sha256)) {
      throw IntegrityError(
          fmt::format("{} of backup {} is not what its manifest says", file.name, manifest.id.to_string()),
          "See what is wrong with it: nerve-db backup verify --all.");
    }
    if (describe_file(path, progress_).sha256 != copied.sha256) {
      throw IntegrityError(fmt::format("{} is not what was written to it", path.string()),
                           "The device does not keep what it is given: use another one.");
    }
    return copied.size_bytes;
  }

  /// A damaged note is no reason to lack the backup.
  void copy_recovery_slots(const Manifest& manifest, const PartialBackup& partial) {
    const RecoverySlots slots = known_recovery_slots(from_.folder_of(manifest.id), {});
    if (!slots.empty()) write_recovery_slots(partial.file(recovery_file_name), slots);
  }

  /// Reads the pages as a restore would, from the copy and what it leads back to in the other repository.
  void require_sound(const Manifest& manifest, const std::filesystem::path& copy) {
    if (manifest.is_encrypted() && !keyring_.has_key()) return;
    std::vector<std::filesystem::path> paths;
    std::set<BackupId> not_copied;
    if (manifest.container->parent) {
      const std::vector<Manifest> line = lineage_of(to_, to_.read(*manifest.container->parent));
      paths = container_paths(to_, line);
      for (const Manifest& one : line) not_copied.insert(one.id);
    }
    paths.push_back(copy);
    const Chain chain(paths, keyring_);
    chain.state(to_.path());
    chain.verify("comparing", progress_, not_copied);
  }

  const Repository& from_;
  const Repository& to_;
  Keyring without_key_;
  Keyring& keyring_;
  const Clock& clock_;
  ProgressSink* progress_;
};

void require_different(const Repository& from, const Repository& to) {
  std::error_code error;
  if (!std::filesystem::equivalent(from.path(), to.path(), error)) return;
  throw ConflictError(fmt::format("{} is the repository itself", to.path().string()),
                      "Name another folder with --also, on another device.");
}

constexpr std::size_t copies_bytes_max = std::size_t{1} << 20;

std::filesystem::path copies_path(const Repository& repository) {
  return repository.path() / copies_file_name;
}

/// A note that cannot be read is made again.
std::set<std::string> folders_in(const std::string& text, const std::filesystem::path& path) {
  try {
    return parse_json(text, path.string()).at("folders").get<std::set<std::string>>();
  } catch (const ValidationError&) {
    return {};
  } catch (const nlohmann::json::exception&) {
    return {};
  }
}

/// The folders that copies went to.
std::set<std::string> known_copies(const Repository& repository) {
  const std::filesystem::path path = copies_path(repository);
  try {
    return folders_in(read_small_file(path, copies_bytes_max), path);
  } catch (const NotFoundError&) {
    return {};
  }
}

/// In the repository, so that a copy is not made where the disk is away, and outside of it, so that the
/// copies are found when it is gone.
void remember_copy(const Repository& from, const Repository& to) {
  remember_copies_in(from, source_name(to.path()));
  // The file is locked by making another beside it, so it is not touched where nothing is to be written.
  if (known_copies(from).contains(source_name(to.path()))) return;
  const std::filesystem::path path = copies_path(from);
  const FileUpdate options{.size_bytes_max = copies_bytes_max,
                           .hint = "Run it as a user who may write to the repository."};
  update_file(path, options, [&](const std::optional<std::string>& before) {
    std::set<std::string> folders;
    if (before) folders = folders_in(*before, path);
    folders.insert(source_name(to.path()));
    return Json({{"format", 1}, {"folders", folders}}).dump(2) + "\n";
  });
}

}  // namespace

Repository open_second_repository(const Repository& first, const std::filesystem::path& folder) {
  const std::string name = source_name(folder);
  if (known_copies(first).contains(name) && !has_marker(name)) {
    throw NotFoundError(fmt::format("the second repository {}, which has had copies, is not there", name),
                        fmt::format("Mount its disk. To begin a new one there, remove its line from {}.",
                                    copies_path(first).string()));
  }
  return Repository::open_or_create(folder).witnessed_in(first.witness_folder());
}

ReplicationReport replicate_backups(const Repository& any_from, const Repository& any_to,
                                    const std::filesystem::path& source, const BackupKey* key,
                                    const Clock& clock, ProgressSink* progress) {
  const Repository from = any_from.for_key(key);
  const Repository to = any_to.for_key(key);
  require_different(from, to);
  require_writable(to);
  const std::string name = source_name(source);
  const RepositoryLock lock = RepositoryLock::shared(from);
  const RepositoryLock other = RepositoryLock::for_writing(to);
  const Holdings here = holdings_of(from, name);
  const Holdings there = holdings_of(to, name);
  const std::int64_t horizon = horizon_of(here, there);
  ReplicationReport report;
  // Before the copies are remembered. An empty one is a new disk in the place of an old one.
  if (!there.empty()) report.missed_there = reason_to_miss(to);
  for (const auto& [id, manifest] : there) {
    const bool is_newer = manifest.is_asked_for() && manifest.sequence > horizon;
    if (is_newer && !here.contains(id)) report.unknown_here.push_back(id);
  }
  add_recovery_slots(to, known_recovery_slots(from.path(), {}));
  Replication replication(from, to, key, clock, progress);
  std::set<BackupId> failed;
  std::exception_ptr failure;
  for (const Manifest& manifest : missing_in(there, here, horizon)) {
    const bool is_cut_off =
        manifest.container && manifest.container->parent && failed.contains(*manifest.container->parent);
    try {
      if (!is_cut_off) {
        report.bytes += replication.copy(manifest);
        report.copied.push_back(manifest.id);
        continue;
      }
    } catch (const IntegrityError&) {
      if (!failure) failure = std::current_exception();
    } catch (const ConflictError&) {
      // What stands there under its name cannot be trusted.
      if (!failure) failure = std::current_exception();
    }
    failed.insert(manifest.id);
  }
  // Not only after a copy of this run: the run that made them may have been cut off before it took note.
  if (!report.copied.empty() || !there.empty()) remember_copy(from, to);
  if (failure) std::rethrow_exception(failure);
  return report;
}

}  // namespace nerve::backups
