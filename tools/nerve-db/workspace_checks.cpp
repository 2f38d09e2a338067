// SPDX-License-Identifier: Apache-2.0
#include "workspace_checks.h"

#include "nerve/workspace/module_checks.h"

#include <utility>

namespace nerve::cli {

void add_workspace_checks(Context& context, health::Report& report) {
  if (context.is_database_named() || !context.config().has("workspace.id")) return;
  for (health::Check& check : nerve::workspace::run_module_checks(context.stores())) {
    report.checks.push_back(std::move(check));
  }
}

}  // namespace nerve::cli
