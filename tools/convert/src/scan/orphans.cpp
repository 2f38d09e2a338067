// SPDX-License-Identifier: Apache-2.0
#include "scan/orphans.h"

#include "sql/tokens.h"

#include "nerve/backends/sqlite/schema.h"

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
  // Columns: table, rowid, parent, number of the foreign key.
  session.each(check, [&](const sqlite::Row& row) {
    Orphans& orphans = by_key[row.integer(3)];
    if (orphans.rows++ > 0) return;
    orphans.table = table;
    orphans.parent = row.text(2);
    if (!row.is_null(1)) orphans.first_rowid = row.integer(1);
  });
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

}  // namespace

std::vector<Orphans> find_orphans(sqlite::Session& session, const SourceSchema& schema) {
  std::vector<Orphans> found;
  const auto has_table = [&](const std::string& name) {
    return std::ranges::any_of(
        schema.tables, [&](const SourceTable& table) { return sql::equals_folded(table.table.name, name); });
  };
  for (const SourceTable& table : schema.tables) {
    if (table.table.kind == sqlite::TableKind::table)
      add_orphans(session, table.table.name, has_table, found);
  }
  return found;
}

}  // namespace nerve::convert
