// SPDX-License-Identifier: Apache-2.0
#include "table_rebuild.h"

#include "nerve/core/error.h"
#include "nerve/db/identifier.h"
#include "nerve/db/sql_scanner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

namespace nerve::migrations {

namespace {

constexpr std::string_view referring_tables =
    "SELECT DISTINCT child.name FROM sqlite_schema AS child, pragma_foreign_key_list(child.name) AS key "
    "WHERE "
    "child.type = 'table' AND lower(key.\"table\") = lower(:parent) AND lower(child.name) <> lower(:parent) "
    "ORDER BY child.name";

std::vector<std::string> names(db::Transaction& transaction, std::string_view sql,
                               db::Parameters parameters) {
  std::vector<std::string> found;
  transaction.each<std::string>(sql, parameters, [&](std::string name) { found.push_back(std::move(name)); });
  return found;
}

std::optional<std::string> stored_name(db::Transaction& transaction, const std::string& table) {
  return transaction.maybe<std::string>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower(:name)",
      {{"name", table}});
}

std::int64_t row_count(db::Transaction& transaction, const std::string& table) {
  return transaction.one<std::int64_t>("SELECT count(*) FROM " + db::quote_name(table));
}

std::string to_lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::set<std::string> mentioned_names(const Migration& migration, Direction direction) {
  std::set<std::string> mentioned;
  for (const MigrationStatement& statement : migration.statements(direction, db::Dialect::sqlite)) {
    db::SqlScanner scanner(statement.sql, db::Dialect::sqlite);
    for (auto token = scanner.next(); token.kind != db::SqlTokenKind::end; token = scanner.next()) {
      mentioned.insert(to_lower(token.name()));
    }
  }
  return mentioned;
}

}  // namespace

TableRebuild::TableRebuild(db::Transaction& transaction, const Migration& migration, Direction direction)
    : transaction_(transaction), migration_(migration), mentioned_(mentioned_names(migration, direction)) {
  for (const std::string& table : migration.rebuilt_tables) {
    const auto name = stored_name(transaction, table);
    if (!name) {
      throw NotFoundError(
          fmt::format("{}: the table {} that it rebuilds is not there", migration.file, table),
          "Correct the header `rebuild`.");
    }
    note_family(*name);
    note_attached(*name);
  }
  rows_ = count_rows();
  orphans_ = count_orphans();
  views_ = readable_views();
}

void TableRebuild::note_family(const std::string& table) {
  if (!family_.insert(table).second) return;
  for (const std::string& child : names(transaction_, referring_tables, {{"parent", table}}))
    note_family(child);
}

void TableRebuild::note_attached(const std::string& table) {
  transaction_.each<std::string, std::string, std::string, std::string>(
      "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT "
      "NULL "
      "AND tbl_name = :table ORDER BY type, name",
      {{"table", table}}, [&](std::string type, std::string name, std::string of, std::string sql) {
        attached_.push_back({std::move(type), std::move(name), std::move(of), std::move(sql)});
      });
  const bool has_sequences =
      transaction_.one<bool>("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence')");
  if (!has_sequences) return;
  const auto last = transaction_.maybe<std::int64_t>("SELECT seq FROM sqlite_sequence WHERE name = :table",
                                                     {{"table", table}});
  if (last) sequences_[table] = *last;
}

std::map<std::string, std::int64_t> TableRebuild::count_rows() {
  std::map<std::string, std::int64_t> counts;
  for (const std::string& table : family_) {
    if (stored_name(transaction_, table)) counts[table] = row_count(transaction_, table);
  }
  return counts;
}

std::map<std::string, std::int64_t> TableRebuild::count_orphans() {
  std::map<std::string, std::int64_t> counts;
  for (const std::string& table : family_) {
    const auto count = [&] {
      counts[table] = transaction_.one<std::int64_t>("SELECT count(*) FROM pragma_foreign_key_check(:table)",
                                                     {{"table", table}});
    };
    try {
      transaction_.savepoint(count);
    } catch (const DatabaseError&) {
      counts[table] = -1;  // its keys fit no unique index of the parent
    }
  }
  return counts;
}

std::set<std::string> TableRebuild::readable_views() {
  std::set<std::string> readable;
  for (const std::string& view :
       names(transaction_, "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name", {})) {
    try {
      transaction_.savepoint([&] {
        transaction_.maybe<int>("SELECT 1 FROM (SELECT * FROM " + db::quote_name(view) + " LIMIT 0) LIMIT 1");
      });
      readable.insert(view);
    } catch (const DatabaseError&) {
      continue;  // it does not fit the schema
    }
  }
  return readable;
}

