// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "command.h"

#include <string>
#include <vector>

namespace nerve::cli {

/// What --help shows of the command at the end of `path`: usage, what it does, operands, commands, options,
/// exit codes, and at the end an example that works.
std::string help_text(const std::vector<const Command*>& path);

}  // namespace nerve::cli
