// SPDX-License-Identifier: Apache-2.0
// The replay behind the search for drift: it makes what was applied, disturbs nobody, and says where it
// cannot be made.
#include "migrations/drift_scene.h"

#include "nerve/core/error.h"
#include "nerve/migrations/migrator.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace nerve;
using migrations::DriftReport;
using migrations::MigrationSet;
using migrations::Migrator;
using test::drift;
using test::migration_set;
using test::rich_schema;
using test::run;
using test::table_migration;
using test::text_of;

CONFORMANCE_TEST("what cannot be replayed is unknown, never no drift") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const std::string up = "-- irreversible: x\n-- migrate:up\n";
  Migrator(*database, migration_set({{"a", up + "CREATE TABLE a (id {{num}} PRIMARY KEY);\n"}})).up();
  CHECK(text_of(drift(*database, migration_set({{"a", up + "CREATE TABLE b (id {{num}} PRIMARY KEY);\n"}})))
            .starts_with("unknown: app/0001_a.sql: the file was changed"));
  CHECK(text_of(drift(*database, migration_set({}))).starts_with("unknown: app@0001 (a) is applied to "));
  const MigrationSet set =
      migration_set({{"a", up + "CREATE TABLE a (id {{num}} PRIMARY KEY);\n"},
                     {"b", up + "SELECT 1;\nALTER TABLE elsewhere ADD COLUMN b integer;\n"}});
  run(*database, "CREATE TABLE elsewhere (id integer)");
  Migrator(*database, set).up();
  const DriftReport report = drift(*database, set);
  CHECK(text_of(report).starts_with("unknown: app/0002_b.sql:4: "));
  CHECK_FALSE(report.hint.empty());
  CHECK_THROWS_AS(report.require_none("x"), UnsupportedError);
}

CONFORMANCE_TEST(
    "of a database that was never migrated nothing is known, also where its first migration failed") {
  START_ENGINE(engine);
  const auto database = engine.open();
  run(*database, "CREATE TABLE by_hand (id integer)");
  const std::string never = "unknown: no migration was ever applied to ";
  const MigrationSet set = migration_set({{"a", "-- irreversible: x\n-- migrate:up\nDROP TABLE nowhere;\n"}});
  for (const MigrationSet& one : {migration_set({}), set})
    CHECK(text_of(drift(*database, one)).starts_with(never));
  CHECK_THROWS_AS(Migrator(*database, set).up(), DatabaseError);
  const DriftReport report = drift(*database, set);
  CHECK(text_of(report).starts_with(never));
  CHECK_FALSE(report.hint.empty());
}

TEST_CASE("a rebuild on SQLite is no drift, and what it puts back is there") {
  const test::Sqlite engine;
  const auto database = engine.open();
  const std::string rebuild =
      "-- rebuild: users\n-- migrate:up\nCREATE TABLE n (id INTEGER NOT NULL PRIMARY KEY, team_id INTEGER "
      "NOT NULL REFERENCES "
      "teams (id) ON DELETE CASCADE, email TEXT NOT NULL, age INTEGER DEFAULT 21 CHECK (age >= 0), UNIQUE "
      "(team_id, email)) "
      "STRICT;\nINSERT INTO n SELECT * FROM users;\nDROP TABLE users;\nALTER TABLE n RENAME TO users;\n"
      "-- migrate:down\nCREATE TABLE o (id INTEGER NOT NULL, team_id INTEGER NOT NULL, email TEXT NOT NULL, "
      "age INTEGER "
      "DEFAULT 18 CHECK (age >= 0), FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE, PRIMARY "
      "KEY (id), UNIQUE "
      "(team_id, email)) STRICT;\nINSERT INTO o SELECT * FROM users;\nDROP TABLE users;\nALTER TABLE o "
      "RENAME TO users;\n";
  constexpr std::array sqlite{db::Dialect::sqlite};
  const MigrationSet set =
      migration_set({{"schema", std::string(rich_schema)}, {"rebuild", rebuild}}, sqlite);
  Migrator migrator(*database, set);
  migrator.up();
  CHECK(text_of(drift(*database, set)).empty());
  migrator.down(1);
  CHECK(text_of(drift(*database, set)).empty());
  migrator.up();
  run(*database, "DROP INDEX users_email");
  CHECK(text_of(drift(*database, set)) == "missing index users_email\n");
}

