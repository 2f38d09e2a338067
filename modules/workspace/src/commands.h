// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/command.h"

namespace nerve::workspace {

/// nerve-db outbox list and retry
Command outbox_command();

}  // namespace nerve::workspace
