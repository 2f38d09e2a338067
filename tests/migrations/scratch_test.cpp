// SPDX-License-Identifier: Apache-2.0
// Goal: whatever the text of applied migrations does when it is replayed, it does to a scratch database and
// to nothing else. Method: each text is hostile, stands in the ledger as applied, and is replayed by a
// superuser beside a database with sequences, rows, an event trigger and a path for a file that it would
// change.
#include "migrations/drift_scene.h"

#include "nerve/core/error.h"
#include "nerve/migrations/migrator.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

using namespace nerve;
using migrations::DriftReport;
using migrations::MigrationSet;
using migrations::Migrator;
using test::drift;
using test::migration_set;
using test::PostgresServer;
using test::run;
using test::table_migration;
using test::text_of;

namespace {

const std::string up = "-- irreversible: x\n-- migrate:up\n-- dialect:postgresql\n";

/// What the first migration makes, and what people did besides.
const std::string scene_sql =
    "CREATE SEQUENCE number; CREATE TABLE t (id bigint DEFAULT nextval('number'), v text);\n"
    "CREATE FUNCTION one() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT setval('number', 1) $$;\n";

/// A database that is in use, and what must stay as it is.
class Production {
 public:
  Production() : database(engine.open()), witness_("/tmp/nerve-witness-" + std::to_string(::getpid())) {
    const MigrationSet set = migration_set({{"a", up + scene_sql}});
    Migrator(*database, set).up();
    run(*database,
        "INSERT INTO t (v) SELECT 'row' FROM generate_series(1, 10); SELECT setval('number', 500000);"
        "CREATE SCHEMA elsewhere; CREATE SEQUENCE elsewhere.number; CREATE TABLE elsewhere.rows AS SELECT 7 "
        "AS v;"
        "SELECT setval('elsewhere.number', 700);"
        "CREATE TABLE elsewhere.log (id bigint GENERATED ALWAYS AS IDENTITY, what text);"
        "CREATE FUNCTION elsewhere.note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO elsewhere.log (what) VALUES (tg_tag); END $$;"
        "CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION elsewhere.note();"
        "SELECT setval('elsewhere.log_id_seq', 1, false)");
  }

  /// What a rollback would not undo, and what a lock would.
  std::string state() const {
    std::string state = database->read([](db::Transaction& transaction) {
      return transaction.one<std::string>(
          "SELECT (SELECT last_value FROM number) || ' ' || (SELECT last_value FROM elsewhere.number) || ' ' "
          "|| "
          "(SELECT CAST(last_value AS text) || is_called FROM elsewhere.log_id_seq) || ' ' || (SELECT "
          "count(*) FROM elsewhere.log) || ' ' || "
          "(SELECT string_agg(v, ',') FROM t) || ' ' || (SELECT sum(v) FROM elsewhere.rows) || ' ' || "
          "(SELECT string_agg(CAST(relfilenode AS text), ',' ORDER BY oid) FROM pg_class WHERE relkind = "
          "'r')");
    });
    return state + (std::filesystem::exists(witness_) ? " and a file" : "");
  }

  /// The drift where `sql` is the second migration, declared as applied without being run.
  std::string replayed(const std::string& sql) const {
    const MigrationSet set = migration_set({{"a", up + scene_sql}, {"b", up + sql + ";\n"}});
    run(*database, "DELETE FROM schema_migrations");
    Migrator(*database, set).baseline();
    return text_of(drift(*database, set));
  }

  /// Runs a text in the database itself, and rolls it back.
  void attempt(const std::string& sql) const {
    struct RolledBack {};
    try {
      database->write([&](db::Transaction& transaction) {
        transaction.execute_script(sql);
        throw RolledBack();
      });
    } catch (const RolledBack&) {
    } catch (const DatabaseError&) {
      return;  // After its harm a text may fail.
    }
  }

  /// As the server's own user may do, in a folder where that one may write as well.
  std::string copy_to_witness() const { return "COPY (SELECT 1) TO PROGRAM 'cat >" + witness_ + "'"; }

  void remove_witness() const { std::filesystem::remove(witness_); }

