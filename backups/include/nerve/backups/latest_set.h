// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nerve::backups {

/// What "latest" means of databases that belong together.
struct LatestSet {
  std::vector<Manifest> members;         ///< in the order of their roles
  std::vector<std::string> passed_over;  ///< what is newer and why it is not taken, newest first
};

/// The newest set (backup_set.h) that holds a good backup of each of `databases`, none of which had lost all
/// its rows; with `until`, of those that were made by then. Absent where there is none.
///
/// Newer backups are passed over, and named: those of a set that is not whole, those that were made of one
/// database alone, and those that cannot be trusted and may be of these databases. Safety backups are not.
std::optional<LatestSet> latest_set(const Repository& repository,
                                    const std::vector<std::filesystem::path>& databases,
                                    const std::optional<Timestamp>& until = std::nullopt);

}  // namespace nerve::backups
