// SPDX-License-Identifier: Apache-2.0
#include "nerve/command.h"

namespace nerve {

Argument yes_option() {
  return {.name = "--yes", .description = "do not ask"};
}

Argument dry_run_option() {
  return {.name = "--dry-run", .description = "show what would be done, and do nothing"};
}

}  // namespace nerve
