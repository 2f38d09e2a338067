// SPDX-License-Identifier: Apache-2.0
// Every test runs on SQLite and on PostgreSQL.
#include "nerve/migrations/migrator.h"

#include "migrations/migration_files.h"
#include "support/engine.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace nerve;
using migrations::Action;
using migrations::Condition;
using migrations::Ledger;
using migrations::MigrationSet;
using migrations::Migrator;
using migrations::MigratorOptions;
using migrations::Reference;
using test::migration_set;
using test::table_migration;

namespace {

MigratorOptions options() {
  MigratorOptions made;
  made.actor = "tester";
  made.lock_patience = std::chrono::milliseconds(1500);
  made.runner_wait = std::chrono::milliseconds(20'000);
  return made;
}

bool has_table(db::Database& database, const std::string& table) {
  const std::string sql = database.dialect() == db::Dialect::sqlite
                              ? "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = :table)"
                              : "SELECT to_regclass(:table) IS NOT NULL";
  return database.read([&](db::Transaction& t) { return t.one<bool>(sql, {{"table", table}}); });
}

std::string conditions(Migrator& migrator) {
  std::string text;
  for (const auto& state : migrator.state().migrations) text += std::string(to_string(state.condition)) + " ";
  return text;
}

std::string actions(db::Database& database) {
  return database.read([](db::Transaction& t) {
    std::string text;
    for (const auto& event : Ledger().events(t, 100)) {
      text = std::string(db::enum_texts<Action>[static_cast<std::size_t>(event.action)]) + " " +
             event.subject + ", " + text;
    }
    return text;
  });
}

template <class Work>
std::string message_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    CHECK_FALSE(std::string(error.hint()).empty());
    return error.what();
  }
  return "no error";
}

}  // namespace

CONFORMANCE_TEST("up applies what is pending, down takes it back in reverse, and the history stays") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const MigrationSet set = migration_set({{"a", table_migration("a")}, {"b", table_migration("b")}});
  Migrator migrator(*database, set, Ledger(), options());
  CHECK(conditions(migrator) == "pending pending ");
  CHECK_FALSE(has_table(*database, "schema_migrations"));

  CHECK(migrator.up().size() == 2);
  CHECK(conditions(migrator) == "applied applied ");
  CHECK(has_table(*database, "b"));
  CHECK(migrator.up().empty());

  const auto undone = migrator.down(1);
  REQUIRE(undone.size() == 1);
  CHECK(undone[0].step.migration->reference.to_string() == "app@0002");
  CHECK_FALSE(has_table(*database, "b"));
  CHECK(has_table(*database, "a"));
  CHECK(conditions(migrator) == "applied pending ");
  CHECK(migrator.up().size() == 1);
  CHECK(migrator.down(9).size() == 2);
  CHECK(actions(*database) ==
        "up app@0001, up app@0002, down app@0002, up app@0002, down app@0002, down app@0001, ");
}

CONFORMANCE_TEST("a target applies it and what it stands on, and nothing else") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const MigrationSet set =
      migration_set({{"a", table_migration("a")}, {"b", table_migration("b")}, {"c", table_migration("c")}});
  Migrator migrator(*database, set, Ledger(), options());
  CHECK(migrator.up(Reference{"app", 2}).size() == 2);
  CHECK(conditions(migrator) == "applied applied pending ");
  CHECK(migrator.up().size() == 1);
  CHECK(migrator.down(100, Reference{"app", 1}).size() == 2);
  CHECK(conditions(migrator) == "applied pending pending ");
  CHECK_THROWS_AS(migrator.down(1, Reference{"app", 3}), NotFoundError);
}

CONFORMANCE_TEST("a failing statement is named with its place, and nothing of its migration stays") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const std::string broken =
      "-- irreversible: it is a test\n-- migrate:up\nCREATE TABLE b (id {{num}});\nCREATE TABLE c (id "
      "{{num}});\nCREATE TABEL d (id {{num}});\nCREATE TABLE e (id {{num}});\n";
  const MigrationSet set = migration_set({{"a", table_migration("a")}, {"broken", broken}});
  Migrator migrator(*database, set, Ledger(), options());
  const std::string message = message_of([&] { migrator.up(); });
  CHECK(message.starts_with("app/0002_broken.sql:5: statement 3 of 4 (up): "));
  CHECK(message.find("TABEL") != std::string::npos);
  CHECK(has_table(*database, "a"));
  CHECK_FALSE(has_table(*database, "b"));
  CHECK(conditions(migrator) == "applied pending ");
  CHECK(actions(*database) == "up app@0001, fail app@0002, ");
}

CONFORMANCE_TEST("a first migration that fails leaves no ledger behind") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const MigrationSet set = migration_set({{"broken", "-- irreversible: x\n-- migrate:up\nSELEC 1;\n"}});
  Migrator migrator(*database, set, Ledger(), options());
  CHECK_THROWS_AS(migrator.up(), DatabaseError);
  CHECK_FALSE(has_table(*database, "schema_migrations"));
}

