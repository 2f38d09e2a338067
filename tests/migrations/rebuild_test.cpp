// SPDX-License-Identifier: Apache-2.0
// Rebuilds of SQLite tables: where other tools lose children, indexes, triggers and the next number.
#include "migrations/migration_files.h"
#include "support/engine.h"

#include "nerve/core/error.h"
#include "nerve/migrations/migrator.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

using namespace nerve;
using migrations::MigrationSet;
using migrations::Migrator;
using test::migration_set;

namespace {

constexpr std::string_view schema = R"(-- irreversible: it is a test
-- migrate:up
CREATE TABLE parent (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent (id) ON DELETE CASCADE);
CREATE TABLE grandchild (id INTEGER PRIMARY KEY, child_id INTEGER REFERENCES child (id) ON DELETE CASCADE);
CREATE TABLE changes (name TEXT);
CREATE INDEX parent_name ON parent (name);
CREATE TRIGGER parent_changed AFTER UPDATE ON parent BEGIN INSERT INTO changes VALUES (NEW.name); END;
CREATE VIEW parents AS SELECT id, name FROM parent;
INSERT INTO parent (name) VALUES ('a'), ('b'), ('c'), ('d');
DELETE FROM parent WHERE name = 'd';
INSERT INTO child VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO grandchild VALUES (1, 1), (2, 2);
)";

std::string rebuild(const std::string& select = "SELECT id, name FROM parent", const std::string& more = {},
                    const std::string& headers = {}) {
  return "-- irreversible: it is a test\n-- rebuild: parent\n" + headers +
         "-- migrate:up\nCREATE TABLE parent_new (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, "
         "note "
         "TEXT DEFAULT 'x');\nINSERT INTO parent_new (id, name) " +
         select + ";\nDROP TABLE parent;\nALTER TABLE parent_new RENAME TO parent;\n" + more;
}

std::string migrate_by(db::Database& database, const std::string& migration) {
  constexpr std::array dialects{db::Dialect::sqlite};
  const MigrationSet set = migration_set({{"schema", std::string(schema)}, {"rebuild", migration}}, dialects);
  Migrator migrator(database, set);
  try {
    migrator.up();
  } catch (const Error& error) {
    CHECK_FALSE(std::string(error.hint()).empty());
    return error.what();
  }
  return "done";
}

std::int64_t number(db::Database& database, const std::string& sql) {
  return database.read([&](db::Transaction& t) { return t.one<std::int64_t>(sql); });
}

void check_as_before(db::Database& database) {
  CHECK(number(database, "SELECT count(*) FROM pragma_table_info('parent')") == 2);
  CHECK(number(database, "SELECT count(*) FROM parent") == 3);
  CHECK(number(database, "SELECT count(*) FROM child") == 3);
  CHECK(number(database, "SELECT count(*) FROM grandchild") == 2);
}

}  // namespace

TEST_CASE("a rebuild keeps rows, children, indexes, triggers, views and the next number") {
  const test::Sqlite engine;
  const auto database = engine.open();
  REQUIRE(migrate_by(*database, rebuild()) == "done");
  CHECK(number(*database, "SELECT count(*) FROM pragma_table_info('parent')") == 3);
  CHECK(number(*database, "SELECT count(*) FROM parent") == 3);
  CHECK(number(*database, "SELECT count(*) FROM child") == 3);
  CHECK(number(*database, "SELECT count(*) FROM grandchild") == 2);
  CHECK(number(*database, "SELECT count(*) FROM parents") == 3);
  CHECK(number(*database,
               "SELECT count(*) FROM sqlite_schema WHERE name IN ('parent_name', 'parent_changed')") == 2);
  database->write([](db::Transaction& t) {
    t.execute("INSERT INTO parent (name) VALUES ('e')");
    t.execute("UPDATE parent SET name = 'f' WHERE name = 'e'");
  });
  CHECK(number(*database, "SELECT max(id) FROM parent") == 5);  // 4 was given to a row that is gone
  CHECK(number(*database, "SELECT count(*) FROM changes") == 1);
  // Foreign keys are enforced again, and still go to the table's name.
  CHECK_THROWS_AS(database->write([](db::Transaction& t) { t.execute("INSERT INTO child VALUES (9, 99)"); }),
                  DatabaseError);
  database->write([](db::Transaction& t) { t.execute("DELETE FROM parent WHERE id = 1"); });
  CHECK(number(*database, "SELECT count(*) FROM child") == 2);
}

