// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/key.h"
#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/progress.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace nerve::backups {

/// How a backup is stored.
enum class Form : std::uint8_t {
  automatic,  ///< a container: a delta where a generation goes on, else a full
  full,       ///< a container that needs no other
  plain,      ///< an ordinary SQLite file
};

/// How thoroughly the source is checked before it is called good.
enum class SourceCheck : std::uint8_t {
  quick,  ///< quick_check
  deep,   ///< integrity_check, which also compares indexes with their tables
  none,   ///< not at all: what is damaged in the source is damaged in the backup. Not for Form::plain
};

struct BackupOptions {
  Form form = Form::automatic;
  SourceCheck check = SourceCheck::quick;
  const BackupKey* key = nullptr;  ///< encrypts a container; borrowed. Not for Form::plain
  Kind kind = Kind::manual;
  /// Whether a database that is found damaged is kept, as a backup of state damaged, before it is refused.
  bool keep_damaged = false;
  /// Form::automatic makes a full where the last one of the database is about as old (a hundredth less is
  /// enough, because timers are not exact), or as far in the future.
  std::optional<std::chrono::seconds> full_age_max = std::nullopt;
  /// The database is the one that was backed up before it under its path, whatever its file says: a history
  /// that was begun for it is left, and the one before continues (lines, docs/backup_repository.md).
  bool same_database = false;
  /// Where copies go: numbers and history continue from what it holds, also where the first repository was
  /// lost. Borrowed; null where there is none.
  const Repository* second = nullptr;
  std::chrono::milliseconds busy_timeout{5000};  ///< how long to wait for a writer in rollback mode
  /// Told what the user should know and did not ask for, such as why a full was made.
  std::function<void(const std::string&)> on_note = {};
};

/// The database is damaged, and what there is of it was kept.
class DamagedSourceError : public IntegrityError {
 public:
  DamagedSourceError(const std::string& message, std::string hint, const BackupId& kept)
      : IntegrityError(message, std::move(hint)), kept_(kept) {}

  /// A backup of state damaged, which is never "latest" and on which no other builds.
  const BackupId& kept() const noexcept { return kept_; }

 private:
  BackupId kept_;
};

/// Writes a consistent copy of the SQLite database `source` to `repository` while others keep reading and
/// writing.
///
/// One read transaction pins a snapshot; the snapshot is checked, then read in a single step, so what was
/// checked is what is stored, and writers cannot make it start again. In WAL mode nobody waits; in rollback
/// mode writers wait for the check and for the file to be copied aside (a plain copy: until it is done). What
/// was written is synced and renamed into place: a crash leaves either no backup or a whole one, and the next
/// backup removes what a dead one left.
///
/// A container is compressed, each page has a hash, and it holds only the pages that differ from the newest
/// container of the same database where there is one; after so many deltas that they weigh as much as their
/// full, and where the newest cannot be read, a new full is made. A database that has encrypted backups is
/// not backed up without the key, nor with one that opens none of them: DeniedError.
///
/// A database that has lost all its rows since an earlier good backup is kept as `is_emptied`: it is more
/// probably an accident than a wish, so "latest" goes on meaning the backup that holds rows.
///
/// Throws IntegrityError when source or copy is damaged (naming the damage, and in the hint the last good
/// backup), which is a DamagedSourceError where the source was kept; what sqlite::require_database throws;
/// ConnectionError when a writer holds the database beyond the timeout; DeniedError; Error of kind
/// unavailable when there is no space; CancelledError. Nothing is kept of a backup that fails.
///
/// The calling process must not have `source` open by other means: POSIX drops all locks of a process on a
/// file when any of its descriptors is closed.
Manifest create_backup(const std::filesystem::path& source, const Repository& repository,
                       const BackupOptions& options, const Clock& clock, ProgressSink* progress = nullptr);

/// Whether the repository has encrypted backups of a database, so that the next one needs their key. Also
/// where they are damaged, and where it is not known whose they are.
bool has_encrypted_backup(const Repository& repository, const std::filesystem::path& database);

/// Whether `key` opens one of the encrypted backups of each database that has any: of `database`, or of all
/// in the repository where that is absent.
bool opens_encrypted_backups(const Repository& repository,
                             const std::optional<std::filesystem::path>& database, const BackupKey& key);

/// Why the key that `repository` was opened with is a wrong one: there are encrypted backups, of `database`
/// or of all where that is absent, and it opens none of them. Empty where it may be the right one.
std::string reason_to_deny(const Repository& repository,
                           const std::optional<std::filesystem::path>& database);

}  // namespace nerve::backups
