// SPDX-License-Identifier: Apache-2.0
// Drift: what was changed by hand is found and named, and what only came another way is not.
#include "migrations/drift_scene.h"

#include "nerve/core/error.h"
#include "nerve/migrations/migrator.h"

#include <doctest/doctest.h>

#include <string>

using namespace nerve;
using migrations::Acceptance;
using migrations::Action;
using migrations::DriftReport;
using migrations::MigrationSet;
using migrations::Migrator;
using migrations::Reference;
using test::after;
using test::drift;
using test::migration_set;
using test::rich_schema;
using test::run;
using test::text_of;

CONFORMANCE_TEST("a database that only migrations made has no drift, whatever way it came") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const MigrationSet set = migration_set(
      {{"schema", std::string(rich_schema)},
       {"more",
        "-- migrate:up\nALTER TABLE users ADD COLUMN note {{text}};\nALTER TABLE users RENAME COLUMN "
        "email TO mail;\n-- migrate:down\nALTER TABLE users RENAME COLUMN mail TO email;\nALTER "
        "TABLE users DROP COLUMN note;\n"},
       {"renamed",
        "-- migrate:up\nALTER TABLE teams RENAME TO groups;\n-- migrate:down\nALTER TABLE groups "
        "RENAME TO teams;\n"},
       {"rows",
        "-- irreversible: rows\n-- migrate:up\nINSERT INTO groups (id, name) VALUES (1, 'a');\nINSERT "
        "INTO users (id, team_id, mail) VALUES (1, 1, 'x');\n"}});
  Migrator migrator(*database, set);
  migrator.up(Reference{"app", 1});
  CHECK(text_of(drift(*database, set)).empty());
  migrator.up(Reference{"app", 3});
  CHECK(text_of(drift(*database, set)).empty());
  migrator.down(1);
  CHECK(text_of(drift(*database, set)).empty());
  migrator.down(1);
  CHECK(text_of(drift(*database, set)).empty());
  migrator.up();
  const DriftReport report = drift(*database, set);
  CHECK(text_of(report).empty());
  CHECK(report.compared >= 5);
  CHECK_NOTHROW(report.require_none("x"));
}

TEST_CASE("down to nothing leaves nothing to differ, on both engines") {
  const auto check = [](auto engine) {
    const auto database = engine.open();
    const MigrationSet set = migration_set({{"schema", std::string(rich_schema)}});
    Migrator migrator(*database, set);
    migrator.up();
    migrator.down(1);
    const DriftReport report = drift(*database, set);
    CHECK(report.is_known());
    CHECK(report.compared == 0);
  };
  check(test::Sqlite());
  if (!test::Postgresql::is_waived()) check(test::Postgresql());
}

CONFORMANCE_TEST("each change by hand of what both engines have is found and named") {
  if (Engine::is_waived()) return;
  const bool is_sqlite = Engine::dialect == db::Dialect::sqlite;
  CHECK(after<Engine>("ALTER TABLE users ADD COLUMN note text") ==
        "different table users: column note added: text\n");
  CHECK(after<Engine>("DROP VIEW adults; ALTER TABLE teams ADD COLUMN n integer NOT NULL DEFAULT 5") ==
        "different table teams: column n added: integer not null default 5\nmissing view adults\n");
  CHECK(after<Engine>("CREATE TABLE extra (id integer PRIMARY KEY, x text UNIQUE); CREATE INDEX extra_x ON "
                      "extra (x, id)") == "unexpected table extra\n");
  CHECK(after<Engine>("DROP TABLE \"Mixed \"\"Case\"") == "missing table Mixed \"Case\n");
  CHECK(after<Engine>("DROP INDEX users_email") == "missing index users_email\n");
  CHECK(after<Engine>("CREATE INDEX users_age ON users (age)") == "unexpected index users_age\n");
  CHECK(after<Engine>("DROP INDEX users_email; CREATE INDEX users_email ON users (lower(email))")
            .starts_with("different index users_email: definition is create index users_email on users"));
  CHECK(after<Engine>("DROP VIEW adults; CREATE VIEW adults AS SELECT id FROM users")
            .starts_with("different view adults: definition is create view adults as select"));
  CHECK(after<Engine>(is_sqlite ? "DROP TRIGGER users_touched" : "DROP TRIGGER users_touched ON users") ==
        "missing trigger users_touched on users\n");
  CHECK(
      after<Engine>("ALTER TABLE \"Mixed \"\"Case\" RENAME COLUMN \"Select\" TO \"select\"") ==
      (is_sqlite
           ? ""  // the same name on SQLite
           : "different table Mixed \"Case: column Select missing: text default 'it''s'::text; column select "
             "added: text default 'it''s'::text\n"));
}

