// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "catalogue.h"
#include "durable_file.h"

#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace nerve::backups {

/// A shared lock on a repository: while it is held, nothing in the repository is removed by others.
class RepositoryLock {
 public:
  /// Waits for whoever holds it exclusively; throws NotFoundError where there is no repository,
  /// UnsupportedError where the file system has no flock.
  static RepositoryLock shared(const Repository& repository);

  /// Removes what dead processes left, and keeps everybody out. Throws ConflictError while another process is
  /// at work, NotFoundError where there is no repository.
  static RepositoryLock exclusive(const Repository& repository);

  /// Makes the repository if it is not there, removes what dead processes left in it unless another process
  /// is at work, and takes the shared lock.
  static RepositoryLock for_writing(const Repository& repository);

 private:
  explicit RepositoryLock(Descriptor marker) : marker_(std::move(marker)) {}

  Descriptor marker_;
};

/// The nearest existing folder on the way to `path`: where the space and the permission of a repository are
/// looked up that is yet to be made.
std::filesystem::path existing_folder(std::filesystem::path path);

/// Throws DeniedError when backups cannot be written to `repository`, without making it.
void require_writable(const Repository& repository);

/// Puts `text` beside a backup as the file `name`, whole or not at all, in the place of what was there.
void write_note(const Repository& repository, const BackupId& id, std::string_view name,
                std::string_view text);
/// The same for who holds the repository already: an exclusive lock keeps out a shared one of the same
/// process, too.
void write_note(const RepositoryLock& held, const Repository& repository, const BackupId& id,
                std::string_view name, std::string_view text);

/// The same for what need not last: not synced, under the lock that the caller holds, anywhere in the
/// repository.
void replace_unsynced(const std::filesystem::path& repository, const std::filesystem::path& path,
                      std::string_view text);

/// Makes a folder (mode 0700) with those above it.
void make_folders(const std::filesystem::path& path);

/// A backup in the making, `.partial-ID`: removed by the destructor unless it was published.
class PartialBackup {
 public:
  PartialBackup(const Repository& repository, const BackupId& id);
  PartialBackup(const PartialBackup&) = delete;
  PartialBackup& operator=(const PartialBackup&) = delete;
  ~PartialBackup();

  /// The path of a file of this backup.
  std::filesystem::path file(std::string_view name) const { return folder_ / name; }

  /// Gives the manifest its sequence and duration and, where it names a key, its code, writes it, and gives
  /// the folder its name. Everything else in it must be synced already. The sequence is above
  /// `sequence_before`, too. Throws CancelledError when interrupted.
  void publish(Manifest& manifest, const Clock& clock, std::int64_t sequence_before = 0);

  /// The same with a manifest that has its sequence and duration.
  void publish_as_it_is(Manifest& manifest, const Clock& clock);

 private:
  void put_in_place(Manifest& manifest, const Clock& clock, CatalogueWriter& catalogue);

  Repository repository_;
  RepositoryLock lock_;
  std::filesystem::path folder_;
  std::filesystem::path final_folder_;
  bool is_published_ = false;
};

/// Another form of a backup that is there, `.partial-ID`, until it has taken its place in one step. Whoever
/// makes one holds the repository exclusively.
class PartialReplacement {
 public:
  PartialReplacement(const Repository& repository, const BackupId& id);
  PartialReplacement(const PartialReplacement&) = delete;
  PartialReplacement& operator=(const PartialReplacement&) = delete;
  ~PartialReplacement();

  std::filesystem::path file(std::string_view name) const { return folder_ / name; }

  /// Writes the manifest, takes over the notes of a hold and of the last proof, and exchanges the folders;
  /// the destructor removes the old one.
  void put_in_place(Manifest manifest, CatalogueWriter& catalogue, const Timestamp& now);

 private:
  Keyring* keyring_;
  std::filesystem::path folder_;
  std::filesystem::path final_folder_;
};

}  // namespace nerve::backups
