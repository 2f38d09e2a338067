// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"
#include "nerve/core/progress.h"

#include <chrono>
#include <filesystem>

namespace nerve::backups {

struct BackupOptions {
  bool deep = false;  ///< check the source by integrity_check, which also compares indexes with their tables
  Kind kind = Kind::manual;
  std::chrono::milliseconds busy_timeout{5000};  ///< how long to wait for a writer in rollback mode
};

/// Writes a consistent copy of the SQLite database `source` to `repository` while others keep reading and
/// writing.
///
/// One read transaction pins a snapshot; the snapshot is checked, then copied in a single step, so what was
/// checked is what was copied, and writers cannot make the copy start again. In WAL mode nobody waits; in
/// rollback mode writers wait until it is done. The copy is checked too, then it is synced and renamed into
/// place: a crash leaves either no backup or a whole one, and the next backup removes what a dead one left.
///
/// A database that has lost all its rows since an earlier good backup is kept as `is_emptied`: it is more
/// probably an accident than a wish, so "latest" goes on meaning the backup that holds rows.
///
/// Throws IntegrityError when source or copy is damaged (naming the damage, and in the hint the last good
/// backup); what sqlite::require_database throws; ConnectionError when a writer holds the database beyond the
/// timeout; DeniedError; Error of kind unavailable when there is no space; CancelledError. Nothing is kept of
/// a backup that fails.
///
/// The calling process must not have `source` open by other means: POSIX drops all locks of a process on a
/// file when any of its descriptors is closed.
Manifest create_backup(const std::filesystem::path& source, const Repository& repository,
                       const BackupOptions& options, const Clock& clock, ProgressSink* progress = nullptr);

}  // namespace nerve::backups
