// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/file.h"
#include "nerve/backends/sqlite/health.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/health/check.h"

#include <string>
#include <string_view>

/// The single checks of check_health(), each by itself. Those that take a session throw the errors of
/// Session.
namespace nerve::sqlite {

health::Check check_file(const FileFacts& facts);
health::Check check_permissions(const FileFacts& facts);
health::Check check_free_disk(const FileFacts& facts, const HealthOptions& options);
health::Check check_version();
health::Check check_pages(const FileFacts& facts);
health::Check check_wal(const FileFacts& facts, const HealthOptions& options);
health::Check check_journal_mode(const FileFacts& facts);

health::Check check_schema(Session& session);
health::Check check_structure(Session& session, const HealthOptions& options);
health::Check check_foreign_key_rows(Session& session, const HealthOptions& options);
health::Check check_free_list(Session& session, const HealthOptions& options);

/// The command that applies what maintenance proposes, for the `fix` of a check.
std::string optimize_command(const std::filesystem::path& path);
/// The command that brings back the newest backup.
std::string restore_command(const std::filesystem::path& path);

}  // namespace nerve::sqlite
