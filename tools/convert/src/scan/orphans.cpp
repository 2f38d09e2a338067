// SPDX-License-Identifier: Apache-2.0
#include "scan/orphans.h"

#include "plan/table_definition.h"
#include "sql/create_table.h"
#include "sql/tokens.h"

#include "nerve/backends/sqlite/schema.h"
#include "nerve/core/error.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace nerve::convert {
namespace {

/// Adds the foreign keys of one table that have orphans.
void add_orphans(sqlite::Session& session, const std::string& table,
                 const std::function<bool(const std::string&)>& has_table, std::vector<Orphans>& found) {
  const std::string name = "(" + sqlite::quote_identifier(table) + ")";
  const std::string check = "PRAGMA main.foreign_key_check" + name;
  if (session.prepare_error(check)) return;
  std::map<std::int64_t, Orphans> by_key;
  try {
    // Columns: table, rowid, parent, number of the foreign key.
    session.each(check, [&](const sqlite::Row& row) {
      Orphans& orphans = by_key[row.integer(3)];
      if (orphans.rows++ > 0) return;
      orphans.table = table;
      orphans.parent = row.text(2);
      if (!row.is_null(1)) orphans.first_rowid = row.integer(1);
    });
  } catch (const DatabaseError& error) {
    // A column of a key has no value for one of the rows, and was left out.
    if (!error.code().starts_with("SQLITE_ERROR")) throw;
    return;
  }
  if (by_key.empty()) return;
  // Columns: number, place, parent, column.
  session.each("PRAGMA main.foreign_key_list" + name, [&](const sqlite::Row& row) {
    const auto orphans = by_key.find(row.integer(0));
    if (orphans != by_key.end()) orphans->second.columns.emplace_back(row.text(3));
  });
  for (auto& [number, orphans] : by_key) {
    if (has_table(orphans.parent)) found.push_back(std::move(orphans));
  }
}

/// Whether a column is compared by a collation that only the application has. A stand-in finds no keys by it.
bool has_unknown_collation(const SourceTable& table) {
  try {
    const sql::CreateTable definition = sql::parse_create_table(table.sql);
    return std::ranges::any_of(definition.columns, [](const sql::ColumnDefinition& column) {
      const auto* rule = sql::find_rule<sql::ColumnCollation>(column);
      return rule != nullptr && read_collation(rule->collation.text) == sql::Collation::unknown;
    });
  } catch (const ValidationError&) {
    return false;
  }
}

}  // namespace

std::vector<Orphans> find_orphans(sqlite::Session& session, const SourceSchema& schema) {
  std::vector<Orphans> found;
  const auto has_table = [&](const std::string& name) {
    return std::ranges::any_of(schema.tables, [&](const SourceTable& table) {
      return sql::equals_folded(table.table.name, name) && !has_unknown_collation(table);
    });
  };
  for (const SourceTable& table : schema.tables) {
    if (table.table.kind == sqlite::TableKind::table)
      add_orphans(session, table.table.name, has_table, found);
  }
  return found;
}

}  // namespace nerve::convert
