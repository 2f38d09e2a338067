// SPDX-License-Identifier: Apache-2.0
#include "completions.h"

#include "nerve/core/shell.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace nerve::cli {

namespace {

constexpr std::string_view zsh_walk = R"(#compdef nerve-db
# Completions of nerve-db for zsh, made by `nerve-db completions zsh`.

_nerve-db() {{
  local chosen=nerve-db word
  local -a place commands options backups
  integer index
  for ((index = 2; index < CURRENT; index++)); do
    word=${{words[index]}}
    case $word in
      --db | --repo | --workspace)
        ((index + 1 < CURRENT)) && place+=("$word" "${{words[index + 1]/#\~/$HOME}}")
        ((index++))
        ;;
      {0}) ((index++)) ;;
      -*) ;;
      *)
        case "$chosen $word" in
          {1}) chosen+=" $word" ;;
        esac
        ;;
    esac
  done
)";

constexpr std::string_view ending = R"(
  if [[ ${words[CURRENT]} == -* ]]; then
    _describe -o option options
    return
  fi
  (($#commands)) && _describe command commands
  (($#backups)) && _describe backup backups
}

if [[ ${funcstack[1]} == _nerve-db ]]; then
  _nerve-db "$@"
else
  compdef _nerve-db nerve-db
fi
)";

std::string zsh_value_case(const ValueCase& one) {
  const Argument& option = one.option;
  switch (option.type) {
    case ArgumentType::choice:
    case ArgumentType::duration:
      return fmt::format("    {}) compadd -- {}; return ;;\n", one.pattern, fmt::join(option.choices, " "));
    case ArgumentType::folder:
      return fmt::format("    {}) _files -/; return ;;\n", one.pattern);
    case ArgumentType::database:
    case ArgumentType::file:
      return fmt::format("    {}) _files; return ;;\n", one.pattern);
    default:
      return fmt::format("    {}) _message {}; return ;;\n", one.pattern, shell_quoted(option.value_name));
  }
}

std::string described(std::string_view name, std::string_view description) {
  return shell_quoted(fmt::format("{}:{}", name, first_line(description)));
}

std::string zsh_command_case(const std::string& name, const Command& command) {
  std::string commands;
  std::string options;
  std::string ids;
  for (const Command& inner : command.commands) commands += " " + described(inner.name, inner.summary);
  for (const Argument& operand : command.operands) {
    for (const std::string_view choice : operand.choices) commands += " " + shell_quoted(choice);
    if (operand.type == ArgumentType::backup) {
      ids =
          "      backups=('latest:the newest good one' "
          "${(f)\"$(\"${words[1]}\" backup list --ids --quiet $place 2>/dev/null)\"})\n";
    }
  }
  for (const Argument& option : command.options) options += " " + described(option.name, option.description);
  for (const Argument& option : global_options()) options += " " + described(option.name, option.description);
  return fmt::format("    {})\n      commands=({})\n      options=({})\n{}      ;;\n", shell_quoted(name),
                     commands.empty() ? "" : commands.substr(1), options.substr(1), ids);
}

}  // namespace

std::string zsh_completions(const Command& root) {
  std::vector<std::string_view> other_options;
  std::string values;
  for (const Argument& option : options_with_values(root)) {
    const bool is_place = option.name == "--db" || option.name == "--repo" || option.name == "--workspace";
    if (!is_place) other_options.push_back(option.name);
  }
  for (const ValueCase& one : value_cases(root)) values += zsh_value_case(one);
  std::string text =
      fmt::format(zsh_walk, fmt::join(other_options, " | "), quoted_list(command_names(root), " | "));
  text += "  case $chosen:${words[CURRENT - 1]} in\n" + values + "  esac\n  case $chosen in\n";
  each_command(root, [&](const std::string& name, const Command& command) {
    text += zsh_command_case(name, command);
  });
  return text + "  esac\n" + std::string(ending);
}

}  // namespace nerve::cli
