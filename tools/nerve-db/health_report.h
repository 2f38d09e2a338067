// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/arguments.h"
#include "nerve/core/progress.h"
#include "nerve/health/report.h"

namespace nerve::cli {

class Context;

/// Makes the checks of the database that the command line, the environment or the workspace names, and keeps
/// in a workspace what the next run compares with.
///
/// Throws ValidationError for settings that cannot be followed, what Context::database throws, and
/// CancelledError. `progress` may be null.
health::Report make_health_report(Context& context, const Arguments& arguments, ProgressSink* progress);

}  // namespace nerve::cli
