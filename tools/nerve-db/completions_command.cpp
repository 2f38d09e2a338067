// SPDX-License-Identifier: Apache-2.0
// nerve-db completions, and what the scripts for the shells have in common
#include "completions.h"
#include "context.h"

#include "nerve/core/shell.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace nerve::cli {

namespace {

void each_below(const std::string& prefix, const Command& command,
                const std::function<void(const std::string&, const Command&)>& visit) {
  const std::string name = prefix + std::string(command.name);
  visit(name, command);
  for (const Command& inner : command.commands) each_below(name + " ", inner, visit);
}

int run_completions(Context& context, const Arguments& arguments) {
  const std::string shell = *arguments.text("SHELL");
  const Command& root = root_command();
  context.output().text(shell == "bash"  ? bash_completions(root)
                        : shell == "zsh" ? zsh_completions(root)
                                         : fish_completions(root));
  return 0;
}

}  // namespace

void each_command(const Command& root, const std::function<void(const std::string&, const Command&)>& visit) {
  each_below("", root, visit);
}

std::vector<std::string> command_names(const Command& root) {
  std::vector<std::string> names;
  each_command(root, [&](const std::string& name, const Command& command) {
    if (&command != &root) names.push_back(name);
  });
  return names;
}

std::vector<Argument> options_with_values(const Command& root) {
  std::vector<Argument> options;
  const auto take = [&](const Argument& option) {
    const bool known = std::any_of(options.begin(), options.end(),
                                   [&](const Argument& other) { return other.name == option.name; });
    if (option.type != ArgumentType::none && !known) options.push_back(option);
  };
  for (const Argument& option : global_options()) take(option);
  each_command(root, [&](const std::string&, const Command& command) {
    for (const Argument& option : command.options) take(option);
  });
  return options;
}

namespace {

bool means_the_same(const Argument& one, const Argument& other) {
  return one.type == other.type && one.choices == other.choices;
}

}  // namespace

std::vector<ValueCase> value_cases(const Command& root) {
  std::vector<std::pair<std::string, Argument>> uses;
  for (const Argument& option : global_options()) uses.emplace_back("", option);
  each_command(root, [&](const std::string& name, const Command& command) {
    for (const Argument& option : command.options) uses.emplace_back(name, option);
  });
  std::vector<ValueCase> cases;
  for (const auto& [command, option] : uses) {
    const bool is_ambiguous = std::ranges::any_of(uses, [&option = option](const auto& use) {
      return use.second.name == option.name && !means_the_same(use.second, option);
    });
    const std::string pattern = is_ambiguous ? shell_quoted(fmt::format("{}:{}", command, option.name))
                                             : fmt::format("*:{}", option.name);
    const bool is_known = std::ranges::find(cases, pattern, &ValueCase::pattern) != cases.end();
    if (option.type != ArgumentType::none && !is_known) cases.push_back({pattern, option});
  }
  return cases;
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

std::string quoted_list(const std::vector<std::string>& texts, std::string_view separator) {
  std::string list;
  for (const std::string& text : texts) {
    if (!list.empty()) list += separator;
    list += shell_quoted(text);
  }
  return list;
}

Command completions_command() {
  return {.name = "completions",
          .summary = "write the completion script for a shell",
          .description =
              "bash: source <(nerve-db completions bash)\n"
              "zsh:  source <(nerve-db completions zsh)\n"
              "fish: nerve-db completions fish | source",
          .operands = {{.name = "SHELL",
                        .type = ArgumentType::choice,
                        .description = "bash, zsh or fish",
                        .choices = {"bash", "zsh", "fish"},
                        .required = true}},
          .example = "nerve-db completions bash > nerve-db.bash",
          .run = &run_completions};
}

}  // namespace nerve::cli
