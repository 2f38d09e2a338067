// SPDX-License-Identifier: Apache-2.0
#include "plan/rowid_user.h"

#include "plan/table_definition.h"
#include "sql/create_virtual_table.h"
#include "sql/tokens.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace nerve::convert {
namespace {

/// Whether a name means the rowid of a table, and no column of it.
bool is_implicit_rowid(const SourceTable& table, std::string_view name) {
  constexpr std::array<std::string_view, 3> names = {"rowid", "_rowid_", "oid"};
  const auto is_name = [&](std::string_view one) { return sql::equals_folded(one, name); };
  return std::ranges::any_of(names, is_name) &&
         std::ranges::none_of(table.table.columns,
                              [&](const sqlite::Column& column) { return is_name(column.name); });
}

bool has_rowid_column(const SourceTable& table) {
  const TableProfile unread;
  std::vector<Untranslated> told_elsewhere;
  return define_table(table, unread, told_elsewhere).rowid_column.has_value();
}

/// Whether a virtual table reads its texts from rows of this table by their rowids.
bool reads_texts(const SchemaEntry& entry, const SourceTable& table) {
  const std::string module = module_of(entry.sql);
  if (module != "fts4" && module != "fts5") return false;
  if (!sql::equals_folded(sql::parse_module_option(entry.sql, "content"), table.table.name)) return false;
  const std::string key = sql::parse_module_option(entry.sql, "content_rowid");
  return is_implicit_rowid(table, key.empty() ? "rowid" : key);
}

/// Whether a rowid at this place may be one of this table: `new.rowid` is of the table of its trigger. Other
/// qualifiers may be aliases.
bool may_be_of(const std::vector<sql::Token>& tokens, std::size_t place, const SchemaEntry& entry,
               const SourceTable& table) {
  const bool is_qualified = place >= 2 && tokens[place - 1].is_symbol(".");
  const bool is_of_trigger = is_qualified && (tokens[place - 2].is("new") || tokens[place - 2].is("old"));
  return !is_of_trigger || sql::equals_folded(entry.table, table.table.name);
}

/// The place of the table that a statement writes, whose verb ends at this token; absent for another token.
std::optional<std::size_t> written_table(const std::vector<sql::Token>& tokens, std::size_t place) {
  const bool is_deletion = place > 0 && tokens[place].is("from") && tokens[place - 1].is("delete");
  if (tokens[place].is("into") || is_deletion) return place + 1;
  // Of an upsert it is the table that INSERT named.
  if (!tokens[place].is("update") || tokens[place + 1].is("set")) return std::nullopt;
  return place + (tokens[place + 1].is("or") ? 3 : 1);
}

/// Whether a trigger writes to another table than its own. One that finds the very row it runs for again, as
/// those do that set a time of change, stores its rowid nowhere.
bool writes_elsewhere(const std::vector<sql::Token>& tokens, const SchemaEntry& entry) {
  bool is_in_body = false;
  for (std::size_t place = 0; place + 1 < tokens.size(); ++place) {
    is_in_body = is_in_body || tokens[place].is("begin");
    const auto table = is_in_body ? written_table(tokens, place) : std::nullopt;
    if (table && *table < tokens.size() && !sql::equals_folded(sql::unquoted(tokens[*table]), entry.table))
      return true;
  }
  return false;
}

/// Whether a view or a trigger names this table and a rowid. That it may be another table's costs a column.
bool speaks_of_rowids(const SchemaEntry& entry, const SourceTable& table) {
  bool is_table_named = false;
  bool is_rowid_named = false;
  const std::vector<sql::Token> tokens = sql::tokenize(entry.sql);
  if (entry.type == "trigger" && !writes_elsewhere(tokens, entry)) return false;
  for (std::size_t place = 0; place < tokens.size(); ++place) {
    const std::string name = sql::unquoted(tokens[place]);
    is_table_named = is_table_named || sql::equals_folded(name, table.table.name);
    if (is_implicit_rowid(table, name))
      is_rowid_named = is_rowid_named || may_be_of(tokens, place, entry, table);
  }
  return is_table_named && is_rowid_named;
}

bool needs_rowids(const SchemaEntry& entry, const SourceTable& table) {
  try {
    if (entry.type == "view" || entry.type == "trigger") return speaks_of_rowids(entry, table);
    return entry.type == "table" && reads_texts(entry, table);
  } catch (const ValidationError&) {
    // What cannot be read is told where it is planned.
    return false;
  }
}

}  // namespace

std::string module_of(const std::string& definition) {
  try {
    return sql::parse_virtual_table_module(definition);
  } catch (const ValidationError&) {
    return {};
  }
}

std::string find_rowid_user(const SourceTable& table, const std::vector<SchemaEntry>& entries) {
  const auto user =
      std::ranges::find_if(entries, [&](const SchemaEntry& entry) { return needs_rowids(entry, table); });
  return user == entries.end() || has_rowid_column(table) ? "" : user->name;
}

}  // namespace nerve::convert
