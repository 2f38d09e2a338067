// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/arguments.h"
#include "nerve/backups/retention.h"
#include "nerve/command.h"

#include <string>
#include <vector>

namespace nerve::cli {

/// --keep-last to --keep-yearly, and --keep-safety: which backups a policy keeps.
std::vector<Argument> keep_options();

/// The policy that they say.
backups::RetentionPolicy retention_policy(const Arguments& arguments);

/// Those that were given, as words of a command line: "--keep-last", "7" …
std::vector<std::string> keep_words(const Arguments& arguments);

}  // namespace nerve::cli
