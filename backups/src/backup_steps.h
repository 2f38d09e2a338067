// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "container/keys.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/backups/backup.h"
#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/progress.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>

/// What each way of making a backup does alike.
namespace nerve::backups {

/// Tells the user a note, where somebody listens.
void tell(const BackupOptions& options, const std::string& note);

/// Of a check of the source, what it could not look at ("TABLE: why").
void tell_unchecked(const BackupOptions& options, const std::vector<std::string>& unchecked);

/// Throws ValidationError for options that exclude one another.
void require_possible(const BackupOptions& options);

/// Throws what sqlite::require_database throws, DeniedError where the repository may not be written, and what
/// require_space_for_full() throws where it is yet to be made.
void require_possible_place(const sqlite::FileFacts& facts, const Repository& repository);

/// Throws Error of kind unavailable where the repository has no space for the whole database. Not for a
/// delta: what it takes is known when it is written, and one that does not fit leaves nothing.
void require_space_for_full(const sqlite::FileFacts& facts, const Repository& repository);

/// What a backup continues.
struct Continuation {
  bool is_new_line = false;          ///< it is of another database than those before it under this path
  std::string note_of_line;          ///< why
  std::int64_t sequence_before = 0;  ///< the highest number that was seen elsewhere
};

/// Finds the history that a backup belongs to, and writes it to its manifest; tells where the repository is
/// not what it was.
Continuation continue_history(const sqlite::FileFacts& facts, const Repository& repository,
                              std::span<const Entry> entries, const BackupOptions& options, Keyring& keyring,
                              Manifest& manifest);

/// Says of a backup, when it is known what it holds, whether its database has lost the rows that an earlier
/// one has; that is no other database then. Tells of a new one.
void settle_history(const Repository& repository, const Continuation& continuation,
                    const BackupOptions& options, Manifest& manifest);

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
