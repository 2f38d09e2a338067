// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/health/check.h"
#include "nerve/store.h"

#include <vector>

namespace nerve::workspace {

/// The checks of all modules, in their order. One that throws is unknown, and its message is the error's.
std::vector<health::Check> run_module_checks(Stores& stores);

}  // namespace nerve::workspace