TEST_CASE("full-text and R-tree tables are made by migrations, and are no drift") {
  const test::Sqlite engine;
  const auto database = engine.open();
  constexpr std::array sqlite{db::Dialect::sqlite};
  const MigrationSet set = migration_set({{"a",
                                           "-- irreversible: x\n-- migrate:up\nCREATE VIRTUAL TABLE words "
                                           "USING fts5(word);\nCREATE VIRTUAL TABLE places USING "
                                           "rtree(id, x1, x2);\nINSERT INTO words VALUES ('drift');\n"}},
                                         sqlite);
  Migrator(*database, set).up();
  CHECK(text_of(drift(*database, set)) == "");
  run(*database, "DROP TABLE words; CREATE VIRTUAL TABLE words USING fts5(word, more)");
  CHECK(text_of(drift(*database, set))
            .starts_with("different table words: definition is create virtual table words using"));
  CHECK_THROWS_AS(run(*database, "PRAGMA page_size = 512"), DatabaseError);
}

TEST_CASE("a concurrent index and other statements without transaction are replayed on PostgreSQL") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  const auto database = engine.open();
  constexpr std::array postgresql{db::Dialect::postgresql};
  const MigrationSet set = migration_set(
      {{"a", table_migration("a")},
       {"b",
        "-- no-transaction\n-- irreversible: x\n-- migrate:up\nCREATE UNIQUE INDEX CONCURRENTLY a_body ON "
        "public.a (body);\n"
        "VACUUM a;\nCREATE INDEX CONCURRENTLY a_id ON a (id);\nDROP INDEX CONCURRENTLY a_id;\n"},
       {"c",
        "-- irreversible: x\n-- migrate:up\nCREATE EXTENSION IF NOT EXISTS citext;\nCREATE TABLE c (name "
        "citext NOT NULL "
        "PRIMARY KEY);\nGRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC;\nCOMMENT ON TABLE c IS 'x';\n"
        "CREATE FUNCTION public.bodies() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM public.a "
        "$$;\n"
        "DO $$ BEGIN EXECUTE 'ALTER TABLE public.c ADD COLUMN made int'; END $$;\n"
        "CREATE VIEW public.both_tables AS SELECT body, name FROM public.a, public.c;\n"
        "SELECT set_config('search_path', 'public', true);\nALTER TABLE c ADD COLUMN last int;\n"}},
      postgresql);
  Migrator(*database, set).up();
  CHECK(text_of(drift(*database, set)).empty());
  run(*database, "DROP INDEX a_body; CREATE INDEX a_body ON a (body)");
  CHECK(text_of(drift(*database, set)).starts_with("different index a_body"));
  // What a migration would take away is not taken from the database that is looked at.
  const MigrationSet dropping =
      migration_set({{"a", table_migration("a")},
                     {"b", set.in_order()[1].text},
                     {"c", set.in_order()[2].text},
                     {"d", "-- irreversible: x\n-- migrate:up\nDROP TABLE IF EXISTS by_hand;\n"}},
                    postgresql);
  Migrator(*database, dropping).up();
  run(*database,
      "DROP INDEX a_body; CREATE UNIQUE INDEX a_body ON a (body); CREATE TABLE by_hand (id integer)");
  CHECK(text_of(drift(*database, dropping)) == "unexpected table by_hand\n");
}

TEST_CASE(
    "the replay on PostgreSQL waits for no lock of the user's tables, takes none, and leaves nothing "
    "behind") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  const auto database = engine.open();
  const auto other = engine.open();
  const MigrationSet set = migration_set({{"a", table_migration("a")}, {"b", table_migration("b")}});
  Migrator(*database, set).up();
  other->write([&](db::Transaction& transaction) {
    transaction.execute_script(
        "LOCK TABLE a, b, schema_migrations IN SHARE ROW EXCLUSIVE MODE; LOCK TABLE a IN ACCESS "
        "EXCLUSIVE MODE");
    CHECK(text_of(drift(*database, set)).empty());
  });
  const auto left = database->read([](db::Transaction& transaction) {
    return transaction.one<std::int64_t>("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'nerve%'");
  });
  CHECK(left == 0);
}

