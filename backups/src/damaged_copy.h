// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "target_state.h"

#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"
#include "nerve/core/progress.h"

#include <filesystem>

namespace nerve::backups {

/// Keeps a database that cannot be backed up because it is damaged: its main file, -wal and -journal byte for
/// byte, as a safety backup of state damaged. Files that are missing are left out (a missing main file is
/// kept as an empty one).
Manifest keep_damaged_files(const std::filesystem::path& database, const TargetState& state,
                            const Repository& repository, const Clock& clock, ProgressSink* progress);

}  // namespace nerve::backups
