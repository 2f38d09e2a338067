// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/schema.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace nerve::sqlite {

namespace {

std::string quote(std::string_view text, char mark) {
  if (text.find('\0') != std::string_view::npos) {
    throw ValidationError("a name with a NUL cannot be part of a statement", "Rename the table or column.");
  }
  std::string quoted(1, mark);
  for (const char character : text) {
    if (character == mark) quoted += mark;
    quoted += character;
  }
  return quoted + mark;
}

TableKind kind_of(std::string_view type) noexcept {
  if (type == "view") return TableKind::view;
  if (type == "virtual") return TableKind::virtual_table;
  return type == "shadow" ? TableKind::shadow : TableKind::table;
}

Column read_column(const Row& row) {
  constexpr std::int64_t hidden = 1;
  constexpr std::int64_t generated_virtual = 2;
  constexpr std::int64_t generated_stored = 3;
  const std::int64_t nature = row.integer(4);
  Column column;
  column.name = row.text(0);
  column.declared_type = row.text(1);
  column.is_not_null = row.integer(2) != 0;
  column.primary_key_position = static_cast<int>(row.integer(3));
  column.is_hidden = nature == hidden;
  column.is_generated = nature == generated_virtual || nature == generated_stored;
  column.is_stored = nature == 0 || nature == generated_stored;
  return column;
}

/// A virtual table reads tables of its own when it is first used; where these are damaged, so is it, and not
/// the schema.
std::optional<std::string> reason_not_to_read(Session& session, Table& table) {
  const std::string sql = "SELECT * FROM " + quote_identifier(table.name);
  if (table.kind != TableKind::virtual_table) return session.prepare_error(sql);
  try {
    return session.prepare_error(sql);
  } catch (const IntegrityError& error) {
    table.is_damaged = true;
    return error.what();
  }
}

void read_columns(Session& session, Table& table) {
  if (!table.has_rows()) {
    if (auto reason = reason_not_to_read(session, table)) {
      table.unreadable = std::move(*reason);
      return;
    }
  }
  session.each(
      "SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(" + quote_text(table.name) + ")",
      [&](const Row& row) { table.columns.push_back(read_column(row)); });
}

bool is_same_name(std::string_view left, std::string_view right) {
  // Names of columns fold as SQLite folds them: ASCII only.
  return std::ranges::equal(left, right, [](unsigned char a, unsigned char b) {
    return a == b || (a < 128 && b < 128 && std::tolower(a) == std::tolower(b));
  });
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  return quote(name, '"');
}

std::string quote_text(std::string_view text) {
  return quote(text, '\'');
}

std::string_view to_string(TableKind kind) noexcept {
  switch (kind) {
    case TableKind::table:
      return "table";
    case TableKind::shadow:
      return "shadow";
    case TableKind::virtual_table:
      return "virtual";
    case TableKind::view:
      return "view";
  }
  return "table";
}

std::vector<Table> list_tables(Session& session) {
  std::vector<Table> tables;
  session.each(
      "SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main' AND name <> "
      "'sqlite_schema' "
      "ORDER BY name COLLATE BINARY",
      [&](const Row& row) {
        Table table;
        table.name = row.text(0);
        table.kind = kind_of(row.text(1));
        table.is_without_rowid = row.integer(2) != 0;
        table.is_strict = row.integer(3) != 0;
        tables.push_back(std::move(table));
      });
  for (Table& table : tables) read_columns(session, table);
  return tables;
}

std::string rowid_name(const Table& table) {
  constexpr std::array<std::string_view, 3> names = {"rowid", "_rowid_", "oid"};
  if (table.is_without_rowid) return {};
  for (const std::string_view name : names) {
    const bool is_taken = std::ranges::any_of(
        table.columns, [&](const Column& column) { return is_same_name(column.name, name); });
    if (!is_taken) return std::string(name);
  }
  return {};
}

}  // namespace nerve::sqlite
