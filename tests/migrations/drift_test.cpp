// SPDX-License-Identifier: Apache-2.0
// Drift: what was changed by hand is found and named, and what only came another way is not.
#include "nerve/migrations/drift.h"

#include "migrations/migration_files.h"
#include "support/engine.h"

#include "nerve/core/error.h"
#include "nerve/migrations/migrator.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

using namespace nerve;
using migrations::Acceptance;
using migrations::Action;
using migrations::DriftReport;
using migrations::Ledger;
using migrations::MigrationSet;
using migrations::Migrator;
using migrations::Reference;
using test::migration_set;
using test::table_migration;

namespace {

/// Everything that both engines have, written as people write it.
constexpr std::string_view schema = R"(-- migrate:up
CREATE TABLE teams (
  id {{num}} NOT NULL PRIMARY KEY,
  name {{str(50)}} NOT NULL UNIQUE,
  deleted_at {{ts}},
  is_active {{active}}
) {{strict}};
CREATE TABLE "Mixed ""Case" (
  "Key" {{num}} NOT NULL PRIMARY KEY,
  "Select" {{text}} DEFAULT 'it''s'
) {{strict}};
CREATE TABLE users (
  id {{num}} NOT NULL PRIMARY KEY,
  team_id {{num}} NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
  email {{text}} NOT NULL,
  age {{num}} DEFAULT 18 CHECK (age >= 0),
  CONSTRAINT email_once UNIQUE (team_id, email)
) {{strict}};
CREATE INDEX users_email ON users (lower(email)) WHERE age > 17;
CREATE VIEW adults AS SELECT id, email FROM users WHERE age > 17;
-- dialect:sqlite
CREATE TRIGGER users_touched AFTER UPDATE ON users BEGIN UPDATE teams SET name = name WHERE id = NEW.team_id; END;
-- dialect:postgresql
CREATE TYPE mood AS ENUM ('calm', 'cross');
CREATE DOMAIN percent AS integer CHECK (VALUE BETWEEN 0 AND 100);
CREATE SEQUENCE tickets START WITH 100;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER users_touched BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_team ON users USING (team_id = 1);
CREATE MATERIALIZED VIEW counts AS SELECT team_id, count(*) AS members FROM users GROUP BY team_id;
CREATE TABLE rounds (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, held tstzrange,
  EXCLUDE USING gist (held WITH &&));
CREATE STATISTICS users_stats ON team_id, age FROM users;
CREATE TABLE logs (at timestamptz NOT NULL, line text) PARTITION BY RANGE (at);
CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
-- dialect:end
-- migrate:down
-- dialect:postgresql
DROP TABLE logs;
DROP TABLE rounds;
DROP MATERIALIZED VIEW counts;
-- dialect:end
DROP VIEW adults;
DROP TABLE users;
DROP TABLE "Mixed ""Case";
DROP TABLE teams;
-- dialect:postgresql
DROP FUNCTION touch();
DROP SEQUENCE tickets;
DROP DOMAIN percent;
DROP TYPE mood;
-- dialect:end
)";

DriftReport drift(db::Database& database, const MigrationSet& set) {
  return find_drift(database, set, Ledger(), open_scratch_database);
}

/// "different table users: column note added: text; …" for each difference, in lines.
std::string text_of(const DriftReport& report) {
  if (!report.is_known()) return "unknown: " + report.unknown;
  std::string text;
  for (const auto& difference : report.differences) {
    text += std::string(to_string(difference.kind)) + " " + difference.object;
    for (const std::string& change : difference.changes) {
      text += (change == difference.changes.front() ? ": " : "; ") + change;
    }
    if (difference.acceptance != Acceptance::none)
      text += " [" + std::string(to_string(difference.acceptance)) + "]";
    text += '\n';
  }
  return text;
}

void run(db::Database& database, const std::string& script) {
  database.write([&](db::Transaction& transaction) { transaction.execute_script(script); });
}

/// What drift says of a database that was made by the migrations and then changed by hand.
template <class Engine>
std::string after(const std::string& script) {
  const Engine engine;
  const auto database = engine.open();
  const MigrationSet set = migration_set({{"schema", std::string(schema)}});
  Migrator(*database, set).up();
  run(*database, script);
  return text_of(drift(*database, set));
}

}  // namespace

