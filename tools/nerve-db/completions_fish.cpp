// SPDX-License-Identifier: Apache-2.0
#include "completions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace nerve::cli {

namespace {

constexpr std::string_view functions =
    R"(# Completions of nerve-db for fish, made by `nerve-db completions fish`.

# Whether the words before the cursor choose the command named in the argument.
function __nerve_db_at
    set -l chosen nerve-db
    set -l is_value 0
    for word in (commandline -opc)[2..-1]
        if test $is_value = 1
            set is_value 0
            continue
        end
        switch $word
            case {0}
                set is_value 1
            case '-*'
            case '*'
                if contains -- "$chosen $word" {1}
                    set chosen "$chosen $word"
                end
        end
    end
    test "$chosen" = "$argv"
end

# The ids in the repository that the words before the cursor name.
function __nerve_db_backups
    set -l words (commandline -opc)
    set -l place
    for index in (seq 2 (math (count $words) - 1))
        if contains -- $words[$index] --db --repo --workspace
            set -a place $words[$index] $words[(math $index + 1)]
        end
    end
    printf '%s\t%s\n' latest 'the newest good one'
    $words[1] backup list --ids --quiet $place 2>/dev/null
end

complete -c nerve-db -f
)";

/// fish knows \' and \\ inside single quotes, and nothing else.
std::string fish_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char character : text) {
    if (character == '\'' || character == '\\') quoted += '\\';
    quoted += character;
  }
  return quoted + "'";
}

std::string argument_of(const Argument& option) {
  switch (option.type) {
    case ArgumentType::none:
      return "";
    case ArgumentType::choice:
    case ArgumentType::duration:
      return fmt::format(" -x -a '{}'", fmt::join(option.choices, " "));
    case ArgumentType::folder:
      return " -x -a '(__fish_complete_directories)'";
    case ArgumentType::database:
    case ArgumentType::file:
      return " -r -F";
    default:
      return " -x";
  }
}

std::string line(const std::string& condition, const Argument& option) {
  return fmt::format("complete -c nerve-db{} -l {}{} -d {}\n", condition, option.name.substr(2),
                     argument_of(option), fish_quoted(first_line(option.description)));
}

std::string lines_of(const std::string& name, const Command& command) {
  const std::string condition = fmt::format(" -n '__nerve_db_at {}'", name);
  std::string text;
  for (const Command& inner : command.commands) {
    text += fmt::format("complete -c nerve-db{} -a {} -d {}\n", condition, inner.name,
                        fish_quoted(inner.summary));
  }
  for (const Argument& operand : command.operands) {
    if (operand.type == ArgumentType::backup) {
      text += fmt::format("complete -c nerve-db{} -a '(__nerve_db_backups)'\n", condition);
    } else if (!operand.choices.empty()) {
      text += fmt::format("complete -c nerve-db{} -a '{}'\n", condition, fmt::join(operand.choices, " "));
    }
  }
  for (const Argument& option : command.options) text += line(condition, option);
  return text;
}

}  // namespace

std::string fish_completions(const Command& root) {
  std::vector<std::string> options;
  for (const Argument& option : options_with_values(root)) options.emplace_back(option.name);
  std::string text = fmt::format(functions, fmt::join(options, " "), quoted_list(command_names(root), " "));
  for (const Argument& option : global_options()) text += line("", option);
  each_command(root,
               [&](const std::string& name, const Command& command) { text += lines_of(name, command); });
  return text;
}

}  // namespace nerve::cli
