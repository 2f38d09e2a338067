// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/command.h"

#include <vector>

namespace nerve::jobs {

/// nerve-db jobs list and run
std::vector<Command> commands();

}  // namespace nerve::jobs
