// SPDX-License-Identifier: Apache-2.0
#include "nerve/migrations/migration.h"

#include "logical_types.h"
#include "section_reader.h"

#include "nerve/core/error.h"
#include "nerve/db/sql_script.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace nerve::migrations {

namespace {

/// The text with every line blanked that does not belong to the direction and dialect, so that lines keep
/// their numbers.
std::string select_lines(std::string_view text, Direction direction, db::Dialect dialect) {
  std::string selected;
  SectionReader reader(text, dialect);
  SectionLine line;
  while (reader.next(line)) {
    const bool is_of_dialect = line.block.empty() || line.block == db::to_string(dialect);
    if (line.kind == SectionLine::Kind::text && line.section == to_string(direction) && is_of_dialect)
      selected += line.text;
    selected += '\n';
  }
  return selected;
}

}  // namespace

std::string_view to_string(Direction direction) noexcept {
  return direction == Direction::up ? "up" : "down";
}

std::string Reference::to_string() const {
  return fmt::format(FMT_COMPILE("{}@{:04}"), module, number);
}

Reference Reference::parse(std::string_view text, std::string_view default_module) {
  const std::size_t separator = text.find_first_of("@/");
  const bool has_module = separator != std::string_view::npos;
  Reference reference{std::string(has_module ? text.substr(0, separator) : default_module), 0};
  const std::string_view digits = has_module ? text.substr(separator + 1) : text;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), reference.number);
  const bool is_number = error == std::errc() && end == digits.data() + digits.size();
  if (!is_number || reference.number < 1 || reference.number > number_max || reference.module.empty()) {
    throw ValidationError(fmt::format("\"{}\" names no migration", text),
                          "Write the module and the number, such as tenancy@0001.");
  }
  return reference;
}

std::string Migration::title() const {
  return fmt::format("{}/{:04}_{}", reference.module, reference.number, name);
}

std::vector<MigrationStatement> Migration::statements(Direction direction, db::Dialect dialect) const {
  const std::string script = expand_logical_types(select_lines(text, direction, dialect), dialect, file);
  std::vector<MigrationStatement> statements;
  try {
    for (const db::ScriptStatement& statement : db::split_script(script, dialect)) {
      statements.push_back({std::string(statement.sql), statement.line});
    }
  } catch (const ValidationError& error) {
    throw ValidationError(fmt::format("{}: {} ({})", file, error.what(), db::to_string(dialect)),
                          error.hint());
  }
  return statements;
}

}  // namespace nerve::migrations