  test::Postgresql engine;
  std::unique_ptr<db::Database> database;

 private:
  std::string witness_;
};

std::int64_t scratch_databases() {
  return std::stoll(PostgresServer::shared().query_text(
      "SELECT count(*) FROM pg_database WHERE datname LIKE 'nerve\\_scratch\\_%'"));
}

std::string url_of_role(std::string url, std::string_view role) {
  return url.replace(url.find("postgres@"), std::string_view("postgres").size(), role);
}

DriftReport drift_by_itself(db::Database& database, const MigrationSet& set, const std::string& url) {
  return find_drift(database, set, migrations::Ledger(), [&] { return open_scratch_database(url); });
}

}  // namespace

TEST_CASE("no replayed text reaches the sequences, rows and locks of the verified database") {
  if (test::Postgresql::is_waived()) return;
  const Production production;
  const std::string before = production.state();
  for (const std::string& sql : std::vector<std::string>{
           "DO $$ BEGIN EXECUTE 'SELECT set' || 'val(''elsewhere.number'', 1)'; END $$",
           R"(DO $$ BEGIN EXECUTE E'SELECT \x73etval(''number'', 1)'; END $$)",
           R"(DO $$ BEGIN EXECUTE U&'SELECT \0073etval(''number'', 1)'; END $$)",
           "CREATE TABLE made (id int); ALTER TABLE made ADD COLUMN x int; DROP TABLE made",
           R"(CREATE TABLE p (id bigint) PARTITION BY RANGE (id);
              CREATE TABLE q PARTITION OF p FOR VALUES FROM (one()) TO (9))",
           "ALTER TABLE t ADD COLUMN w bigint DEFAULT one()",
           R"(SET LOCAL SCHEMA 'elsewhere';
              ALTER TABLE rows ALTER COLUMN v TYPE bigint USING setval('elsewhere.number', 1))",
           "SET LOCAL SCHEMA 'public'; ALTER TABLE t ALTER COLUMN id TYPE bigint USING setval('number', 1)",
           "DECLARE c CURSOR FOR SELECT setval('elsewhere.number', 1); FETCH ALL FROM c",
           "CREATE VIEW w AS SELECT one() AS v; SELECT v FROM w", "CREATE INDEX i ON t (one())",
           "LOCK TABLE elsewhere.rows; DROP TABLE elsewhere.rows",
           "CREATE PROCEDURE reset() LANGUAGE sql AS $$ SELECT setval('number', 1) $$; CALL reset()"}) {
    CAPTURE(sql);
    production.replayed(sql);
    REQUIRE(production.state() == before);
    // In the database itself the same text does its harm, though it is rolled back.
    production.attempt(sql);
    CHECK(production.state() != before);
    run(*production.database,
        "SELECT setval('number', 500000), setval('elsewhere.number', 700), setval('elsewhere.log_id_seq', 1, "
        "false)");
  }
}

