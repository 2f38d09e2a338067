// SPDX-License-Identifier: Apache-2.0
#include "nerve/migrations/catalogue.h"

#include "support/engine.h"
#include "support/test_data.h"

#include "nerve/core/error.h"
#include "nerve/migrations/migrator.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace nerve;
using migrations::Catalogue;
using migrations::ConstraintKind;
using migrations::Ledger;
using migrations::Object;
using migrations::ObjectKind;
using migrations::read_catalogue;

namespace {

using Names = std::vector<std::string>;

Catalogue catalogue_of(db::Database& database, const std::string& script) {
  database.write([&](db::Transaction& transaction) { transaction.execute_script(script); });
  return database.read([](db::Transaction& transaction) { return read_catalogue(transaction); });
}

}  // namespace

CONFORMANCE_TEST("a table is told with its columns, keys and references, whatever its name") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const Catalogue catalogue = catalogue_of(
      *database,
      "CREATE TABLE \"Te'a\"\"m\" (\"I D\" integer NOT NULL, part integer NOT NULL, PRIMARY KEY (part, \"I "
      "D\"));"
      "CREATE TABLE users (id integer PRIMARY KEY, n varchar(20) NOT NULL DEFAULT 'x', a integer, b integer,"
      " twice integer GENERATED ALWAYS AS (a * 2) STORED,"
      " UNIQUE (n), FOREIGN KEY (b, a) REFERENCES \"Te'a\"\"m\" ON UPDATE CASCADE ON DELETE SET NULL);"
      "CREATE UNIQUE INDEX by_both ON users (a, abs(b)) WHERE b > 0;"
      "CREATE VIEW \"V\" AS SELECT id AS \"Key\", n FROM users;");
  const Object* team = catalogue.find(ObjectKind::table, "Te'a\"m");
  REQUIRE(team != nullptr);
  CHECK(team->find_column("I D")->key_position == 2);
  CHECK(team->find_column("part")->key_position == 1);
  CHECK(team->primary_key()->columns == Names{"part", "I D"});

  const Object* users = catalogue.find(ObjectKind::table, "users");
  REQUIRE(users != nullptr);
  CHECK(users->find_column("n")->is_not_null);
  CHECK(users->find_column("n")->default_value->starts_with("'x'"));
  CHECK(users->find_column("twice")->generated.find("a * 2") != std::string::npos);
  CHECK(users->find_column("twice")->is_stored);
  CHECK_FALSE(users->find_column("twice")->default_value);
  REQUIRE(users->constraints.size() == 3);
  CHECK(users->constraints[0].kind == ConstraintKind::primary_key);
  CHECK(users->constraints[1].kind == ConstraintKind::unique);
  const auto& key = users->constraints[2];
  CHECK(key.columns == Names{"b", "a"});
  CHECK(key.referral->table == "Te'a\"m");
  CHECK(key.referral->columns == Names{"part", "I D"});
  CHECK(key.referral->on_delete == "SET NULL");
  CHECK(key.referral->on_update == "CASCADE");

  const Object* index = catalogue.find(ObjectKind::index, "by_both");
  REQUIRE(index != nullptr);
  CHECK(index->table == "users");
  CHECK(index->keys == Names{"a", "abs(b)"});
  CHECK(index->has_property("UNIQUE"));
  CHECK(index->has_property("PARTIAL"));
  const Object* view = catalogue.find_relation("V");
  REQUIRE(view != nullptr);
  REQUIRE(view->columns.size() == 2);
  CHECK(view->columns[0].name == "Key");
  CHECK(catalogue.objects.size() == 4);
}

CONFORMANCE_TEST("the ledger's tables are no part of the schema, another tool's are") {
  START_ENGINE(engine);
  const auto database = engine.open();
  database->write([](db::Transaction& transaction) { Ledger().create(transaction); });
  CHECK(catalogue_of(*database, "SELECT 1").objects.empty());
  database->write([](db::Transaction& transaction) {
    transaction.execute_script("DROP TABLE schema_migrations; CREATE TABLE schema_migrations (version text)");
  });
  CHECK(catalogue_of(*database, "SELECT 1").count(ObjectKind::table) == 2);
}

