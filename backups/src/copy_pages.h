// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/snapshot.h"

#include "nerve/core/progress.h"

#include <filesystem>

namespace nerve::backups {

/// Writes every page of a snapshot to a new file (mode 0600), byte for byte, syncs it and reads it back.
/// Throws NotKeptError.
void copy_pages(Snapshot& snapshot, const std::filesystem::path& target, ProgressSink* progress);

}  // namespace nerve::backups
