// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"
#include "nerve/backups/manifest.h"
#include "nerve/core/progress.h"

#include <string>
#include <vector>

namespace nerve::backups {

/// The tables of a database and how many rows each has, as a manifest records them.
std::vector<TableRows> table_rows(sqlite::Session& session, ProgressSink* progress);

/// One line for each table in which `found` differs from what the manifest recorded.
std::vector<std::string> compare_rows(const Manifest& manifest, const std::vector<TableRows>& found);

}  // namespace nerve::backups
