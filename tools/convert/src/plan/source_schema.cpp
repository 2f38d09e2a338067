// SPDX-License-Identifier: Apache-2.0
#include "plan/source_schema.h"

#include "plan/rowid_user.h"
#include "sql/tokens.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace nerve::convert {
namespace {

/// What SQLite keeps for itself: sequences, statistics.
bool is_internal(const std::string& name) {
  return name.starts_with("sqlite_");
}

std::vector<SchemaEntry> read_entries(sqlite::Session& session) {
  std::vector<SchemaEntry> entries;
  session.each("SELECT type, name, tbl_name, coalesce(sql, '') FROM main.sqlite_schema ORDER BY rowid",
               [&](const sqlite::Row& row) {
                 entries.push_back({std::string(row.text(0)), std::string(row.text(1)),
                                    std::string(row.text(2)), std::string(row.text(3))});
               });
  return entries;
}

std::map<std::string, std::int64_t> read_sequences(sqlite::Session& session) {
  std::map<std::string, std::int64_t> sequences;
  // Its columns have no types, and anybody may write into it.
  session.each(
      "SELECT name, seq FROM main.sqlite_sequence WHERE typeof(name) = 'text' AND typeof(seq) = 'integer'",
      [&](const sqlite::Row& row) { sequences[std::string(row.text(0))] = row.integer(1); });
  return sequences;
}

std::int64_t read_number(sqlite::Session& session, const std::string& pragma) {
  std::int64_t number = 0;
  session.each(pragma, [&](const sqlite::Row& row) { number = row.integer(0); });
  return number;
}

/// Why a virtual table cannot be read, such as one of FTS whose content is gone; empty where it can.
std::string reading_error(sqlite::Session& session, const std::string& table) {
  try {
    session.each("SELECT * FROM main." + sqlite::quote_identifier(table) + " LIMIT 1",
                 [](const sqlite::Row&) {});
    return {};
  } catch (const CancelledError&) {
    throw;
  } catch (const Error&) {
    return "SQLite cannot read its rows";
  }
}

SourceTable describe(sqlite::Table table, const std::vector<SchemaEntry>& entries) {
  SourceTable source;
  const auto entry = std::ranges::find_if(
      entries, [&](const SchemaEntry& one) { return one.type == "table" && one.name == table.name; });
  if (entry != entries.end()) source.sql = entry->sql;
  source.query = {.name = table.name, .rowid = sqlite::rowid_name(table), .columns = {}};
  std::erase_if(table.columns, [](const sqlite::Column& column) { return column.is_hidden; });
  if (table.kind == sqlite::TableKind::virtual_table) {
    source.module = module_of(source.sql);
    const bool has_rowid = source.is_text_search() && !source.query.rowid.empty();
    if (has_rowid || source.module.starts_with("rtree")) source.key_of_module = 0;
    if (has_rowid) {
      source.kept_rowid = 0;
      table.columns.insert(table.columns.begin(),
                           {.name = source.query.rowid, .declared_type = "INTEGER", .is_not_null = true});
    }
    // It has rowids, but reads them by no range.
    source.query.rowid.clear();
  }
  for (const sqlite::Column& column : table.columns) {
    source.query.columns.push_back(column.name);
    source.declared.push_back(read_declaration(column.declared_type));
    source.interests.push_back(interest_in(source.declared.back(), std::nullopt));
  }
  source.rules.resize(table.columns.size());
  source.table = std::move(table);
  return source;
}

/// Where something names the implicit rowids of a table, they become a column, the last one.
void keep_named_rowids(SourceTable& source, const std::vector<SchemaEntry>& entries) {
  if (source.query.rowid.empty()) return;
  source.rowid_user = find_rowid_user(source, entries);
  if (source.rowid_user.empty()) return;
  source.kept_rowid = source.table.columns.size();
  source.table.columns.push_back(
      {.name = source.query.rowid, .declared_type = "INTEGER", .is_not_null = true});
  source.query.columns.push_back(source.query.rowid);
  source.declared.push_back(read_declaration("INTEGER"));
  source.interests.push_back(interest_in(source.declared.back(), std::nullopt));
  source.rules.emplace_back();
}

}  // namespace

void SourceTable::erase_column(std::size_t place) {
  const auto at = static_cast<std::ptrdiff_t>(place);
  table.columns.erase(table.columns.begin() + at);
  query.columns.erase(query.columns.begin() + at);
  declared.erase(declared.begin() + at);
  interests.erase(interests.begin() + at);
  rules.erase(rules.begin() + at);
  if (key_of_module == place) key_of_module.reset();
  if (key_of_module && *key_of_module > place) --*key_of_module;
  if (kept_rowid == place) kept_rowid.reset();
  if (kept_rowid && *kept_rowid > place) --*kept_rowid;
}

bool SourceTable::is_contentless() const {
  if (!is_text_search()) return false;
  std::string definition;
  std::ranges::copy_if(sql, std::back_inserter(definition), [](char c) { return c > ' '; });
  definition = sql::folded(definition);
  return definition.find("content=''") != std::string::npos ||
         definition.find("content=\"\"") != std::string::npos;
}

SourceSchema read_source_schema(sqlite::Session& session) {
  SourceSchema schema;
  schema.entries = read_entries(session);
  schema.user_version = read_number(session, "PRAGMA main.user_version");
  schema.application_id = read_number(session, "PRAGMA main.application_id");
  for (sqlite::Table& table : sqlite::list_tables(session)) {
    if (table.name == "sqlite_sequence") schema.sequences = read_sequences(session);
    if (is_internal(table.name) || table.kind == sqlite::TableKind::view) continue;
    if (!is_valid_utf8(table.name)) table.unreadable = "its name is not UTF-8";
    if (table.kind == sqlite::TableKind::virtual_table && table.unreadable.empty())
      table.unreadable = reading_error(session, table.name);
    if (table.kind == sqlite::TableKind::shadow || !table.unreadable.empty() || table.columns.empty()) {
      schema.left_out.push_back(std::move(table));
      continue;
    }
    schema.tables.push_back(describe(std::move(table), schema.entries));
    keep_named_rowids(schema.tables.back(), schema.entries);
  }
  return schema;
}

}  // namespace nerve::convert