TEST_CASE("what SQLite keeps of a table is compared: types, checks, keys, collations, options") {
  const auto remade = [](const std::string& columns) {
    return after<test::Sqlite>(
        "DROP VIEW adults; DROP TABLE users; CREATE TABLE users (" + columns +
        "; CREATE INDEX users_email ON users (lower(email)) WHERE age > 17;"
        "CREATE VIEW adults AS SELECT id, email FROM users WHERE age > 17;"
        "CREATE TRIGGER users_touched AFTER UPDATE ON users BEGIN UPDATE teams SET name = name "
        "WHERE id = NEW.team_id; END");
  };
  // The same table in other words: order, quotes, case, and where a constraint stands make no difference.
  CHECK(
      remade(
          "[ID] integer NOT NULL, \"age\" INTEGER DEFAULT 18, email TEXT NOT NULL, team_id INTEGER NOT NULL, "
          "PRIMARY KEY (id) CHECK (\"age\">=0) /* x */ UNIQUE (team_id, email), FOREIGN KEY (team_id) "
          "REFERENCES "
          "teams ON UPDATE NO ACTION ON DELETE CASCADE) STRICT") == "");
  const std::string tail = ", UNIQUE (team_id, email)) STRICT";
  const std::string id = "id INTEGER NOT NULL PRIMARY KEY, ";
  const std::string team = "team_id INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE, ";
  const std::string email = "email TEXT NOT NULL, ";
  const std::string age = "age INTEGER DEFAULT 18 CHECK (age >= 0)";
  CHECK(remade(id + team + email + "age INTEGER DEFAULT 18" + tail) ==
        "different table users: check(age >= 0) missing\n");
  CHECK(remade(id + "team_id INTEGER NOT NULL REFERENCES teams (id), " + email + age + tail) ==
        "different table users: foreign key(team_id) references teams(id) added; foreign key(team_id) "
        "references "
        "teams(id) on delete cascade missing\n");
  CHECK(remade(id + team + "email TEXT NOT NULL COLLATE NOCASE, " + age + tail) ==
        "different table users: column email is text collate nocase not null instead of text not null\n");
  CHECK(remade(id + team + "email ANY, " + age + ")") ==
        "different table users: column email is any instead of text not null; STRICT missing; "
        "unique(team_id, email) "
        "missing\n");
  CHECK(remade(id + team + email + "age INTEGER DEFAULT 18 CHECK (age >= 0), double INTEGER AS (age * 2)" +
               tail) ==
        "different table users: column double added: integer generated always as (age * 2) virtual\n");
}

CONFORMANCE_TEST("what was adopted stays accepted while it is the same, what was ignored always") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const MigrationSet set = migration_set({{"schema", std::string(rich_schema)}});
  Migrator migrator(*database, set);
  migrator.up();
  run(*database, "ALTER TABLE users ADD COLUMN note text; CREATE TABLE extra (id integer PRIMARY KEY)");
  const DriftReport found = drift(*database, set);
  REQUIRE(found.open_count() == 2);
  migrator.record_decision(Action::adopt, "table users", found.find("table users")->fingerprint,
                           "a test column");
  migrator.record_decision(Action::ignore, "table extra", "", "another program's");
  const DriftReport accepted = drift(*database, set);
  CHECK(text_of(accepted) ==
        "unexpected table extra [ignored]\ndifferent table users: column note added: text [adopted]\n");
  CHECK(accepted.find("table users")->reason == "a test column");
  CHECK_NOTHROW(accepted.require_none("x"));

  // A migration that changes the same table otherwise leaves the decision alone.
  const MigrationSet later = migration_set(
      {{"schema", std::string(rich_schema)},
       {"later", "-- irreversible: x\n-- migrate:up\nALTER TABLE users ADD COLUMN y {{num}};\n"}});
  Migrator(*database, later).up();
  CHECK(drift(*database, later).open_count() == 0);

  run(*database,
      "ALTER TABLE users ADD COLUMN more text; ALTER TABLE extra ADD COLUMN more text; CREATE INDEX "
      "extra_more "
      "ON extra (more)");
  const DriftReport changed = drift(*database, later);
  CHECK(changed.open_count() == 1);
  CHECK(changed.find("table users")->acceptance == Acceptance::none);
  migrator.record_decision(Action::compare, "table extra", "", "");
  CHECK(drift(*database, later).open_count() == 2);
  try {
    drift(*database, later).require_none("the test");
    FAIL("drift was not reported");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::drift);
    CHECK(std::string(error.what()) ==
          "the schema of the test is not what its migrations make: table extra is unexpected, and 1 more");
  }
}

CONFORMANCE_TEST("a baseline is compared like what was applied") {
  START_ENGINE(engine);
  const auto database = engine.open();
  run(*database, "CREATE TABLE a (id integer NOT NULL PRIMARY KEY)");
  const MigrationSet set = migration_set({{"a",
                                           "-- irreversible: x\n-- migrate:up\nCREATE TABLE a (id integer "
                                           "NOT NULL PRIMARY KEY, b integer);\n"}});
  CHECK(text_of(drift(*database, set)).starts_with("unknown: no migration was ever applied to "));
  Migrator(*database, set).baseline();
  CHECK(text_of(drift(*database, set)) == "different table a: column b missing: integer\n");
}
