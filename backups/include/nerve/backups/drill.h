// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/key.h"
#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"
#include "nerve/core/json.h"
#include "nerve/core/progress.h"
#include "nerve/core/time.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nerve::backups {

/// The empty folder that drills restore to. Locked while it lives; afterwards it is as empty as before, and
/// gone where it was not there. What a drill that was killed left in it is removed by the next one.
class DrillFolder {
 public:
  /// A new folder (mode 0700) where temporary files go (TMPDIR, else /tmp). Throws where it cannot be made.
  DrillFolder();
  /// The folder at `path`, made where it is not there (mode 0700, in a folder that is). Throws ConflictError
  /// where it holds anything else or is no folder, or another drill is at work in it, and DeniedError where
  /// others may write to it.
  explicit DrillFolder(const std::filesystem::path& path);
  DrillFolder(const DrillFolder&) = delete;
  DrillFolder& operator=(const DrillFolder&) = delete;
  ~DrillFolder();

  const std::filesystem::path& path() const noexcept { return path_; }
  /// Whether somebody chose it, who then knows what is on its device.
  bool is_named() const noexcept { return is_named_; }

 private:
  struct Lock;

  void take();

  std::filesystem::path path_;
  bool is_named_ = false;
  bool is_made_ = false;
  std::unique_ptr<Lock> lock_;
};

/// Throws what DrillFolder throws for something else than a folder of ours, or of root, that nobody else may
/// write to. Nothing is made or changed.
void require_drill_folder(const std::filesystem::path& path);

/// What a drill found. Nothing wrong means no problems.
struct DrillReport {
  BackupId id;
  std::string source;            ///< the database it is of
  Timestamp created_at;          ///< the state it brings back
  std::uint64_t size_bytes = 0;  ///< of the restored database
  std::chrono::milliseconds restoring{0};
  std::chrono::milliseconds checking{0};
  std::int64_t rows = 0;
  std::int64_t foreign_key_violations = 0;  ///< they are not problems of the backup
  std::string content_sha256;               ///< docs/content_digest.md
  std::vector<std::string> problems;        ///< one line each
  /// "TABLE: why" of what could not be checked in full, or is damaged behind a virtual table as it was in the
  /// database.
  std::vector<std::string> unchecked;

  bool ok() const noexcept { return problems.empty(); }
  /// Of the restore; 0 where it took no time.
  std::uint64_t bytes_per_second() const noexcept;

  /// {"id", "source", "created_at", "ok", "problems", "unchecked", "size_bytes", "restore_ms", "check_ms",
  /// "bytes_per_second", "rows", "foreign_key_violations", "content_sha256"}; the last three null where the
  /// database could not be restored.
  Json to_json() const;
};

struct DrillOptions {
  const BackupKey* key = nullptr;  ///< opens an encrypted backup; borrowed
  /// As RestoreOptions::examine. An IntegrityError or NotFoundError that it throws is a problem of the
  /// report.
  std::function<void(const std::filesystem::path&)> examine = {};
};

/// Restores a backup to `folder` as restore_backup() does, which compares every page, runs integrity_check on
/// it, counts its rows and what has no parent, digests its content, removes it, and notes the proof beside
/// the backup. Of one that is not right a note that it was proved is removed.
///
/// What is wrong with the backup is in the report, not thrown. Throws ValidationError for an encrypted backup
/// where nobody named the folder: the database lies there in the clear meanwhile. Throws DeniedError where
/// the key is not the right one, Error of kind unavailable without space, NotKeptError where the device does
/// not keep what it is given, CancelledError.
DrillReport drill_backup(const Repository& repository, const Manifest& manifest, const DrillFolder& folder,
                         const DrillOptions& options, const Clock& clock, ProgressSink* progress = nullptr);

/// When a backup of the database was last restored with success, by a drill or by people, as far as the notes
/// beside the backups that are there say.
std::optional<Timestamp> last_restore_of(const Repository& repository, const std::filesystem::path& database);

}  // namespace nerve::backups