TEST_CASE("checks that wait for the end of a transaction do not stop the replay") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  const auto database = engine.open();
  const std::string up = "-- irreversible: x\n-- migrate:up\n-- dialect:postgresql\n";
  const MigrationSet set = migration_set(
      {{"a", up + "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES "
                  "p DEFERRABLE "
                  "INITIALLY DEFERRED);\n"},
       {"b", up + "DO $$ BEGIN INSERT INTO c VALUES (1, 1); INSERT INTO p VALUES (1); END $$; INSERT INTO c "
                  "VALUES (3, "
                  "3); INSERT INTO p VALUES (3);\n"},
       {"c",
        up + "ALTER TABLE c ADD COLUMN more int; INSERT INTO c VALUES (2, 2); INSERT INTO p VALUES (2);\n"}});
  Migrator(*database, set).up();
  CHECK(text_of(drift(*database, set)).empty());
}

TEST_CASE("what looks at the catalogue when it is made sees what the migrations make") {
  if (test::Postgresql::is_waived()) return;
  const std::string up = "-- irreversible: x\n-- migrate:up\n-- dialect:postgresql\n";
  const auto of = [&](const std::string& sql) {
    const test::Postgresql engine;
    const auto database = engine.open();
    const MigrationSet set = migration_set({{"a", up + sql + ";\n"}});
    Migrator(*database, set).up();
    return text_of(drift(*database, set));
  };
  CHECK(of("CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path FROM CURRENT AS $$ SELECT 1 $$") ==
        "");
  CHECK(of("CREATE EXTENSION citext; CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path FROM "
           "CURRENT AS $$ SELECT 1 "
           "$$; CREATE TABLE t (a citext)") == "");
  CHECK(of("DO $$ BEGIN CREATE TYPE m AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END $$") ==
        "");
  CHECK(of("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_type WHERE typname = 'm') THEN CREATE TYPE m AS ENUM "
           "('a'); END IF; END "
           "$$") == "");
  CHECK(of("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema() AND "
           "tablename = 'm') THEN "
           "CREATE TABLE m (id int); END IF; END $$") == "");
  CHECK(of("CREATE TABLE t (id int); CREATE POLICY own ON t TO CURRENT_USER USING (true)") == "");
  CHECK(of("CREATE SCHEMA side; CREATE TABLE side.t (id int PRIMARY KEY); CREATE TABLE u (id int REFERENCES "
           "side.t)") == "");
}

TEST_CASE("a schema of any name is compared as its search_path has it") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  run(*engine.open(),
      "CREATE SCHEMA \"My.App\"; DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = \"My.App\", "
      "public', current_database()); END $$; CREATE TABLE public.others (id int)");
  const auto database = engine.open();
  const MigrationSet set = migration_set({{"schema", std::string(rich_schema)},
                                          {"b",
                                           "-- irreversible: x\n-- migrate:up\n-- dialect:postgresql\nCREATE "
                                           "TABLE \"My.App\".here (id int PRIMARY KEY);\n"
                                           "CREATE VIEW \"My.App\".v AS SELECT id FROM \"My.App\".here;\n"}});
  Migrator(*database, set).up();
  CHECK(text_of(drift(*database, set)).empty());
  run(*database, "CREATE TABLE x (id int)");
  CHECK(text_of(drift(*database, set)) == "unexpected table x\n");
}

CONFORMANCE_TEST("a migration that was cut off is compared as far as it came") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const auto set_with = [](const std::string& second) {
    return migration_set(
        {{"a",
          "-- no-transaction\n-- migrate:up\nCREATE TABLE a (id {{num}} PRIMARY KEY);\nCREATE TABLE b (id "
          "{{num}} PRIMARY KEY);\n" +
              second + ";\n-- migrate:down\nDROP TABLE b;\n" + second + ";\nDROP TABLE a;\n"}});
  };
  const MigrationSet set = set_with("INSERT INTO late VALUES (1)");
  Migrator migrator(*database, set);
  CHECK_THROWS_AS(migrator.up(), DatabaseError);
  CHECK(text_of(drift(*database, set)) == "");
  run(*database, "CREATE TABLE late (id integer)");
  CHECK(text_of(drift(*database, set)) == "unexpected table late\n");
}
