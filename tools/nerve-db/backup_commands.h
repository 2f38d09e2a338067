// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/command.h"

namespace nerve::cli {

/// The commands under `nerve-db backup` that have a file of their own.
Command list_command();
Command show_command();
Command repair_command();
Command schedule_command();
Command verify_command();
Command prune_command();
Command consolidate_command();
Command drill_command();
Command recovery_key_command();
Command hold_command();
Command release_command();

}  // namespace nerve::cli