CONFORMANCE_TEST("a changed file, a missing file and one out of order stop before anything is done") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const MigrationSet set = migration_set({{"a", table_migration("a")}, {"b", table_migration("b")}});
  Migrator(*database, set, Ledger(), options()).up();

  const MigrationSet changed = migration_set({{"a", table_migration("a", "-- a comment\n")},
                                              {"b", table_migration("b")},
                                              {"c", table_migration("c")}});
  Migrator with_changed(*database, changed, Ledger(), options());
  CHECK(conditions(with_changed) == "changed applied pending ");
  CHECK_THROWS_AS(with_changed.up(), IntegrityError);
  CHECK(message_of([&] {
          with_changed.up();
        }).starts_with("app/0001_a.sql: the file was changed after app@0001"));
  CHECK_FALSE(has_table(*database, "c"));
  with_changed.accept_change({"app", 1});
  CHECK(with_changed.up().size() == 1);
  CHECK_THROWS_AS(with_changed.accept_change({"app", 1}), ConflictError);

  const MigrationSet shorter = migration_set({{"a", table_migration("a", "-- a comment\n")}});
  Migrator with_missing(*database, shorter, Ledger(), options());
  CHECK(conditions(with_missing) == "applied missing missing ");
  CHECK_THROWS_AS(with_missing.up(), ConflictError);
  CHECK(message_of([&] { with_missing.down(1); }).find("there is no such migration") != std::string::npos);
}

CONFORMANCE_TEST("a migration before the last applied one of its module is refused") {
  START_ENGINE(engine);
  const auto database = engine.open();
  std::vector<migrations::Migration> files;
  files.push_back(migrations::parse_migration("app", "0002_b.sql", "app/0002_b.sql", table_migration("b")));
  Migrator(*database, MigrationSet(files, {}), Ledger(), options()).up();
  files.push_back(migrations::parse_migration("app", "0001_a.sql", "app/0001_a.sql", table_migration("a")));
  const MigrationSet set(files, {});
  Migrator migrator(*database, set, Ledger(), options());
  CHECK(conditions(migrator) == "out of order applied ");
  CHECK_THROWS_AS(migrator.up(), ConflictError);
}

CONFORMANCE_TEST("a migration without a way back is not taken back, and nothing after it either") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const MigrationSet set = migration_set(
      {{"a", "-- irreversible: the data cannot be made again\n-- migrate:up\nCREATE TABLE a (id {{num}});\n"},
       {"b", table_migration("b")}});
  Migrator migrator(*database, set, Ledger(), options());
  migrator.up();
  CHECK_THROWS_AS(migrator.down(2), DeniedError);
  CHECK(has_table(*database, "b"));
  CHECK(message_of([&] { migrator.down(2); }) == "app@0001 has no way back: the data cannot be made again");
}

CONFORMANCE_TEST("a migration without transaction goes on at the statement where it was cut off") {
  START_ENGINE(engine);
  const auto database = engine.open();
  // The third statement fails until the table is there.
  const std::string text =
      "-- no-transaction\n-- migrate:up\nCREATE TABLE a (id {{num}});\nINSERT INTO a VALUES (1);\nINSERT "
      "INTO later "
      "VALUES (1);\nINSERT INTO a VALUES (2);\n-- migrate:down\nDROP TABLE a;\nDROP TABLE later;\n";
  const MigrationSet set = migration_set({{"a", text}});
  Migrator migrator(*database, set, Ledger(), options());
  CHECK(message_of([&] { migrator.up(); }).starts_with("app/0001_a.sql:5: statement 3 of 4 (up): "));
  CHECK(conditions(migrator) == "incomplete ");
  const auto steps = migrator.plan_up();
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].is_resumed);
  CHECK(steps[0].statements_done == 2);
  database->write([](db::Transaction& t) { t.execute("CREATE TABLE later (id INTEGER)"); });
  const auto results = migrator.up();
  REQUIRE(results.size() == 1);
  CHECK(results[0].statements == 2);
  CHECK(conditions(migrator) == "applied ");
  CHECK(database->read([](db::Transaction& t) { return t.one<std::int64_t>("SELECT count(*) FROM a"); }) ==
        2);
  CHECK(migrator.down(1).size() == 1);
  CHECK_FALSE(has_table(*database, "a"));
  CHECK(conditions(migrator) == "pending ");
}

CONFORMANCE_TEST("eight runners at once apply each migration once") {
  START_ENGINE(engine);
  engine.open();
  std::vector<std::pair<std::string, std::string>> files;
  for (int i = 0; i < 12; ++i) {
    const std::string name = "t" + std::to_string(i);
    files.emplace_back(name, table_migration(name));
  }
  const MigrationSet set = migration_set(files);
  std::atomic<std::size_t> applied{0};
  std::atomic<int> failures{0};
  std::vector<std::thread> runners;
  for (int i = 0; i < 8; ++i) {
    runners.emplace_back([&] {
      try {
        const auto database = engine.open();
        applied += Migrator(*database, set, Ledger(), options()).up().size();
      } catch (const std::exception&) {
        ++failures;
      }
    });
  }
  for (std::thread& runner : runners) runner.join();
  CHECK(failures == 0);
  CHECK(applied == files.size());
  const auto database = engine.open();
  const auto ups = database->read([](db::Transaction& t) {
    return t.one<std::int64_t>("SELECT count(*) FROM migration_events WHERE action = 'up'");
  });
  CHECK(ups == static_cast<std::int64_t>(files.size()));
}

