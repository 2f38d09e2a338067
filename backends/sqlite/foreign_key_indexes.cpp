// SPDX-License-Identifier: Apache-2.0
#include "sqlite/foreign_key_indexes.h"

#include "sqlite/index_list.h"

#include "nerve/backends/sqlite/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace nerve::sqlite {

namespace {

/// Names fold as SQLite folds them: ASCII only.
std::string folded(std::string_view name) {
  std::string text(name);
  for (char& character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 128) character = static_cast<char>(std::tolower(byte));
  }
  return text;
}

std::set<std::string> folded(const std::vector<std::string>& names, std::size_t count) {
  std::set<std::string> set;
  for (std::size_t index = 0; index < std::min(count, names.size()); ++index)
    set.insert(folded(names[index]));
  return set;
}

struct ForeignKey {
  std::string parent;
  std::vector<std::string> columns;
};

std::vector<ForeignKey> read_foreign_keys(Session& session, const std::string& table) {
  std::map<std::int64_t, ForeignKey> keys;
  session.each("SELECT id, \"table\", \"from\" FROM pragma_foreign_key_list(" + quote_text(table) +
                   ") ORDER BY id, seq",
               [&](const Row& row) {
                 ForeignKey& key = keys[row.integer(0)];
                 key.parent = row.text(1);
                 key.columns.emplace_back(row.text(2));
               });
  std::vector<ForeignKey> list;
  list.reserve(keys.size());
  for (auto& [id, key] : keys) list.push_back(std::move(key));
  return list;
}

/// Whether the column is another name of the rowid, by which SQLite finds a row without any index.
bool is_rowid(const Table& table, const std::string& name) {
  if (table.is_without_rowid) return false;
  const auto key_columns = std::ranges::count_if(
      table.columns, [](const Column& column) { return column.primary_key_position > 0; });
  return key_columns == 1 && std::ranges::any_of(table.columns, [&](const Column& column) {
           return column.primary_key_position == 1 && folded(column.name) == folded(name) &&
                  folded(column.declared_type) == "integer";
         });
}

/// What decides whether a partial index serves every search for the key is the planner itself.
bool planner_uses(Session& session, const Table& table, const ForeignKey& key, const Index& index) {
  std::vector<std::string> terms;
  for (const std::string& column : key.columns) terms.push_back(quote_identifier(column) + " = ?");
  bool is_used = false;
  session.each(fmt::format("EXPLAIN QUERY PLAN SELECT 1 FROM {} WHERE {}", quote_identifier(table.name),
                           fmt::join(terms, " AND ")),
               [&](const Row& row) {
                 is_used =
                     is_used || row.text(3).find("INDEX " + index.name + " (") != std::string_view::npos;
               });
  return is_used;
}

bool is_indexed(Session& session, const Table& table, const ForeignKey& key,
                const std::vector<Index>& indexes) {
  if (key.columns.size() == 1 && is_rowid(table, key.columns.front())) return true;
  const std::set<std::string> wanted = folded(key.columns, key.columns.size());
  return std::ranges::any_of(indexes, [&](const Index& index) {
    if (folded(index.columns, wanted.size()) != wanted) return false;
    return !index.is_partial || planner_uses(session, table, key, index);
  });
}

/// Names that no new index may have.
std::set<std::string> read_taken_names(Session& session) {
  std::set<std::string> names;
  session.each("SELECT name FROM sqlite_schema", [&](const Row& row) { names.insert(folded(row.text(0))); });
  return names;
}

std::string free_name(const UnindexedForeignKey& key, std::set<std::string>& taken) {
  const std::string base = fmt::format("{}_by_{}", key.table, fmt::join(key.columns, "_"));
  std::string name = base;
  for (int number = 2; !taken.insert(folded(name)).second; ++number)
    name = fmt::format("{}_{}", base, number);
  return name;
}

}  // namespace

std::string UnindexedForeignKey::describe() const {
  return fmt::format("{}({})", table, fmt::join(columns, ", "));
}

std::vector<UnindexedForeignKey> find_unindexed_foreign_keys(Session& session) {
  std::vector<UnindexedForeignKey> found;
  std::set<std::string> taken = read_taken_names(session);
  for (const Table& table : list_tables(session)) {
    if (table.kind != TableKind::table) continue;
    const std::vector<ForeignKey> keys = read_foreign_keys(session, table.name);
    if (keys.empty()) continue;
    const std::vector<Index> indexes = read_indexes(session, table.name);
    std::set<std::set<std::string>> told;
    for (const ForeignKey& key : keys) {
      if (is_indexed(session, table, key, indexes)) continue;
      if (!told.insert(folded(key.columns, key.columns.size())).second) continue;
      UnindexedForeignKey unindexed{
          .table = table.name, .columns = key.columns, .parent = key.parent, .statement = {}};
      std::vector<std::string> columns;
      for (const std::string& column : key.columns) columns.push_back(quote_identifier(column));
      unindexed.statement =
          fmt::format("CREATE INDEX {} ON {}({})", quote_identifier(free_name(unindexed, taken)),
                      quote_identifier(table.name), fmt::join(columns, ", "));
      found.push_back(std::move(unindexed));
    }
  }
  return found;
}

}  // namespace nerve::sqlite
