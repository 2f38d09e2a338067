// SPDX-License-Identifier: Apache-2.0
#include "catalogue/create_table.h"
#include "catalogue/read_catalogue.h"
#include "catalogue/sqlite_table.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <map>

namespace nerve::migrations {

namespace {

// Names that begin with sqlite_ are SQLite's own.
constexpr std::string_view objects_sql =
    "SELECT rowid, type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema "
    "WHERE lower(substr(name, 1, 7)) <> 'sqlite_' ORDER BY rowid";

// Not joined to the other: it would be made anew for each row.
constexpr std::string_view tables_sql =
    "SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main'";

constexpr std::string_view columns_sql =
    "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(:name) ORDER BY cid";

ObjectKind kind_of(std::string_view type) {
  if (type == "index") return ObjectKind::index;
  if (type == "view") return ObjectKind::view;
  return type == "trigger" ? ObjectKind::trigger : ObjectKind::table;
}

std::vector<Column> read_columns(db::Transaction& transaction, const std::string& name) {
  constexpr int hidden_of_virtual_table = 1;
  constexpr int generated_stored = 3;
  std::vector<Column> columns;
  transaction.each<std::string, std::string, bool, std::optional<std::string>, int, int>(
      columns_sql, {{"name", name}},
      [&](std::string column_name, std::string type, bool is_not_null, std::optional<std::string> value,
          int key, int nature) {
        Column column;
        column.name = std::move(column_name);
        column.type = std::move(type);
        column.is_not_null = is_not_null;
        column.default_value = std::move(value);
        column.key_position = key;
        column.is_hidden = nature == hidden_of_virtual_table;
        column.is_stored = nature == generated_stored;
        columns.push_back(std::move(column));
      });
  return columns;
}

/// A view whose tables are gone, or a virtual table whose module is, has no columns that could be told.
std::vector<Column> read_columns_if_possible(db::Transaction& transaction, const std::string& name) {
  try {
    return transaction.savepoint([&] { return read_columns(transaction, name); });
  } catch (const DatabaseError&) {
    return {};
  }
}

void add_text(Object& table) {
  SqliteTable text = read_sqlite_table(table.definition);
  // The two lists are in one order; they differ in length only for what SQLite alone can read.
  const std::size_t count = std::min(text.columns.size(), table.columns.size());
  for (std::size_t i = 0; i < count; ++i) {
    table.columns[i].generated = std::move(text.columns[i].generated);
    table.columns[i].collation = std::move(text.columns[i].collation);
  }
  table.constraints = std::move(text.constraints);
  for (std::string& property : text.properties) table.properties.push_back(std::move(property));
}

void read_index(Object& index) {
  const Tokens tokens = tokens_of(index.definition, db::Dialect::sqlite);
  index.keys = index_keys(index.definition, db::Dialect::sqlite);
  if (tokens.size() > 1 && tokens[1].is("unique")) index.properties.emplace_back("UNIQUE");
  const auto open =
      std::ranges::find_if(tokens, [](const db::SqlToken& token) { return token.is_symbol('('); });
  const std::size_t end = after_parenthesis(tokens, static_cast<std::size_t>(open - tokens.begin()));
  if (end < tokens.size() && tokens[end].is("where")) index.properties.emplace_back("PARTIAL");
}

void read_details(db::Transaction& transaction, Object& object) {
  if (object.kind == ObjectKind::index) {
    read_index(object);
  } else if (object.kind == ObjectKind::view || object.has_property("VIRTUAL")) {
    object.columns = read_columns_if_possible(transaction, object.name);
  } else if (object.kind == ObjectKind::table) {
    object.columns = read_columns(transaction, object.name);
    add_text(object);
  }
}

std::vector<std::string> key_columns(const Object& table) {
  const Constraint* key = table.primary_key();
  return key == nullptr ? std::vector<std::string>() : key->columns;
}

void resolve_references(Catalogue& catalogue) {
  for (Object& object : catalogue.objects) {
    for (Constraint& constraint : object.constraints) {
      if (!constraint.referral || !constraint.referral->columns.empty()) continue;
      const Object* parent = catalogue.find(ObjectKind::table, constraint.referral->table);
      if (parent != nullptr) refer_to(constraint, key_columns(*parent));
    }
  }
}

/// What the text of a table does not say.
struct TableNature {
  std::string type;  ///< "table", "virtual", "shadow" or "view"
  bool is_without_rowid = false;
  bool is_strict = false;
};

std::map<std::string, TableNature> read_natures(db::Transaction& transaction) {
  std::map<std::string, TableNature> natures;
  transaction.each<std::string, std::string, bool, bool>(
      tables_sql, {}, [&](const std::string& name, std::string type, bool is_without_rowid, bool is_strict) {
        natures.emplace(name, TableNature{std::move(type), is_without_rowid, is_strict});
      });
  return natures;
}

void set_nature(Object& table, const TableNature& nature) {
  if (nature.type == "virtual") table.properties.emplace_back("VIRTUAL");
  if (nature.is_without_rowid) table.properties.emplace_back("WITHOUT ROWID");
  if (nature.is_strict) table.properties.emplace_back("STRICT");
}

}  // namespace

Catalogue read_sqlite_catalogue(db::Transaction& transaction, const LeftOut& left_out) {
  Catalogue catalogue{db::Dialect::sqlite, "main", {}, {}};
  const auto natures = read_natures(transaction);
  transaction.each<std::int64_t, std::string, std::string, std::string, std::string>(
      objects_sql, {},
      [&](std::int64_t id, const std::string& type, std::string name, std::string table, std::string sql) {
        const auto nature = natures.find(name);
        const bool is_table = type == "table" && nature != natures.end();
        // A shadow table belongs to a virtual one, which makes it.
        if (left_out.contains(folded(table)) || (is_table && nature->second.type == "shadow")) return;
        Object object;
        object.kind = kind_of(type);
        object.id = id;
        object.name = std::move(name);
        object.definition = std::move(sql);
        if (object.kind == ObjectKind::index || object.kind == ObjectKind::trigger) {
          object.table = std::move(table);
        }
        if (is_table) set_nature(object, nature->second);
        catalogue.objects.push_back(std::move(object));
      });
  for (Object& object : catalogue.objects) read_details(transaction, object);
  resolve_references(catalogue);
  return catalogue;
}

}  // namespace nerve::migrations
