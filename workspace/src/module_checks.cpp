// SPDX-License-Identifier: Apache-2.0
#include "nerve/workspace/module_checks.h"

#include "nerve/core/error.h"
#include "nerve/module.h"

namespace nerve::workspace {

std::vector<health::Check> run_module_checks(Stores& stores) {
  std::vector<health::Check> checks;
  for (const Module* module : stores.modules()) {
    for (const ModuleCheck& check : module->checks()) {
      try {
        checks.push_back(check.run(stores));
      } catch (const CancelledError&) {
        throw;
      } catch (const Error& error) {
        checks.push_back({.id = std::string(check.id),
                          .status = health::Status::unknown,
                          .value = {},
                          .threshold = {},
                          .message = error.what(),
                          .fix = error.hint()});
      }
    }
  }
  return checks;
}

}  // namespace nerve::workspace
