// SPDX-License-Identifier: Apache-2.0
#include "help.h"

#include "command_line.h"
#include "exit_codes.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace nerve::cli {

namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

/// A heading and two columns; a text of several lines goes on below its first one.
std::string section(std::string_view title, const Rows& rows) {
  if (rows.empty()) return {};
  std::size_t width = 0;
  for (const auto& [left, right] : rows) width = std::max(width, left.size());
  std::string text = fmt::format("\n{}:\n", title);
  for (const auto& [left, right] : rows) {
    std::string indented = right;
    const std::string line_start = "\n" + std::string(width + 4, ' ');
    for (std::size_t at = 0; (at = indented.find('\n', at)) != std::string::npos; at += line_start.size()) {
      indented.replace(at, 1, line_start);
    }
    text += fmt::format("  {:<{}}  {}\n", left, width, indented);
  }
  return text;
}

/// The name of an option or operand with its value, and with dots where it may be repeated.
std::string shown_name(const Argument& parameter) {
  return fmt::format("{}{}{}{}", parameter.name, parameter.value_name.empty() ? "" : " ",
                     parameter.value_name, parameter.repeats ? "..." : "");
}

std::string usage(const std::vector<const Command*>& path) {
  const Command& command = *path.back();
  std::string line = "Usage: " + full_name(path);
  if (!command.commands.empty()) line += command.run == nullptr ? " COMMAND" : " [COMMAND]";
  for (const Argument& operand : command.operands) {
    const std::string name = shown_name(operand);
    line += operand.required ? fmt::format(" {}", name) : fmt::format(" [{}]", name);
  }
  return line + " [OPTIONS]\n";
}

Rows rows_of(std::span<const Argument> parameters) {
  Rows rows;
  for (const Argument& parameter : parameters)
    rows.emplace_back(shown_name(parameter), parameter.description);
  return rows;
}

Rows rows_of_commands(const Command& command) {
  Rows rows;
  for (const Command& inner : command.commands) rows.emplace_back(inner.name, inner.summary);
  return rows;
}

std::string exit_codes_section() {
  Rows rows;
  for (const ExitCodeMeaning& row : exit_code_meanings()) {
    rows.emplace_back(fmt::format("{:>3}", static_cast<int>(row.code)), row.meaning);
  }
  return section("Exit codes", rows);
}

}  // namespace

std::string help_text(const std::vector<const Command*>& path) {
  const Command& command = *path.back();
  std::string text = usage(path);
  text += fmt::format("\n{}{}.\n",
                      static_cast<char>(std::toupper(static_cast<unsigned char>(command.summary[0]))),
                      command.summary.substr(1));
  if (!command.description.empty()) text += fmt::format("{}\n", command.description);
  text += section("Operands", rows_of(command.operands));
  text += section("Commands", rows_of_commands(command));
  text += section("Options", rows_of(command.options));
  text += section("Global options", rows_of(global_options()));
  if (path.size() == 1) text += exit_codes_section();
  if (!command.exit_codes.empty()) text += fmt::format("\nExit codes: {}\n", command.exit_codes);
  if (!command.example.empty()) text += fmt::format("\nExample:\n  {}\n", command.example);
  return text;
}

}  // namespace nerve::cli