TEST_CASE("a rebuild that would lose rows is undone") {
  const test::Sqlite engine;
  const auto database = engine.open();
  CHECK(migrate_by(*database, rebuild("SELECT id, name FROM parent WHERE id < 3")) ==
        "app/0002_rebuild.sql: the rebuild would leave 2 rows of 3 in parent");
  check_as_before(*database);
}

TEST_CASE("a rebuild that says why it drops rows may do so, but not orphan its children") {
  const test::Sqlite engine;
  const auto database = engine.open();
  const std::string headers = "-- changes-row-count: doubles go\n";
  CHECK(migrate_by(*database, rebuild("SELECT id, name FROM parent WHERE id < 3", {}, headers)) ==
        "app/0002_rebuild.sql: the rebuild would leave 1 rows of child without a parent");
  check_as_before(*database);
  CHECK(migrate_by(*database, rebuild("SELECT id, name FROM parent UNION ALL SELECT 9, 'z'", {}, headers)) ==
        "done");
}

TEST_CASE("a rebuild that deletes rows of a child is undone") {
  const test::Sqlite engine;
  const auto database = engine.open();
  CHECK(migrate_by(*database,
                   rebuild("SELECT id, name FROM parent", "DELETE FROM grandchild WHERE id = 1;\n")) ==
        "app/0002_rebuild.sql: the rebuild would leave 1 rows of 2 in grandchild");
  check_as_before(*database);
}

TEST_CASE("an index that does not fit the rebuilt table is an error unless the migration drops it") {
  const test::Sqlite engine;
  const auto database = engine.open();
  const std::string without_name =
      "-- irreversible: it is a test\n-- rebuild: parent\n-- migrate:up\n{}CREATE TABLE n (id INTEGER "
      "PRIMARY KEY, title "
      "TEXT);\nINSERT INTO n SELECT id, name FROM parent;\nDROP TABLE parent;\nALTER TABLE n RENAME TO "
      "parent;\n";
  const auto with = [&](const std::string& first) {
    std::string text = without_name;
    return text.replace(text.find("{}"), 2, first);
  };
  CHECK(migrate_by(*database, with(""))
            .starts_with("app/0002_rebuild.sql: the index parent_name of parent does not fit"));
  check_as_before(*database);
  CHECK(migrate_by(*database, with("DROP INDEX parent_name;\nDROP TRIGGER parent_changed;\n")) ==
        "app/0002_rebuild.sql: the view parents cannot be read after the rebuild");
  check_as_before(*database);
  CHECK(migrate_by(*database,
                   with("DROP INDEX parent_name;\nDROP TRIGGER parent_changed;\nDROP VIEW parents;\n")) ==
        "done");
}

TEST_CASE("dropping a parent with children without a rebuild is refused") {
  const test::Sqlite engine;
  const auto database = engine.open();
  CHECK(migrate_by(*database, "-- irreversible: x\n-- migrate:up\nDROP TABLE parent;\n") ==
        "app/0002_rebuild.sql:3: statement 1 of 1 (up): DROP TABLE parent: rows of child refer to it and "
        "would be "
        "deleted or orphaned");
  check_as_before(*database);
}

TEST_CASE("a rebuild of a table that is not there, or that ends without it, is refused") {
  const test::Sqlite engine;
  const auto database = engine.open();
  CHECK(migrate_by(*database, "-- irreversible: x\n-- rebuild: nowhere\n-- migrate:up\nSELECT 1;\n") ==
        "app/0002_rebuild.sql: the table nowhere that it rebuilds is not there");
  CHECK(migrate_by(
            *database,
            "-- irreversible: x\n-- rebuild: parent\n-- migrate:up\nDROP VIEW parents;\nALTER TABLE parent "
            "RENAME TO parents;\n") ==
        "app/0002_rebuild.sql: the table parent is not there after its rebuild");
  check_as_before(*database);
}
