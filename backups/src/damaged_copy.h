// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "target_state.h"

#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"
#include "nerve/core/progress.h"

#include <filesystem>
#include <optional>

namespace nerve::backups {

/// Keeps a database that cannot be backed up because it is damaged: its main file, -wal and -journal byte for
/// byte, as a backup of state damaged. Files that are missing are left out (a missing main file is kept as an
/// empty one). Whoever calls it must not have the database open.
Manifest keep_damaged_files(const std::filesystem::path& database, const TargetState& state, Kind kind,
                            const Repository& repository, const Clock& clock, ProgressSink* progress);

/// The backup that keeps just these files already; absent where none does.
std::optional<Manifest> find_kept_files(const std::filesystem::path& database, const TargetState& state,
                                        const Repository& repository, ProgressSink* progress);

}  // namespace nerve::backups
