// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/command.h"

#include <vector>

namespace nerve::workspace {

/// nerve-db outbox list, show and retry
std::vector<Command> commands();

}  // namespace nerve::workspace
