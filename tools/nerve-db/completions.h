// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "command.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::cli {

// A script for each shell that completes commands, options, choices, files, and ids from the repository. Made
// from the definitions, so that it cannot differ from what the command takes.
std::string bash_completions(const Command& root);
std::string zsh_completions(const Command& root);
std::string fish_completions(const Command& root);

/// Calls `visit` with each command and its full name ("nerve-db backup list"), groups before what is in them.
void each_command(const Command& root, const std::function<void(const std::string&, const Command&)>& visit);

/// The full names of all commands below the root.
std::vector<std::string> command_names(const Command& root);

/// Every option that takes a value, global ones and those of all commands; one name once.
std::vector<Argument> options_with_values(const Command& root);

/// What completes the value of an option, and where: a pattern of the shells for `COMMAND:OPTION`.
struct ValueCase {
  std::string pattern;  ///< "*:--db"; "'nerve-db backup schedule:--every'" where the name means something
                        ///< else elsewhere
  Argument option;
};

/// One for each option that takes a value and each of its meanings.
std::vector<ValueCase> value_cases(const Command& root);

/// The first line of a description.
std::string_view first_line(std::string_view text);

/// `texts` joined by `separator`, each one quoted.
std::string quoted_list(const std::vector<std::string>& texts, std::string_view separator);

}  // namespace nerve::cli
