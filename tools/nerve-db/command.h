// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/command.h"

#include <span>

namespace nerve::cli {

/// The options that every command takes, before or after its name.
std::span<const Argument> global_options();

/// "nerve-db" with all its commands.
const Command& root_command();

// The definitions that several commands share.
Argument database_option();
Argument repository_option();

// One for each source file of the same name.
Command backup_command();
Command restore_command();
Command salvage_command();
Command convert_command();
Command health_command();
Command stats_command();
Command optimize_command();
Command queries_command();
Command migrate_command();
Command schema_command();
Command completions_command();
Command init_command();
Command status_command();
Command module_command();
Command roles_command();
Command validate_command();

}  // namespace nerve::cli
