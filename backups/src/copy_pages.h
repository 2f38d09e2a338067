// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"
#include "nerve/core/progress.h"

#include <filesystem>

namespace nerve::backups {

/// Copies every page of the database that `source` sees to a new file (mode 0600), and syncs it.
///
/// Inside a read transaction of `source` the copy is of that snapshot, whatever others write meanwhile. One
/// call of SQLite does it, so it cannot begin again; an interrupt takes effect at its end.
void copy_pages(sqlite::Session& source, const std::filesystem::path& target, ProgressSink* progress);

}  // namespace nerve::backups
