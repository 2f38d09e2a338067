// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/command.h"

#include <vector>

namespace nerve::tenancy {

/// nerve-db tenant create, update, list, show, remove, restore, and member add, list, remove, primary
std::vector<Command> commands();

}  // namespace nerve::tenancy