CONFORMANCE_TEST("a runner that waits too long says who holds the lock") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const auto lock = database->lock_schema(std::chrono::milliseconds(0));
  const MigrationSet set = migration_set({{"a", table_migration("a")}});
  MigratorOptions impatient = options();
  impatient.runner_wait = std::chrono::milliseconds(100);
  Migrator migrator(*database, set, Ledger(), impatient);
  const std::string message = message_of([&] { migrator.up(); });
  CHECK(message.find("is being changed by another process") != std::string::npos);
  CHECK(message.find(engine.dialect == db::Dialect::sqlite ? "pid " : "server process ") !=
        std::string::npos);
  CHECK_FALSE(has_table(*database, "a"));
}

CONFORMANCE_TEST("another tool's ledger is left alone, and ours may have another name") {
  START_ENGINE(engine);
  const auto database = engine.open();
  database->write([](db::Transaction& t) {
    t.execute("CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)");
  });
  const MigrationSet set = migration_set({{"a", table_migration("a")}});
  Migrator migrator(*database, set, Ledger(), options());
  CHECK_THROWS_AS(migrator.up(), ConflictError);
  Migrator other(*database, set, Ledger("nerve_migrations"), options());
  CHECK(other.up().size() == 1);
  CHECK(has_table(*database, "nerve_migrations_events"));
}

CONFORMANCE_TEST("a baseline declares migrations applied without running them") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const MigrationSet set =
      migration_set({{"a", table_migration("a")}, {"b", table_migration("b")}, {"c", table_migration("c")}});
  Migrator migrator(*database, set, Ledger(), options());
  CHECK(migrator.baseline(Reference{"app", 2}).size() == 2);
  CHECK_FALSE(has_table(*database, "a"));
  CHECK(conditions(migrator) == "applied applied pending ");
  CHECK(migrator.up().size() == 1);
  CHECK_THROWS_AS(migrator.baseline(), ConflictError);
}

CONFORMANCE_TEST("what runs before the steps can refuse them") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const MigrationSet set = migration_set({{"a", table_migration("a")}});
  MigratorOptions refusing = options();
  refusing.before = [](const std::vector<migrations::Step>& steps) {
    CHECK(steps.size() == 1);
    throw DeniedError("no backup could be made", "Make room.");
  };
  Migrator migrator(*database, set, Ledger(), refusing);
  CHECK_THROWS_AS(migrator.up(), DeniedError);
  CHECK_FALSE(has_table(*database, "a"));
}

TEST_CASE("a lock that others hold is tried for again and again, and given up with nothing changed") {
  if (test::Postgresql::is_waived()) {
    MESSAGE("skipped: PostgreSQL is not installed and NERVE_POSTGRES=optional");
    return;
  }
  const test::Postgresql engine;
  const auto database = engine.open();
  const MigrationSet set =
      migration_set({{"a", table_migration("a")},
                     {"b", "-- irreversible: x\n-- migrate:up\nALTER TABLE a ADD COLUMN c integer;\n"}});
  Migrator migrator(*database, set, Ledger(), options());
  migrator.up(Reference{"app", 1});
  const auto other = engine.open();
  other->write([&](db::Transaction& t) {
    t.execute("LOCK TABLE a IN ACCESS SHARE MODE");
    const std::string message = message_of([&] { migrator.up(); });
    CHECK(message.starts_with("a lock that the migration needs could not be had in "));
  });
  CHECK(conditions(migrator) == "applied pending ");
  CHECK(migrator.up().size() == 1);
}

TEST_CASE("a concurrent index that fails leaves nothing, and is made once its cause is gone") {
  if (test::Postgresql::is_waived()) {
    MESSAGE("skipped: PostgreSQL is not installed and NERVE_POSTGRES=optional");
    return;
  }
  const test::Postgresql engine;
  const auto database = engine.open();
  const MigrationSet set = migration_set(
      {{"a", table_migration("a")},
       {"i",
        "-- no-transaction\n-- migrate:up\nCREATE UNIQUE INDEX CONCURRENTLY a_body ON a (body);\n-- "
        "migrate:down\nDROP INDEX CONCURRENTLY a_body;\n"}});
  Migrator migrator(*database, set, Ledger(), options());
  migrator.up(Reference{"app", 1});
  database->write([](db::Transaction& t) { t.execute("INSERT INTO a VALUES (1, 'x'), (2, 'x')"); });
  CHECK_THROWS_AS(migrator.up(), DatabaseError);
  CHECK_FALSE(has_table(*database, "a_body"));
  CHECK(conditions(migrator) == "applied incomplete ");
  database->write([](db::Transaction& t) { t.execute("DELETE FROM a WHERE id = 2"); });
  CHECK(migrator.up().size() == 1);
  CHECK(has_table(*database, "a_body"));
  CHECK(migrator.down(1).size() == 1);
  CHECK_FALSE(has_table(*database, "a_body"));
}
