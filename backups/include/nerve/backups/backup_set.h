// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/backup.h"
#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/progress.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nerve::backups {

/// One of several databases that belong together, such as the stores of a workspace.
struct SetMember {
  std::filesystem::path source;
  std::string role;       ///< what it is in the set: "core", "secure"
  BackupOptions options;  ///< with a key of its own; not Form::plain
};

/// What came of a set.
struct SetBackup {
  std::vector<Manifest> stored;  ///< of the sound databases, in the order of the members
  std::vector<Error> failures;   ///< of each other one: what is wrong with it, and what was kept
};

/// Backs up databases in the state that all of them had at one moment, each as a backup of its own that names
/// the set.
///
/// The states are pinned while a write lock is held on every one of them, for some milliseconds, so that no
/// writer comes in between; a writer of two of them that waits for one is let pass. Where a database may only
/// be read, there is no such moment, and `options.on_note` of the first is told.
///
/// A member that cannot be stored, because it is damaged, no database any more, or its key is not the one,
/// does not keep the others from being stored. What there is of a damaged one is kept as create_backup()
/// does, its files also where no earlier backup says that it was a database.
///
/// Throws ValidationError for options that exclude one another, ConnectionError when a writer holds one of
/// the databases beyond the timeout of the first, and CancelledError.
SetBackup create_backup_set(const std::vector<SetMember>& members, const Repository& repository,
                            const Clock& clock, ProgressSink* progress = nullptr);

/// The backups of the set that `member` belongs to, in the order of their roles. Absent where it belongs to
/// none, or one of them is gone, damaged or of a damaged database.
std::optional<std::vector<Manifest>> find_set(const Repository& repository, const Manifest& member);

}  // namespace nerve::backups
