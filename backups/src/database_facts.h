// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/file.h"
#include "nerve/backends/sqlite/inspection.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/backends/sqlite/virtual_tables.h"
#include "nerve/backups/backup.h"
#include "nerve/backups/manifest.h"

#include <filesystem>
#include <string>
#include <vector>

namespace nerve::backups {

/// How a database is opened to be backed up.
sqlite::SessionOptions source_options(const sqlite::FileFacts& facts, const BackupOptions& options);

/// A manifest with what is known before the database was opened.
Manifest new_manifest(const sqlite::FileFacts& facts, const BackupOptions& options, const Clock& clock);

/// What SQLite says of the database that `session` sees.
SqliteFacts sqlite_facts(sqlite::Session& session);

/// Throws IntegrityError where the file is shorter than its pages. `source` has a read transaction, so that
/// no writer is at work on it.
void require_whole(const sqlite::Session& source);

/// Checks that the source is whole, and the rest as the options want it. Throws IntegrityError naming the
/// damage.
std::vector<std::string> check_source(sqlite::Session& source, SourceCheck check, ProgressSink* progress);

/// Adds what was found of virtual tables to what could not be checked in full: the rows of their own tables
/// are sound as far as SQLite knows, so a backup of them is as good as the database.
void add_virtual_tables(sqlite::VirtualTableFindings findings, std::vector<std::string>& unchecked);

/// Throws IntegrityError where there is damage.
void require_sound(const sqlite::Damage& damage, const std::filesystem::path& database);

/// Whether any table holds a row; reads one at most of each.
bool has_rows(sqlite::Session& session);

}  // namespace nerve::backups
