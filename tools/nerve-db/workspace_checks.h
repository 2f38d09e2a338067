// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "context.h"

#include "nerve/health/checklist.h"
#include "nerve/health/report.h"

#include <string_view>
#include <vector>

namespace nerve::cli {

/// What is checked of a workspace: "schema.pending" and "schema.drift" of each store, and the checks of the
/// modules.
std::vector<std::string_view> workspace_check_ids();

/// Adds them where the report is about a workspace of `nerve-db init`: it was not another database that was
/// named. There the remedy for what the schema lacks is a migration.
void add_workspace_checks(Context& context, const health::Skipped& skip, health::Report& report);

}  // namespace nerve::cli
