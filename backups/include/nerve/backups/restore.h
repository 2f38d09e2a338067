// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/key.h"
#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"
#include "nerve/core/json.h"
#include "nerve/core/progress.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace nerve::backups {

/// Where a backup goes: a new file, or the place of a database that may stand there.
struct RestoreTarget {
  enum class Mode : std::uint8_t {
    new_file,  ///< nothing may stand at `path`
    in_place,  ///< what stands at `path` is replaced, after a safety backup
  };

  std::filesystem::path path;
  Mode mode = Mode::in_place;
};

/// What a restore is about to do, for people to agree to and for --dry-run to show.
struct RestorePlan {
  BackupId backup;
  Timestamp backup_created_at;
  std::filesystem::path target;               ///< absolute, symbolic links resolved
  bool replaces = false;                      ///< a file stands there now
  std::uint64_t current_size_bytes = 0;       ///< of that file
  std::uint64_t restored_size_bytes = 0;      ///< of what takes its place
  std::optional<std::int64_t> restored_rows;  ///< absent where the backup does not say
  bool safety_backup = false;                 ///< the current state goes to the repository first
  std::string backup_source;                  ///< the database that the backup was made of
  bool other_database = false;                ///< what stands there is another database than that
  std::vector<std::string> notes;             ///< such as: open files of other users could not be looked at

  Json to_json() const;
};

struct RestoreOptions {
  const BackupKey* key = nullptr;  ///< opens an encrypted backup; borrowed
  /// Refuse what is not authenticated with `key`; of a database that has encrypted backups that is refused in
  /// any case.
  bool requires_authentication = false;
  bool may_be_unauthenticated = false;  ///< restore it all the same: somebody knows where it comes from
  bool dry_run = false;                 ///< verify, look, make the plan, change nothing
  /// Let a database be replaced by the backup of another one: what somebody said, or will be asked.
  bool may_replace_other = false;
  std::function<bool(const RestorePlan&)> confirm = {};  ///< asked before anything changes; empty means yes
  /// Looks at the database that is about to take its place, a file that nobody else knows, and throws where
  /// it must not. Not asked in a dry run, nor of a damaged backup.
  std::function<void(const std::filesystem::path&)> examine = {};
  std::chrono::milliseconds busy_timeout{2000};  ///< how long to wait for another connection to let go
};

struct RestoreResult {
  RestorePlan plan;
  bool done = false;               ///< false after a dry run
  std::string mode;                ///< permissions of the restored file, as "0600"; empty after a dry run
  std::optional<BackupId> safety;  ///< the backup that holds what stood there before
  bool safety_is_damaged = false;  ///< it is of a database that was damaged already
  std::vector<std::string> notes;  ///< what came up on the way, besides plan.notes

  /// {"backup", "target", "done", "mode", "safety", "safety_state", "plan", "notes"}.
  Json to_json() const;
};

/// Puts a backup in place of a database, or into a new file.
///
/// The backup is verified (hashes and integrity_check), the target must not be open in another process, the
/// new file is written and synced beside it, the current state goes into a safety backup, and only then one
/// rename makes the change. An abort at any point leaves the old state or the new one, and the same call made
/// again succeeds. A file that takes the place of another keeps its owner and mode; a new one belongs to the
/// caller with mode 0600, or less where the database had less when it was backed up, and a note says so.
///
/// Throws IntegrityError when the backup is damaged or not authenticated; ConflictError when a new file
/// exists already, another database stands at the target and options do not permit to replace it, the target
/// is in use (naming processes) or keeps changing; NotFoundError, DeniedError, and Error of kind unavailable
/// when there is no space; CancelledError when interrupted or not confirmed. After any of these the target is
/// what it was.
///
/// The calling process must not have the target open by other means.
RestoreResult restore_backup(const Repository& repository, const Manifest& manifest,
                             const RestoreTarget& target, const RestoreOptions& options, const Clock& clock,
                             ProgressSink* progress = nullptr);

}  // namespace nerve::backups
