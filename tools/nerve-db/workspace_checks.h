// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "context.h"

#include "nerve/health/report.h"

namespace nerve::cli {

/// Adds the checks of the modules where the report is about a workspace of `nerve-db init`: it was not
/// another database that was named.
void add_workspace_checks(Context& context, health::Report& report);

}  // namespace nerve::cli