void TableRebuild::finish() {
  for (const std::string& table : migration_.rebuilt_tables) {
    if (stored_name(transaction_, table)) continue;
    throw IntegrityError(
        fmt::format("{}: the table {} is not there after its rebuild", migration_.file, table),
        "Rename the new table to the old name, or drop a table without the header `rebuild`.");
  }
  put_back();
  compare_rows();
  compare_orphans();
  compare_views();
}

void TableRebuild::put_back() {
  for (const Attached& object : attached_) {
    const bool is_there = transaction_.one<bool>(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = :type AND name = :name)",
        {{"type", object.type}, {"name", object.name}});
    if (is_there || mentioned_.contains(to_lower(object.name))) continue;
    try {
      transaction_.savepoint([&] { transaction_.execute_script(object.sql); });
    } catch (const DatabaseError& error) {
      throw IntegrityError(
          fmt::format("{}: the {} {} of {} does not fit the rebuilt table: {}", migration_.file, object.type,
                      object.name, object.table, error.what()),
          fmt::format("Make it anew in the migration, or say there that it goes: DROP {} {};",
                      object.type == "index" ? "INDEX" : "TRIGGER", db::quote_name(object.name)));
    }
  }
  for (const auto& [table, last] : sequences_) {
    transaction_.execute("UPDATE sqlite_sequence SET seq = max(seq, :last) WHERE name = :table",
                         {{"last", last}, {"table", table}});
    transaction_.execute(
        "INSERT INTO sqlite_sequence (name, seq) SELECT :table, :last WHERE NOT EXISTS (SELECT 1 FROM "
        "sqlite_sequence "
        "WHERE name = :table)",
        {{"last", last}, {"table", table}});
  }
}

void TableRebuild::compare_rows() {
  const auto now = count_rows();
  for (const auto& [table, before] : rows_) {
    const auto found = now.find(table);
    const std::int64_t after = found == now.end() ? 0 : found->second;
    const bool is_rebuilt = std::ranges::any_of(migration_.rebuilt_tables, [&](const std::string& rebuilt) {
      return to_lower(rebuilt) == to_lower(table);
    });
    if (after == before || (is_rebuilt && !migration_.row_change.empty())) continue;
    throw IntegrityError(
        fmt::format("{}: the rebuild would leave {} rows of {} in {}", migration_.file, after, before, table),
        is_rebuilt ? "Copy all rows into the new table; where some are to go, say why in the header "
                     "`changes-row-count`."
                   : "Change rows of other tables in a migration of their own.");
  }
}

void TableRebuild::compare_orphans() {
  for (const auto& [table, after] : count_orphans()) {
    const auto found = orphans_.find(table);
    const std::int64_t before = found == orphans_.end() ? 0 : found->second;
    if (after == before || (after >= 0 && after < before)) continue;
    if (after < 0) {
      throw IntegrityError(fmt::format("{}: the foreign keys of {} fit no unique index of the rebuilt table",
                                       migration_.file, table),
                           "Keep the primary key or the UNIQUE constraint that they refer to.");
    }
    throw IntegrityError(fmt::format("{}: the rebuild would leave {} rows of {} without a parent",
                                     migration_.file, after - before, table),
                         "Keep the keys of the rows that others refer to.");
  }
}

void TableRebuild::compare_views() {
  const std::set<std::string> now = readable_views();
  for (const std::string& view : views_) {
    if (now.contains(view) || mentioned_.contains(to_lower(view))) continue;
    throw IntegrityError(
        fmt::format("{}: the view {} cannot be read after the rebuild", migration_.file, view),
        "Drop it at the beginning of the migration and make it anew, as it should be, at the end.");
  }
}

void require_no_child_rows(db::Transaction& transaction, std::string_view statement) {
  if (transaction.dialect() != db::Dialect::sqlite) return;
  db::SqlScanner scanner(statement, db::Dialect::sqlite);
  if (!scanner.next().is("drop") || !scanner.next().is("table")) return;
  db::SqlToken name = scanner.next();
  if (name.is("if")) {
    scanner.next();
    name = scanner.next();
  }
  const std::string table = name.name();
  const auto stored = stored_name(transaction, table);
  if (!stored) return;
  for (const std::string& child : names(transaction, referring_tables, {{"parent", *stored}})) {
    if (row_count(transaction, child) == 0) continue;
    throw DatabaseError(
        ErrorKind::conflict,
        fmt::format("DROP TABLE {}: rows of {} refer to it and would be deleted or orphaned", *stored, child),
        {}, "SQLITE_CONSTRAINT_FOREIGNKEY");
  }
}

}  // namespace nerve::migrations
