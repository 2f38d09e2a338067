// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/file.h"
#include "nerve/backups/backup.h"
#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/progress.h"

#include <functional>

/// What each way of making a backup does alike.
namespace nerve::backups {

/// Throws ValidationError for options that exclude one another.
void require_possible(const BackupOptions& options);

/// Throws what sqlite::require_database throws, DeniedError where the repository may not be written, and
/// Error of kind unavailable where it has no space for the whole database.
void require_room(const sqlite::FileFacts& facts, const Repository& repository);

/// Whether the database has lost the rows that an earlier backup of it holds.
bool is_emptied(const Manifest& manifest, const sqlite::FileFacts& facts, const Repository& repository);

/// Keeps the files of a database that SQLite cannot read page by page, unless they would lie in the clear
/// where backups are encrypted; and throws the damage in any case. The database is not open.
[[noreturn]] void keep_files_and_throw(const IntegrityError& damage, const sqlite::FileFacts& facts,
                                       const Repository& repository, const BackupOptions& options,
                                       const Clock& clock, ProgressSink* progress);

/// Does `work`; an IntegrityError gets the hint that names the last good backup, a DamagedSourceError the id
/// of what was kept.
Manifest with_hints_of_damage(const sqlite::FileFacts& facts, const Repository& repository,
                              const std::function<Manifest()>& work);

}  // namespace nerve::backups
