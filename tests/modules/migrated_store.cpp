// SPDX-License-Identifier: Apache-2.0
#include "modules/migrated_store.h"

#include "nerve/migrations/migrator.h"
#include "nerve/modules/builtin.h"

namespace nerve::test {

namespace {

// name, column, is_view, position in the key (0: none), by position in the relation.
constexpr std::string_view sqlite_columns =
    "SELECT s.name, c.name, s.type = 'view', c.pk FROM sqlite_schema AS s, pragma_table_xinfo(s.name) AS c "
    "WHERE s.type IN ('table', 'view') AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY s.name, c.cid";
constexpr std::string_view postgresql_columns =
    "SELECT CAST(r.relname AS text), CAST(a.attname AS text), r.relkind = 'v', coalesce((SELECT "
    "array_position(k.conkey, a.attnum) FROM pg_constraint AS k WHERE k.conrelid = r.oid "
    "AND "
    "k.contype = 'p'), 0) FROM pg_class AS r JOIN pg_attribute AS a ON a.attrelid = r.oid WHERE "
    "r.relnamespace = "
    "(SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND r.relkind IN ('r', 'p', 'v') AND "
    "a.attnum "
    "> 0 AND NOT a.attisdropped ORDER BY r.relname, a.attnum";

}  // namespace

void migrate(db::Database& database, Store store) {
  const migrations::MigrationSet set = builtin_migrations(store);
  migrations::Migrator(database, set).up();
}

std::map<std::string, Relation> read_relations(db::Database& database) {
  return database.read([](db::Transaction& transaction) {
    std::map<std::string, Relation> relations;
    std::map<std::string, std::map<int, std::string>> keys;
    transaction.each<std::string, std::string, bool, int>(
        transaction.dialect() == db::Dialect::sqlite ? sqlite_columns : postgresql_columns, {},
        [&](const std::string& name, const std::string& column, bool is_view, int key_position) {
          Relation& relation = relations[name];
          relation.columns.push_back(column);
          relation.is_view = is_view;
          if (key_position > 0) keys[name][key_position] = column;
        });
    for (auto& [name, columns] : keys) {
      for (auto& [position, column] : columns) relations[name].key.push_back(column);
    }
    return relations;
  });
}

}  // namespace nerve::test
