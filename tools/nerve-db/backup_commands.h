// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/command.h"

namespace nerve::cli {

/// The commands under `nerve-db backup` that have a file of their own.
Command prune_command();
Command hold_command();
Command release_command();

}  // namespace nerve::cli