TEST_CASE("a replay by a superuser has the rights of the owner of an empty database, whatever it says") {
  if (test::Postgresql::is_waived()) return;
  const Production production;
  const std::string before = production.state();
  const std::string copy = production.copy_to_witness();
  const auto in_do = [](const std::string& text) { return "DO $x$ BEGIN " + text + " END $x$"; };
  const auto executed = [](const std::string& text) { return "EXECUTE $y$" + text + "$y$; "; };
  for (const std::string& sql : std::vector<std::string>{
           in_do(copy + ";"), in_do(executed("RESET ROLE") + executed(copy)),
           in_do("PERFORM set_config('role', 'none', true); " + executed(copy)),
           in_do(executed("SET LOCAL SESSION AUTHORIZATION postgres") + executed(copy)),
           in_do("CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE plpgsql SET role = 'postgres' AS $f$ "
                 "BEGIN " +
                 copy + "; RETURN 1; END $f$; PERFORM pg_temp.f();"),
           in_do("ALTER FUNCTION pg_temp.nerve_replay(text[]) SECURITY INVOKER; END $x$; DO $x$ BEGIN RESET "
                 "ROLE; " +
                 copy + ";"),
           "CREATE FUNCTION f() RETURNS bigint LANGUAGE plpgsql AS $x$ BEGIN " + copy +
               "; RETURN 1; END $x$; CREATE TABLE p (id bigint) PARTITION BY RANGE (id); CREATE TABLE q "
               "PARTITION OF "
               "p FOR VALUES FROM (f()) TO (9)",
           "SET LOCAL SESSION AUTHORIZATION postgres", in_do("CREATE ROLE litter;"),
           in_do("ALTER ROLE postgres NOSUPERUSER;"), "SELECT pg_read_file('postgresql.conf')",
           "SELECT lo_export(lo_from_bytea(0, 'x'), '/tmp/nerve-litter')",
           in_do("CREATE EXTENSION dblink;")}) {
    CAPTURE(sql);
    const std::string found = production.replayed(sql);
    CHECK_MESSAGE(found.starts_with("unknown: app/0002_b.sql:4: statement refused: "), found);
    CHECK_MESSAGE(found.ends_with("(SQLSTATE 42501)"), found);
    CHECK(production.state() == before);
  }
  // At the end of a transaction triggers would run without the restriction, so nothing is committed.
  const std::string late =
      "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $x$ BEGIN SET CONSTRAINTS ALL DEFERRED; "
      "INSERT INTO d "
      "VALUES (1); IF pg_trigger_depth() < 2 THEN RETURN NULL; END IF; EXECUTE 'RESET ROLE'; " +
      copy +
      "; RETURN NULL; END $x$; CREATE TABLE d (id int); CREATE CONSTRAINT TRIGGER late AFTER INSERT ON d "
      "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late(); DO $$ BEGIN INSERT INTO d VALUES "
      "(1); END $$";
  production.replayed(late);
  CHECK(production.state() == before);
  // What is of the server is left out where it stands by itself.
  CHECK(production.replayed("ALTER ROLE postgres NOSUPERUSER; " + copy + "; CREATE ROLE litter") == "");
  CHECK(production.state() == before);
  // In the database itself the file does appear.
  production.attempt(copy);
  CHECK(production.state() == before + " and a file");
  production.remove_witness();
}

TEST_CASE("the statements that a session kept are not replaced by those of a migration") {
  if (test::Postgresql::is_waived()) return;
  const Production production;
  const std::string before = production.state();
  std::string sql = "DEALLOCATE ALL";
  for (int number = 0; number < 40; ++number) {
    sql += "; DO $x$ BEGIN EXECUTE 'PREPARE st_" + std::to_string(number) + " AS SELECT one()'; END $x$";
  }
  CHECK(production.replayed(sql).starts_with("unknown: "));
  CHECK(production.state() == before);
}

