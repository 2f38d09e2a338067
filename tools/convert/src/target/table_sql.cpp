// SPDX-License-Identifier: Apache-2.0
#include "target/table_sql.h"

#include "nerve/backends/postgresql/session.h"

#include <fmt/format.h>

#include <algorithm>

namespace nerve::convert {
namespace {

using postgresql::quote_identifier;

enum class Which : std::uint8_t { all, loaded };

std::string column_names(const TablePlan& table, Which which) {
  std::string names;
  for (const ColumnPlan& column : table.columns) {
    if (column.is_loaded || which == Which::all)
      names += (names.empty() ? "" : ", ") + quote_identifier(column.target);
  }
  return names;
}

}  // namespace

std::string qualified_name(const std::string& schema, const std::string& name) {
  return quote_identifier(schema) + "." + quote_identifier(name);
}

std::string create_table_sql(const TablePlan& table, const std::string& schema) {
  std::string sql = "CREATE TABLE " + qualified_name(schema, table.target) + " (";
  std::string_view separator = "\n  ";
  for (const ColumnPlan& column : table.columns) {
    sql += separator;
    sql += quote_identifier(column.target) + " " + column.definition;
    separator = ",\n  ";
  }
  return sql + "\n) WITH (autovacuum_enabled = false)";
}

std::string vacuum_by_itself_sql(const TablePlan& table, const std::string& schema) {
  return "ALTER TABLE " + qualified_name(schema, table.target) + " RESET (autovacuum_enabled)";
}

std::string copy_in_sql(const TablePlan& table, const std::string& schema, bool is_frozen) {
  return "COPY " + qualified_name(schema, table.target) + " (" + column_names(table, Which::loaded) +
         ") FROM STDIN WITH (FORMAT binary" + (is_frozen ? ", FREEZE" : "") + ")";
}

std::string copy_out_sql(const TablePlan& table, const std::string& schema, const BlockRange& blocks) {
  const std::string name = qualified_name(schema, table.target);
  const bool has_computed =
      std::ranges::any_of(table.columns, [](const ColumnPlan& one) { return !one.is_loaded; });
  // COPY of a table takes no computed columns, and is faster than COPY of a query.
  const std::string names = column_names(table, Which::all);
  std::string what = name + " (" + names + ")";
  if (has_computed || !blocks.is_whole()) {
    what = "(SELECT " + names + " FROM " + name;
    if (!blocks.is_whole()) what += fmt::format(" WHERE ctid >= '({},0)'", blocks.first);
    if (blocks.end) what += fmt::format(" AND ctid < '({},0)'", *blocks.end);
    what += ")";
  }
  return "COPY " + what + " TO STDOUT WITH (FORMAT binary)";
}

TableQuery source_query(const TablePlan& table) {
  TableQuery query{.name = table.source, .rowid = table.rowid, .columns = {}};
  for (const ColumnPlan& column : table.columns) query.columns.push_back(column.source);
  return query;
}

}  // namespace nerve::convert
