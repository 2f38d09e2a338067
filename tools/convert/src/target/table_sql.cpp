// SPDX-License-Identifier: Apache-2.0
#include "target/table_sql.h"

#include "nerve/backends/postgresql/session.h"

namespace nerve::convert {
namespace {

using postgresql::quote_identifier;

std::string column_names(const TablePlan& table) {
  std::string names;
  for (const ColumnPlan& column : table.columns) {
    if (column.is_loaded) names += (names.empty() ? "" : ", ") + quote_identifier(column.target);
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
  return sql + "\n)";
}

std::string copy_in_sql(const TablePlan& table, const std::string& schema, bool is_frozen) {
  return "COPY " + qualified_name(schema, table.target) + " (" + column_names(table) +
         ") FROM STDIN WITH (FORMAT binary" + (is_frozen ? ", FREEZE" : "") + ")";
}

std::string copy_out_sql(const TablePlan& table, const std::string& schema) {
  return "COPY " + qualified_name(schema, table.target) + " (" + column_names(table) +
         ") TO STDOUT WITH (FORMAT binary)";
}

TableQuery loaded_columns(const TablePlan& table) {
  TableQuery query{.name = table.source, .rowid = table.rowid, .columns = {}};
  for (const ColumnPlan& column : table.columns) {
    if (column.is_loaded) query.columns.push_back(column.source);
  }
  return query;
}

}  // namespace nerve::convert
