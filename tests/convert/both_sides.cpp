// SPDX-License-Identifier: Apache-2.0
#include "convert/both_sides.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>

namespace nerve::test {
namespace {

using convert::ColumnPlan;
using convert::TablePlan;

/// The types of a table's columns as the server's catalogue names them, in the order of the plan.
std::vector<std::string> target_types(postgresql::Session& target, const TablePlan& table,
                                      const std::string& schema) {
  std::map<std::string, std::string> by_name;
  const std::array<postgresql::Session::Parameter, 2> parameters{schema, table.target};
  target.each(
      "SELECT a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a JOIN pg_class c ON c.oid = "
      "a.attrelid "
      "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > "
      "0",
      parameters, [&](const postgresql::Row& row) {
        by_name.emplace(row.text(0).value_or(""), row.text(1).value_or(""));
      });
  std::vector<std::string> types;
  for (const ColumnPlan& column : table.columns) {
    const auto found = by_name.find(column.target);
    types.push_back(found == by_name.end() ? "missing" : found->second);
  }
  return types;
}

bool is_moment(const std::string& type) {
  return type.starts_with("timestamp");
}

std::string real_text(const char* text) {
  return fmt::format("{:.17g}", std::strtod(text, nullptr));
}

/// What SQLite is asked for, so that it answers as the target's type does.
std::string source_expression(const ColumnPlan& column, const std::string& type) {
  std::string name = "\"";
  for (const char c : column.source) name += c == '"' ? std::string("\"\"") : std::string(1, c);
  name += '"';
  if (type == "boolean") return "CASE " + name + " WHEN 1 THEN 't' WHEN 0 THEN 'f' ELSE " + name + " END";
  if (type == "bytea") return "CASE WHEN " + name + " IS NOT NULL THEN lower(hex(" + name + ")) END";
  if (type == "date") return "strftime('%Y-%m-%d', " + name + ")";
  if (is_moment(type)) {
    const std::string moment = column.type.time == convert::TimeForm::epoch_seconds ? name + ", 'unixepoch'"
                               : column.type.time == convert::TimeForm::epoch_milliseconds
                                   ? name + " / 1000.0, 'unixepoch'"
                                   : name;
    return "strftime('%Y-%m-%d %H:%M:%f', " + moment + ")";
  }
  return name;
}

std::string target_expression(const ColumnPlan& column, const std::string& type) {
  const std::string name = postgresql::quote_identifier(column.target);
  if (type == "bytea") return "encode(" + name + ", 'hex')";
  if (is_moment(type)) return "to_char(" + name + ", 'YYYY-MM-DD HH24:MI:SS.MS')";
  return name + "::text";
}

/// One value of a row: its length keeps neighbours apart.
void append(std::string& row, const std::string& type, const char* text, std::size_t size) {
  if (text == nullptr) {
    row += "|null";
    return;
  }
  const bool is_real = type == "double precision" || type == "numeric";
  const std::string value = is_real ? real_text(std::string(text, size).c_str()) : std::string(text, size);
  row += fmt::format("|{}:{}", value.size(), value);
}

struct Closer {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

std::string joined(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// A real in the fewest digits that give it back, where sqlite3_column_text() would cut to 15.
std::string value_text(sqlite3_stmt* statement, int column) {
  if (sqlite3_column_type(statement, column) == SQLITE_FLOAT) {
    std::string text = fmt::format("{}", sqlite3_column_double(statement, column));
    return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
  }
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
}

}  // namespace

std::vector<std::string> source_rows(const std::filesystem::path& source, const TablePlan& table,
                                     const std::string& target_url, const std::string& schema) {
  postgresql::Session target(target_url);
  const std::vector<std::string> types = target_types(target, table, schema);
  std::vector<std::string> expressions;
  for (std::size_t i = 0; i < types.size(); ++i)
    expressions.push_back(source_expression(table.columns[i], types[i]));
  std::string quoted;
  for (const char c : table.source) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  sqlite3* opened = nullptr;
  sqlite3_open_v2(("file:" + source.string() + "?immutable=1").c_str(), &opened,
                  SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr);
  const std::unique_ptr<sqlite3, Closer> database(opened);
  sqlite3_stmt* prepared = nullptr;
  const std::string sql = "SELECT " + joined(expressions) + " FROM \"" + quoted + '"';
  if (sqlite3_prepare_v2(opened, sql.c_str(), -1, &prepared, nullptr) != SQLITE_OK)
    throw std::runtime_error(sqlite3_errmsg(opened));
  const std::unique_ptr<sqlite3_stmt, Closer> statement(prepared);
  std::vector<std::string> rows;
  while (sqlite3_step(prepared) == SQLITE_ROW) {
    std::string& row = rows.emplace_back();
    for (std::size_t i = 0; i < types.size(); ++i) {
      const int column = static_cast<int>(i);
      if (sqlite3_column_type(prepared, column) == SQLITE_NULL) {
        append(row, types[i], nullptr, 0);
      } else {
        const std::string text = value_text(prepared, column);
        append(row, types[i], text.data(), text.size());
      }
    }
  }
  std::ranges::sort(rows);
  return rows;
}

std::vector<std::string> target_rows(const TablePlan& table, const std::string& target_url,
                                     const std::string& schema) {
  postgresql::Session target(target_url);
  return target_rows(table, target, schema);
}

std::vector<std::string> target_rows(const TablePlan& table, postgresql::Session& target,
                                     const std::string& schema) {
  const std::vector<std::string> types = target_types(target, table, schema);
  std::vector<std::string> expressions;
  for (std::size_t i = 0; i < types.size(); ++i)
    expressions.push_back(target_expression(table.columns[i], types[i]));
  std::vector<std::string> rows;
  target.each("SELECT " + joined(expressions) + " FROM " + postgresql::quote_identifier(schema) + "." +
                  postgresql::quote_identifier(table.target),
              {}, [&](const postgresql::Row& found) {
                std::string& row = rows.emplace_back();
                for (std::size_t i = 0; i < types.size(); ++i) {
                  const auto text = found.text(static_cast<int>(i));
                  append(row, types[i], text ? text->data() : nullptr, text ? text->size() : 0);
                }
              });
  std::ranges::sort(rows);
  return rows;
}

std::string first_difference(const std::vector<std::string>& left, const std::vector<std::string>& right) {
  constexpr std::size_t shown = 300;
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    const std::string one = i < left.size() ? left[i] : "nothing";
    const std::string other = i < right.size() ? right[i] : "nothing";
    if (one != other) return fmt::format("{}\n{}", one.substr(0, shown), other.substr(0, shown));
  }
  return {};
}

}  // namespace nerve::test