TEST_CASE("a scratch database is made like the verified one, and is gone afterwards, also after errors") {
  if (test::Postgresql::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  server.execute(
      "CREATE DATABASE scratch_origin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
  const std::string url = server.url("scratch_origin");
  const auto database = open_database(url);
  const MigrationSet set = migration_set(
      {{"a", up + "DO $$ BEGIN IF pg_encoding_to_char((SELECT encoding FROM pg_database WHERE datname = "
                  "current_database())) <> 'LATIN1' THEN RAISE 'other encoding'; END IF; END $$;\n"
                  "CREATE TABLE a (id bigint, body text);\n"}});
  Migrator(*database, set).up();
  CHECK(text_of(drift_by_itself(*database, set, url)) == "");
  const MigrationSet failing =
      migration_set({{"a", set.in_order()[0].text}, {"b", up + "ALTER TABLE by_hand ADD COLUMN b int;\n"}});
  run(*database, "CREATE TABLE by_hand (id int)");
  Migrator(*database, failing).up();
  CHECK(text_of(drift_by_itself(*database, failing, url)) ==
        "unknown: app/0002_b.sql:4: statement refused: relation \"by_hand\" does not exist (SQLSTATE 42P01)");
  CHECK(scratch_databases() == 0);
}

TEST_CASE("what a killed run left is dropped by a later one, and nothing else is") {
  if (test::Postgresql::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  const test::Postgresql engine;
  const auto database = engine.open();
  const MigrationSet set = migration_set({{"a", table_migration("a")}});
  Migrator(*database, set).up();
  const std::string now =
      server.query_text("SELECT lpad(to_hex(CAST(extract(epoch FROM now()) * 1000 AS bigint)), 12, '0')");
  const std::string old_one = "nerve_scratch_01000000000000000000000000000000";
  const std::string used = "nerve_scratch_01000000000000000000000000000001";
  const std::string of_others = "nerve_scratch_01000000000000000000000000000002";
  const std::string young = "nerve_scratch_" + now + "00000000000000000003";
  const std::string named = "nerve_scratch_of_mine";
  server.execute("DROP ROLE IF EXISTS scratch_other");
  server.execute("CREATE ROLE scratch_other");
  for (const std::string& name : {old_one, used, of_others, young, named})
    server.execute("CREATE DATABASE " + name + " TEMPLATE template0");
  server.execute("ALTER DATABASE " + of_others + " OWNER TO scratch_other");
  const auto user = open_database(server.url(used));
  user->read([](db::Transaction& transaction) { transaction.one<int>("SELECT 1"); });
  CHECK(text_of(drift_by_itself(*database, set, engine.url())) == "");
  CHECK(server.query_text(
            "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datname LIKE "
            "'nerve\\_scratch\\_%'") == used + " " + of_others + " " + young + " " + named);
  for (const std::string& name : {used, of_others, young, named})
    server.execute("DROP DATABASE " + name + " WITH (FORCE)");
}

TEST_CASE("a role that may not create databases hears what helps, and nothing is run") {
  if (test::Postgresql::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  const test::Postgresql engine;
  const auto database = engine.open();
  const MigrationSet set = migration_set({{"a", table_migration("a")}});
  Migrator(*database, set).up();
  run(*database,
      "DROP ROLE IF EXISTS drift_reader; CREATE ROLE drift_reader LOGIN; GRANT SELECT ON ALL TABLES IN "
      "SCHEMA public "
      "TO drift_reader");
  const std::string url = url_of_role(engine.url(), "drift_reader");
  const auto reader = open_database(url, {.read_only = true});
  const DriftReport report = drift_by_itself(*reader, set, url);
  CHECK(report.unknown.starts_with("no scratch database can be made beside " + reader->name()));
  CHECK(report.hint.find("CREATEDB") != std::string::npos);
  CHECK(report.hint.find("--scratch") != std::string::npos);
  // Another database will do, where it is the role's own and empty.
  const std::string named = server.create_database("drift_named");
  const auto in_named = [&] {
    return text_of(find_drift(*reader, set, migrations::Ledger(),
                              [&] { return open_database(url_of_role(named, "drift_reader")); }));
  };
  CHECK(in_named().starts_with("unknown: the role is not the owner of the scratch database "));
  server.execute("ALTER DATABASE drift_named OWNER TO drift_reader");
  CHECK(in_named() == "");
  CHECK(server.query_text("SELECT count(*) FROM pg_class WHERE oid >= 16384", "drift_named") == "0");
  server.execute("CREATE EXTENSION citext; CREATE TABLE kept (id int)", "drift_named");
  CHECK(in_named().find(" is not empty: it has the relation kept") != std::string::npos);
  server.execute("DROP TABLE kept", "drift_named");
  CHECK(in_named() == "");
  server.execute("CREATE EXTENSION postgres_fdw", "drift_named");
  CHECK(in_named().find(" is not empty: it has the foreign data wrapper postgres_fdw") != std::string::npos);
  // The verified database itself is never empty.
  CHECK(text_of(find_drift(*database, set, migrations::Ledger(), [&] {
          return engine.open();
        })).find(" is not empty: it has the relation ") != std::string::npos);
  run(*database, "ALTER ROLE drift_reader CREATEDB");
  CHECK(text_of(drift_by_itself(*reader, set, url)) == "");
  CHECK(scratch_databases() == 0);
  server.execute("DROP DATABASE drift_named");
  run(*database, "DROP OWNED BY drift_reader; DROP ROLE drift_reader");
}
