// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/health/checklist.h"
#include "nerve/store.h"

namespace nerve::workspace {

/// Makes the checks of all modules, in their order, but those that the list leaves out.
void add_module_checks(Stores& stores, health::Checklist& checklist);

}  // namespace nerve::workspace
