// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"

#include <filesystem>
#include <optional>
#include <string_view>

namespace nerve::cli {

/// What to say to those who name a PostgreSQL server where a file is backed up or restored.
inline constexpr std::string_view backup_instead_for_postgresql =
    "Use the server's own pg_dump and pg_restore, or pg_basebackup for the whole cluster.";

/// The backup that an ID operand means: an id, the end of one, or "latest", which is the newest good backup
/// of `source`. Throws what Repository::find and Repository::latest throw.
backups::Manifest choose_backup(const backups::Repository& repository, std::string_view id,
                                const std::optional<std::filesystem::path>& source);

}  // namespace nerve::cli
