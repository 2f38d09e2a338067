// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/file.h"
#include "nerve/backends/sqlite/health.h"
#include "nerve/backends/sqlite/maintenance.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/health/check.h"

#include <filesystem>
#include <string>
#include <vector>

/// The single checks of check_health(), each by itself. Those that take a session throw the errors of
/// Session.
namespace nerve::sqlite {

health::Check check_file(const FileFacts& facts, const HealthOptions& options);
health::Check check_permissions(const FileFacts& facts);
health::Check check_file_system(const FileFacts& facts, const HealthOptions& options);
health::Check check_free_disk(const FileFacts& facts, const HealthOptions& options);
health::Check check_growth(const FileFacts& facts, const HealthOptions& options);
/// Of the library in use, or of another version of it.
health::Check check_version();
health::Check check_version(int version_number, std::string_view version);
health::Check check_pages(const FileFacts& facts, const HealthOptions& options);
health::Check check_wal(const FileFacts& facts, const HealthOptions& options);
health::Check check_journal_mode(const FileFacts& facts);

health::Check check_schema(Session& session, const HealthOptions& options);
health::Check check_structure(Session& session, const HealthOptions& options);
health::Check check_foreign_key_rows(Session& session, const HealthOptions& options);
health::Check check_free_list(Session& session, const HealthOptions& options);
health::Check check_foreign_key_indexes(Session& session);
/// Both judge what propose() found.
health::Check check_statistics(Session& session, const std::vector<Proposal>& proposals);
health::Check check_indexes(Session& session, const std::vector<Proposal>& proposals);

/// The command that applies what maintenance proposes, for the `fix` of a check.
std::string optimize_command(const std::filesystem::path& path);
/// What brings back a database that is damaged.
std::string restore_command(const std::filesystem::path& path, const HealthOptions& options);
/// The command that runs `script` on the database with SQLite's own shell.
std::string sqlite3_command(const std::filesystem::path& path, const std::string& script);

}  // namespace nerve::sqlite