CONFORMANCE_TEST("a database that only migrations made has no drift, whatever way it came") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const MigrationSet set = migration_set(
      {{"schema", std::string(schema)},
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
    const MigrationSet set = migration_set({{"schema", std::string(schema)}});
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

TEST_CASE("what only PostgreSQL has is compared") {
  using Engine = test::Postgresql;
  if (Engine::is_waived()) return;
  CHECK(after<Engine>("ALTER TABLE teams ALTER COLUMN name TYPE varchar(60), ALTER COLUMN deleted_at SET "
                      "DEFAULT now()") ==
        "different table teams: column deleted_at is timestamp with time zone default now() instead of "
        "timestamp with time "
        "zone; column name is character varying(60) not null instead of character varying(50) not null\n");
  CHECK(after<Engine>("ALTER TABLE users DROP CONSTRAINT users_age_check, ADD CONSTRAINT users_age_check "
                      "CHECK (age > 0) NOT "
                      "VALID") ==
        "different table users: constraint users_age_check is check((age > 0)) not valid instead of "
        "check((age >= 0))\n");
  CHECK(after<Engine>("ALTER TYPE mood ADD VALUE 'glad'") ==
        "different type mood: definition is create type mood as enum('calm', 'cross', 'glad') instead of "
        "create type mood as "
        "enum('calm', 'cross')\n");
  CHECK(after<Engine>("ALTER DOMAIN percent SET NOT NULL")
            .starts_with("different type percent: definition is"));
  CHECK(after<Engine>("ALTER SEQUENCE tickets INCREMENT BY 2").starts_with("different sequence tickets"));
  CHECK(after<Engine>("CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                      "RETURN OLD; END $$")
            .starts_with(
                "different function touch(): definition is create or replace function touch() returns"));
  CHECK(after<Engine>("CREATE FUNCTION other(integer, text) RETURNS text LANGUAGE sql AS $$ SELECT $2 $$") ==
        "unexpected function other(integer, text)\n");
  CHECK(after<Engine>("ALTER TABLE users DISABLE TRIGGER users_touched") ==
        "different trigger users_touched on users: DISABLED added\n");
  CHECK(after<Engine>("ALTER TABLE users DISABLE ROW LEVEL SECURITY") ==
        "different table users: ROW LEVEL SECURITY missing\n");
  CHECK(after<Engine>("ALTER POLICY own_team ON users USING (true)")
            .starts_with("different policy own_team on users"));
  CHECK(after<Engine>("DROP POLICY own_team ON users") == "missing policy own_team on users\n");
  CHECK(after<Engine>("DROP MATERIALIZED VIEW counts") == "missing materialized view counts\n");
  CHECK(after<Engine>("ALTER TABLE rounds ALTER COLUMN id SET GENERATED BY DEFAULT")
            .starts_with(
                "different table rounds: column id is bigint not null generated by default as identity"));
  CHECK(after<Engine>("DROP STATISTICS users_stats") == "missing statistics users_stats\n");
  CHECK(after<Engine>("CREATE RULE quiet AS ON DELETE TO teams DO INSTEAD NOTHING") ==
        "unexpected rule quiet on teams\n");
  CHECK(after<Engine>("ALTER TABLE users SET UNLOGGED") == "different table users: UNLOGGED added\n");
}

TEST_CASE("which partitions there are is data, what they are is not") {
  using Engine = test::Postgresql;
  if (Engine::is_waived()) return;
  CHECK(after<Engine>("CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM ('2026-02-01') TO "
                      "('2026-03-01'); CREATE INDEX "
                      "logs_2_line ON logs_2 (line); DROP TABLE logs_1") == "");
  CHECK(after<Engine>("CREATE INDEX logs_1_line ON logs_1 (line)") == "unexpected index logs_1_line\n");
  CHECK(after<Engine>("CREATE INDEX logs_line ON logs (line)") == "unexpected index logs_line\n");
}

CONFORMANCE_TEST("what was adopted stays accepted while it is the same, what was ignored always") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const MigrationSet set = migration_set({{"schema", std::string(schema)}});
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
      {{"schema", std::string(schema)},
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

CONFORMANCE_TEST("what cannot be replayed is unknown, never no drift") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const std::string up = "-- irreversible: x\n-- migrate:up\n";
  Migrator(*database, migration_set({{"a", up + "CREATE TABLE a (id {{num}} PRIMARY KEY);\n"}})).up();
  CHECK(text_of(drift(*database, migration_set({{"a", up + "CREATE TABLE b (id {{num}} PRIMARY KEY);\n"}})))
            .starts_with("unknown: app/0001_a.sql: the file was changed"));
  CHECK(text_of(drift(*database, migration_set({}))).starts_with("unknown: app@0001 (a) is applied to "));
  const MigrationSet set = migration_set({{"a", up + "CREATE TABLE a (id {{num}} PRIMARY KEY);\n"},
                                          {"b", up + "SELECT 1;\nINSERT INTO elsewhere VALUES (1);\n"}});
  run(*database, "CREATE TABLE elsewhere (id integer)");
  Migrator(*database, set).up();
  const DriftReport report = drift(*database, set);
  CHECK(text_of(report).starts_with("unknown: app/0002_b.sql:4: "));
  CHECK_FALSE(report.hint.empty());
  CHECK_THROWS_AS(report.require_none("x"), UnsupportedError);
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
  const MigrationSet set = migration_set({{"schema", std::string(schema)}, {"rebuild", rebuild}}, sqlite);
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
  // With an extension in the user's schema that schema stays on the path; what a migration would reach there
  // is refused.
  const MigrationSet reaching =
      migration_set({{"a", table_migration("a")},
                     {"b", set.in_order()[1].text},
                     {"c", set.in_order()[2].text},
                     {"d", "-- irreversible: x\n-- migrate:up\nDROP TABLE IF EXISTS by_hand;\n"}},
                    postgresql);
  Migrator(*database, reaching).up();
  run(*database, "CREATE TABLE by_hand (id integer)");
  CHECK(text_of(drift(*database, reaching))
            .starts_with("unknown: app/0004_d.sql:3: the statement reaches public.by_hand"));
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
  const MigrationSet elsewhere =
      migration_set({{"a", table_migration("a")},
                     {"b", table_migration("b")},
                     {"c",
                      "-- irreversible: x\n-- migrate:up\n-- dialect:postgresql\nCREATE SCHEMA side;\nCREATE "
                      "TABLE side.t (id int);\n"}});
  Migrator(*database, elsewhere).up();
  CHECK(text_of(drift(*database, elsewhere)).starts_with("unknown: app/0003_c.sql:4: "));
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
       {"b", up + "INSERT INTO c VALUES (1, 1); INSERT INTO p VALUES (1);\n"},
       {"c",
        up + "ALTER TABLE c ADD COLUMN more int; INSERT INTO c VALUES (2, 2); INSERT INTO p VALUES (2);\n"}});
  Migrator(*database, set).up();
  CHECK(text_of(drift(*database, set)).empty());
}

TEST_CASE("a DO block is replayed where it sees the scratch schema, and unknown where it sees the user's") {
  if (test::Postgresql::is_waived()) return;
  const std::string up = "-- irreversible: x\n-- migrate:up\n-- dialect:postgresql\n";
  const auto of = [&](const std::string& sql) {
    const test::Postgresql engine;
    const auto database = engine.open();
    const MigrationSet set = migration_set({{"a", up + sql + ";\n"}});
    Migrator(*database, set).up();
    return text_of(drift(*database, set));
  };
  CHECK(of("DO $$ BEGIN CREATE TYPE m AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END $$") ==
        "");
  CHECK(of("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_type WHERE typname = 'm') THEN CREATE TYPE m AS ENUM "
           "('a'); END IF; END "
           "$$") ==
        "unknown: app/0001_a.sql:4: a DO block asks the catalogue of the database, and not of its schema "
        "only");
  CHECK(of("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema() AND "
           "tablename = 'm') THEN "
           "CREATE TABLE m (id int); END IF; END $$") == "");
}

TEST_CASE("a schema of any name is compared as its search_path has it") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  run(*engine.open(),
      "CREATE SCHEMA \"My.App\"; DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = \"My.App\", "
      "public', current_database()); END $$; CREATE TABLE public.others (id int)");
  const auto database = engine.open();
  const MigrationSet set = migration_set({{"schema", std::string(schema)},
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

TEST_CASE("a role that may not make a schema hears so") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  const auto database = engine.open();
  const MigrationSet set = migration_set({{"a", table_migration("a")}});
  Migrator(*database, set).up();
  run(*database,
      "DROP ROLE IF EXISTS drift_reader; CREATE ROLE drift_reader LOGIN; GRANT SELECT ON ALL TABLES IN "
      "SCHEMA public "
      "TO drift_reader");
  std::string url = engine.url();
  const auto reader = open_database(url.replace(url.find("postgres@"), 9, "drift_reader@"));
  const DriftReport report = drift(*reader, set);
  CHECK(report.unknown == "the role may not make the scratch schema in which migrations are replayed");
  CHECK(report.hint.find("GRANT CREATE ON DATABASE") != std::string::npos);
  run(*database, "DROP OWNED BY drift_reader; DROP ROLE drift_reader");
}