TEST_CASE("a name of SQLite is found however it is spelt; shadow tables and SQLite's own are left out") {
  const test::Sqlite engine;
  const auto database = engine.open();
  const Catalogue catalogue = catalogue_of(
      *database,
      "CREATE TABLE [Users] ('Id' INTEGER PRIMARY KEY AUTOINCREMENT); CREATE VIRTUAL TABLE words USING "
      "fts5(word);"
      "CREATE VIEW broken AS SELECT a FROM nowhere; INSERT INTO Users DEFAULT VALUES; ANALYZE;");
  REQUIRE(catalogue.objects.size() == 3);
  const Object* users = catalogue.find(ObjectKind::table, "USERS");
  REQUIRE(users != nullptr);
  CHECK(users->has_property("AUTOINCREMENT"));
  CHECK(users->primary_key()->columns == Names{"Id"});
  CHECK(catalogue.find(ObjectKind::table, "words")->has_property("VIRTUAL"));
  CHECK(catalogue.find_relation("broken")->columns.empty());
}

TEST_CASE("the fingerprint of an object is the same in other words, and another for another object") {
  const auto of = [](const std::string& sql) {
    const test::Sqlite engine;
    const auto database = engine.open();
    const Catalogue catalogue = catalogue_of(*database, sql);
    return fingerprint(*catalogue.find(ObjectKind::table, "a"), db::Dialect::sqlite);
  };
  const std::string one = of("CREATE TABLE a (id INTEGER PRIMARY KEY, b TEXT CHECK (b > 'X'))");
  CHECK(one.size() == 64);
  CHECK(of("create table [A] (B text, \"id\" integer, primary key(id), check(b>'X') -- x\n)") == one);
  CHECK(of("CREATE TABLE a (id INTEGER PRIMARY KEY, b TEXT CHECK (b > 'x'))") != one);
}

TEST_CASE("what belongs to an extension is no part of the schema") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  const auto database = engine.open();
  const Catalogue catalogue =
      catalogue_of(*database, "CREATE EXTENSION citext; CREATE TABLE a (name citext PRIMARY KEY, n serial)");
  CHECK(catalogue.extensions == Names{"citext"});
  CHECK(catalogue.count(ObjectKind::function) == 0);
  CHECK(catalogue.count(ObjectKind::type) == 0);
  REQUIRE(catalogue.count(ObjectKind::sequence) == 1);
  CHECK(catalogue.find(ObjectKind::sequence, "a_n_seq")->table == "a");
  CHECK(catalogue.find_relation("a")->find_column("name")->type == "citext");
}

TEST_CASE("real databases are told whole") {
  struct Expected {
    std::string file;
    std::size_t tables, indexes, views, triggers, foreign_keys;
  };
  // Counted by the sqlite3 shell from pragma_table_list, sqlite_schema and pragma_foreign_key_list.
  const std::vector<Expected> all{{"chinook.sqlite", 11, 11, 0, 0, 11},
                                  {"northwind.db", 13, 0, 17, 0, 13},
                                  {"sakila.db", 16, 24, 5, 30, 22},
                                  {"datasette_fixtures.db", 25, 1, 4, 0, 13}};
  for (const Expected& expected : all) {
    const auto path = test::test_data("sqlite/" + expected.file);
    if (!path) {
      MESSAGE("skipped: no ../shared/data/sqlite");
      return;
    }
    CAPTURE(expected.file);
    OpenOptions options;
    options.read_only = true;
    const auto database = open_database(path->string(), options);
    const Catalogue catalogue = database->read([](db::Transaction& t) { return read_catalogue(t); });
    CHECK(catalogue.count(ObjectKind::table) == expected.tables);
    CHECK(catalogue.count(ObjectKind::index) == expected.indexes);
    CHECK(catalogue.count(ObjectKind::view) == expected.views);
    CHECK(catalogue.count(ObjectKind::trigger) == expected.triggers);
    std::size_t foreign_keys = 0;
    for (const Object& object : catalogue.objects) {
      for (const auto& constraint : object.constraints) foreign_keys += constraint.referral ? 1 : 0;
    }
    CHECK(foreign_keys == expected.foreign_keys);
  }
}
