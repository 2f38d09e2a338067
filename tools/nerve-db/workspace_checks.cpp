// SPDX-License-Identifier: Apache-2.0
#include "workspace_checks.h"

#include "nerve/core/shell.h"
#include "nerve/workspace/module_checks.h"

#include <utility>

namespace nerve::cli {

void add_workspace_checks(Context& context, health::Report& report) {
  if (context.is_database_named() || !context.config().has("workspace.id")) return;
  for (health::Check& check : nerve::workspace::run_module_checks(context.stores())) {
    // Modules do not know where the user stands, so the command is made whole here.
    if (check.fix.starts_with("nerve-db ")) {
      check.fix += " --workspace " + shell_word(context.open_workspace().folder().string());
    }
    report.checks.push_back(std::move(check));
  }
}

}  // namespace nerve::cli
