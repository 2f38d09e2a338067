// SPDX-License-Identifier: Apache-2.0
#include "completions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace nerve::cli {

namespace {

constexpr std::string_view beginning = R"(# shellcheck shell=bash
# Completions of nerve-db for bash, made by `nerve-db completions bash`.

_nerve_db_offer() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2"); }

_nerve_db_offer_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
}
)";

/// Walks the words before the cursor: `chosen` becomes the command, `place` the options that say where
/// backups are.
constexpr std::string_view bash_walk = R"(
_nerve_db() {{
  local program=${{COMP_WORDS[0]}} current=${{COMP_WORDS[COMP_CWORD]}} previous
  local chosen=nerve-db word index words=() place=() backups
  # bash makes three words of --option=value.
  for word in "${{COMP_WORDS[@]:0:COMP_CWORD}}"; do
    if [[ $word != = ]]; then words+=("$word"); fi
  done
  previous=${{words[-1]}}
  if [[ $current == = ]]; then current=''; fi
  for ((index = 1; index < ${{#words[@]}}; index++)); do
    word=${{words[index]}}
    case $word in
      --db | --repo | --workspace)
        if ((index + 1 < ${{#words[@]}})); then place+=("$word" "${{words[index + 1]/#\~/$HOME}}"); fi
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

std::string bash_value_case(const ValueCase& one) {
  const Argument& option = one.option;
  switch (option.type) {
    case ArgumentType::choice:
    case ArgumentType::duration:
      return fmt::format("    {}) _nerve_db_offer '{}' \"$current\" ;;\n", one.pattern,
                         fmt::join(option.choices, " "));
    case ArgumentType::folder:
      return fmt::format("    {}) _nerve_db_offer_files -d \"$current\" ;;\n", one.pattern);
    case ArgumentType::database:
    case ArgumentType::file:
      return fmt::format("    {}) _nerve_db_offer_files -f \"$current\" ;;\n", one.pattern);
    default:
      return fmt::format("    {}) COMPREPLY=() ;;\n", one.pattern);
  }
}

std::string words_of(const Command& command) {
  std::vector<std::string_view> words;
  for (const Command& inner : command.commands) words.push_back(inner.name);
  for (const Argument& operand : command.operands) {
    words.insert(words.end(), operand.choices.begin(), operand.choices.end());
  }
  for (const Argument& option : command.options) words.push_back(option.name);
  for (const Argument& option : global_options()) words.push_back(option.name);
  return fmt::format("{}", fmt::join(words, " "));
}

std::string bash_command_case(const std::string& name, const Command& command) {
  std::string ids;
  for (const Argument& operand : command.operands) {
    if (operand.type != ArgumentType::backup) continue;
    ids = "      backups=$(\"$program\" backup list --ids --quiet \"${place[@]}\" 2>/dev/null)\n";
  }
  return fmt::format("    '{}')\n{}      _nerve_db_offer \"{}{}\" \"$current\"\n      ;;\n", name, ids,
                     ids.empty() ? "" : "latest $backups ", words_of(command));
}

}  // namespace

std::string bash_completions(const Command& root) {
  std::vector<std::string_view> other_options;
  std::string values;
  for (const Argument& option : options_with_values(root)) {
    const bool is_place = option.name == "--db" || option.name == "--repo" || option.name == "--workspace";
    if (!is_place) other_options.push_back(option.name);
  }
  for (const ValueCase& one : value_cases(root)) values += bash_value_case(one);
  std::string text(beginning);
  text += fmt::format(bash_walk, fmt::join(other_options, " | "), quoted_list(command_names(root), " | "));
  text += "  case $chosen:$previous in\n" + values + "    *)\n      _nerve_db_command\n      ;;\n  esac\n}\n";
  text += "\n_nerve_db_command() {\n  case $chosen in\n";
  each_command(root, [&](const std::string& name, const Command& command) {
    text += bash_command_case(name, command);
  });
  text += "  esac\n}\n\ncomplete -F _nerve_db nerve-db\n";
  return text;
}

}  // namespace nerve::cli
