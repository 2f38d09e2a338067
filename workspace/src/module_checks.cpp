// SPDX-License-Identifier: Apache-2.0
#include "nerve/workspace/module_checks.h"

#include "nerve/module.h"

#include <string>

namespace nerve::workspace {

void add_module_checks(Stores& stores, health::Checklist& checklist) {
  for (const Module* module : stores.modules()) {
    for (const ModuleCheck& check : module->checks) {
      checklist.attempt(check.id, [&] {
        health::Check made = check.run(stores);
        made.id = std::string(check.id);
        return made;
      });
    }
  }
}

}  // namespace nerve::workspace
