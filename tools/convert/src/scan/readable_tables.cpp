// SPDX-License-Identifier: Apache-2.0
#include "scan/readable_tables.h"

#include "scan/source_scan.h"
#include "sql/create_table.h"
#include "sql/tokens.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numeric>
#include <string>
#include <utility>

namespace nerve::convert {
namespace {

/// The expression of a generated column as it is written; empty where the definition cannot be read.
std::string expression_of(const SourceTable& table, const std::string& column) {
  try {
    for (const sql::ColumnDefinition& one : sql::parse_create_table(table.sql).columns) {
      const auto* generated = sql::find_rule<sql::Generated>(one);
      if (generated != nullptr && sql::equals_folded(one.name.text, column)) return generated->text;
    }
  } catch (const ValidationError&) {
    // The planner tells of the definition.
  }
  return {};
}

/// Returns whether there were columns that are computed when they are read.
bool leave_out_computed(SourceTable& table, const std::string& reason, std::vector<Untranslated>& told) {
  bool is_any = false;
  for (std::size_t place = 0; place < table.table.columns.size();) {
    const sqlite::Column& column = table.table.columns[place];
    if (!column.is_generated || column.is_stored) {
      ++place;
      continue;
    }
    told.push_back({std::string(unreadable_column), column.name, table.table.name,
                    fmt::format("SQLite cannot compute the columns of the table: {}", reason),
                    expression_of(table, column.name)});
    table.erase_column(place);
    is_any = true;
  }
  return is_any;
}

}  // namespace

std::vector<TableProfile> scan_readable(SourceSnapshot& snapshot, SourceSchema& schema,
                                        const ScanOptions& options, ProgressSink* progress) {
  std::vector<TableProfile> profiles(schema.tables.size());
  std::vector<std::size_t> tables(schema.tables.size());
  std::iota(tables.begin(), tables.end(), 0);
  std::vector<std::size_t> lost;
  while (!tables.empty()) {
    const auto unread = scan_tables(snapshot, schema, tables, options, profiles, progress);
    tables.clear();
    for (const UnreadTable& one : unread) {
      SourceTable& table = schema.tables[one.table];
      if (leave_out_computed(table, one.reason, schema.skipped)) {
        tables.push_back(one.table);
      } else {
        table.table.unreadable = "SQLite cannot read it: " + one.reason;
        lost.push_back(one.table);
      }
    }
  }
  std::ranges::sort(lost, std::greater());
  for (const std::size_t place : lost) {
    const auto at = static_cast<std::ptrdiff_t>(place);
    schema.left_out.push_back(std::move(schema.tables[place].table));
    schema.tables.erase(schema.tables.begin() + at);
    profiles.erase(profiles.begin() + at);
  }
  return profiles;
}

}  // namespace nerve::convert
