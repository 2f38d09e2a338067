// SPDX-License-Identifier: Apache-2.0
// Goal: who may create in the schema that is current runs no code as whoever runs a command (CVE-2018-1058):
// what reads the catalogues alone goes on, all else is refused.
// Method: another role sets traps in it: operators and functions that fit the types of the catalogues'
// columns better than the server's own. A superuser springs a trap, which the server's log tells; a role that
// may not execute them is refused as soon as a statement is resolved to one, rows or none. NERVE_DB_BIN names
// the command.
#include "nerve_db.h"
#include "support/postgres_server.h"
#include "support/process.h"
#include "support/temp_folder.h"

#include "nerve/backends/open.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <libpq-fe.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

using namespace nerve;
using namespace nerve::test;

namespace {

constexpr std::string_view sprung = "a trap was sprung";

/// Objects of every kind that an export describes, and what the checks look at.
constexpr std::string_view scene_sql = R"(
CREATE TYPE mood AS ENUM ('calm', 'cross');
CREATE DOMAIN short AS varchar(9) DEFAULT 'x' CHECK (length(VALUE) > 0);
CREATE TYPE spot AS (x int, y text);
CREATE TYPE span AS RANGE (SUBTYPE = float8);
CREATE TABLE owner (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE "C", how mood, s short);
CREATE TABLE item (id serial PRIMARY KEY, owner_id bigint REFERENCES owner ON DELETE CASCADE, body text UNIQUE,
  upper_body text GENERATED ALWAYS AS (upper(body)) STORED, CHECK (body <> 'none'));
CREATE INDEX item_lower ON item (lower(body)) WHERE id > 1;
CREATE INDEX item_body ON item (body); CREATE INDEX item_body_again ON item (body);
CREATE STATISTICS item_both ON id, body FROM item;
CREATE TABLE part (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE part_default PARTITION OF part DEFAULT;
INSERT INTO part VALUES (1, '2020-01-01');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION touch();
CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE VIEW named AS SELECT o.name, count(*) AS items FROM owner o JOIN item i ON i.owner_id = o.id GROUP BY 1;
CREATE MATERIALIZED VIEW kept AS SELECT 1 AS one;
CREATE RULE quiet AS ON DELETE TO part_1 DO INSTEAD NOTHING;
ALTER TABLE owner ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON owner FOR SELECT TO PUBLIC USING (name = CURRENT_USER);
CREATE SEQUENCE apart INCREMENT 2;
)";

/// Whoever resolves to one of them: a log line for a superuser, a refusal for whom it is not granted.
constexpr std::string_view traps_sql = R"(
DO $do$
DECLARE
  types text[] := ARRAY['oid', '"char"', 'name', 'text', 'varchar', 'boolean', 'smallint', 'integer', 'bigint',
    'real', 'double precision', 'numeric', 'regclass', 'regtype', 'regproc', 'timestamptz', 'interval', 'xid',
    'smallint[]', 'oid[]', 'text[]', 'name[]', 'int2vector', 'oidvector', 'inet', 'pg_lsn', 'jsonb'];
  few text[] := ARRAY['oid', 'name', 'text', 'varchar', 'smallint', 'integer', 'bigint', 'regclass', 'smallint[]'];
  operators text[] := ARRAY['=', '<>', '<', '>', '<=', '>=', '||', '+', '-', '*', '/', '~~', '!~~', '~', '!~'];
  functions text[] := ARRAY['age', 'array_agg', 'array_position', 'array_to_string', 'bool_or', 'cardinality', 'count',
    'date_part', 'extract', 'format', 'format_type', 'has_sequence_privilege', 'has_table_privilege', 'host', 'json_agg',
    'lower', 'max', 'min', 'mxid_age', 'oidvectortypes', 'pg_blocking_pids', 'pg_database_size', 'pg_get_constraintdef',
    'pg_get_expr', 'pg_get_indexdef', 'pg_has_role', 'pg_relation_size', 'pg_table_size', 'pg_wal_lsn_diff',
    'quote_ident', 'quote_literal', 'round', 'string_agg', 'sum', 'to_json', 'to_regclass', 'unnest',
    'pg_total_relation_size', 'pg_indexes_size', 'current_setting', 'array_length', 'replace'];
  made text := 'LANGUAGE plpgsql AS $$ BEGIN RAISE LOG ''a trap was sprung''; RETURN NULL; END $$';
  l text; r text; o text; f text;
BEGIN
  FOREACH l IN ARRAY types LOOP
    FOREACH f IN ARRAY functions LOOP
      EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS text %s', f, l, made);
    END LOOP;
    FOREACH r IN ARRAY types LOOP
      EXECUTE format('CREATE FUNCTION hidden.trap(%s, %s) RETURNS boolean %s', l, r, made);
      FOREACH o IN ARRAY operators LOOP
        EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = hidden.trap)', o, l, r);
      END LOOP;
    END LOOP;
  END LOOP;
  FOREACH f IN ARRAY functions LOOP
    FOREACH l IN ARRAY few LOOP
      FOREACH r IN ARRAY few LOOP
        EXECUTE format('CREATE FUNCTION public.%I(%s, %s) RETURNS text %s', f, l, r, made);
      END LOOP;
    END LOOP;
  END LOOP;
  EXECUTE 'CREATE FUNCTION public.format(text, name, name) RETURNS text ' || made;
  EXECUTE 'REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public, hidden FROM PUBLIC';
END $do$
)";

/// Statements as a role that may create in public, and no more.
void as_intruder(PostgresServer& server, std::string_view database, std::string_view sql) {
  server.execute("DO $$ BEGIN CREATE ROLE intruder LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
  server.execute(
      "GRANT CREATE ON SCHEMA public TO PUBLIC; CREATE SCHEMA IF NOT EXISTS hidden AUTHORIZATION "
      "intruder; GRANT USAGE ON SCHEMA hidden TO PUBLIC",
      database);
  server.execute("SET ROLE intruder; " + std::string(sql), database);
}

std::string url_of_role(std::string url, std::string_view role) {
  const std::size_t at = url.find("postgres@");
  REQUIRE(at != std::string::npos);
  return url.replace(at, std::string_view("postgres").size(), role);
}

/// Every command that looks at catalogues alone.
std::vector<std::vector<std::string>> catalogue_commands(const std::string& url) {
  return {{"health", "--db", url},
          {"stats", "--db", url},
          {"schema", "export", "--db", url},
          {"schema", "doc", "--db", url}};
}

/// Those that read or write tables by their names.
std::vector<std::vector<std::string>> table_commands(const std::string& url, const std::string& folder) {
  std::vector<std::vector<std::string>> commands;
  for (const char* command : {"status", "plan", "verify", "history", "up"})
    commands.push_back({"migrate", command, "--db", url, "--dir", folder});
  commands.push_back({"migrate", "down", "--yes", "--db", url, "--dir", folder});
  return commands;
}

}  // namespace

TEST_CASE("no statement about the catalogues resolves to an operator or function of the current schema") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  const std::string url = server.create_database("path_traps");
  const TempFolder folder;
  std::ofstream(folder / "0001_scene.sql") << "-- irreversible: x\n-- migrate:up\n" << scene_sql;
  const ProcessResult up = nerve_db({"migrate", "up", "--db", url, "--dir", folder.path()});
  REQUIRE_MESSAGE(up.exit_code == 0, up.err);
  server.execute(
      "CREATE ROLE watcher LOGIN CREATEDB; GRANT pg_monitor TO watcher; GRANT CREATE ON DATABASE path_traps "
      "TO "
      "watcher; GRANT SELECT ON ALL TABLES IN SCHEMA public TO watcher; GRANT SELECT, USAGE ON ALL SEQUENCES "
      "IN SCHEMA public TO watcher; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO watcher",
      "path_traps");
  as_intruder(server, "path_traps", traps_sql);

  // They are live: a session with the path of the role springs them.
  server.execute("DO $$ BEGIN PERFORM 1 FROM pg_class WHERE oid = 0; END $$", "path_traps");
  CHECK(count_in_log(server, sprung) > 0);
  constexpr int denied = 5;
  for (const char* role : {"postgres", "watcher"}) {
    const std::string role_url = url_of_role(url, role);
    for (const auto& command : catalogue_commands(role_url)) {
      INFO(fmt::format("{}", fmt::join(command, " ")));
      const std::size_t before = count_in_log(server, sprung);
      const ProcessResult result = nerve_db(command);
      INFO(result.out.substr(0, 1000), result.err);
      CHECK(result.exit_code <= 3);
      CHECK_FALSE(contains(result.out, "SQLSTATE"));
      CHECK_FALSE(contains(result.err, "SQLSTATE"));
      CHECK(count_in_log(server, sprung) == before);
    }
    for (const auto& command : table_commands(role_url, folder.path())) {
      INFO(fmt::format("{}", fmt::join(command, " ")));
      const std::size_t before = count_in_log(server, sprung);
      const ProcessResult result = nerve_db(command);
      INFO(result.out.substr(0, 1000), result.err);
      CHECK(result.exit_code == denied);
      CHECK(contains(result.err, "REVOKE CREATE ON SCHEMA public FROM PUBLIC"));
      CHECK(count_in_log(server, sprung) == before);
    }
  }
  // What was planted while it was open is refused when it is closed, and all goes on when it is gone.
  server.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC", "path_traps");
  const auto status = table_commands(url, folder.path()).front();
  const ProcessResult refused = nerve_db(status);
  CHECK(refused.exit_code == denied);
  CHECK(contains(refused.err, "is owned by intruder"));
}

TEST_CASE("a conversion that appends runs triggers with their path, and not where others may create") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  const std::string url = server.create_database("path_append");
  const TempFolder folder;
  const std::string source = folder / "app.db";
  const std::string sql =
      "CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT); INSERT INTO t VALUES (7, 'seven'), (8, 'eight')";
  REQUIRE(run_process({"sqlite3", "-batch", source, sql}).exit_code == 0);
  server.execute(
      "CREATE ROLE loader LOGIN; GRANT CREATE ON DATABASE path_append TO loader; "
      "CREATE TABLE seen (id bigint); CREATE TABLE t (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY "
      "KEY, "
      "body text); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN INSERT INTO seen VALUES (NEW.id); RETURN NEW; END $$; "
      "CREATE CONSTRAINT TRIGGER note AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
      "EXECUTE FUNCTION note(); ALTER TABLE t OWNER TO loader; ALTER TABLE seen OWNER TO loader",
      "path_append");
  const auto append = [&](const char* option) {
    return nerve_db(
        {"convert", source, url_of_role(url, "loader"), "--schema", "public", "--append", option});
  };
  for (const char* option : {"--atomic", "--quiet"}) {
    server.execute("DROP SCHEMA IF EXISTS nerve_convert CASCADE; TRUNCATE t, seen", "path_append");
    const ProcessResult result = append(option);
    INFO(result.out, result.err);
    CHECK(result.exit_code == 0);
    CHECK(server.query_text("SELECT count(*) FROM seen", "path_append") == "2");
  }
  as_intruder(server, "path_append", traps_sql);
  const std::size_t before = count_in_log(server, sprung);
  const ProcessResult refused = append("--quiet");
  CHECK(refused.exit_code == 5);
  CHECK(contains(refused.err, "REVOKE CREATE ON SCHEMA public FROM PUBLIC"));
  CHECK(count_in_log(server, sprung) == before);
  CHECK(server.query_text("SELECT count(*) FROM seen", "path_append") == "2");
}

TEST_CASE("an operator of another role does not run in health, stats or an export that a superuser runs") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  const std::string url = server.create_database("path_operator");
  server.execute("CREATE TABLE item (id serial PRIMARY KEY)", "path_operator");
  as_intruder(server, "path_operator", R"(
    CREATE FUNCTION public.longer(numeric, double precision) RETURNS boolean LANGUAGE plpgsql AS
      $$ BEGIN RAISE LOG 'a trap was sprung'; RETURN false; END $$;
    CREATE OPERATOR public.> (LEFTARG = numeric, RIGHTARG = double precision, FUNCTION = public.longer);
    CREATE FUNCTION public.same(oid, integer) RETURNS boolean LANGUAGE plpgsql AS
      $$ BEGIN RAISE LOG 'a trap was sprung'; RETURN true; END $$;
    CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = integer, FUNCTION = public.same);
    CREATE FUNCTION public.format(text, name, name) RETURNS text LANGUAGE plpgsql AS
      $$ BEGIN RAISE LOG 'a trap was sprung'; RETURN ''; END $$)");
  // A transaction that is open, so that there is a row to compare.
  const std::unique_ptr<PGconn, decltype(&PQfinish)> open(PQconnectdb(url_of_role(url, "intruder").c_str()),
                                                          &PQfinish);
  PQclear(PQexec(open.get(), "BEGIN"));
  PQclear(PQexec(open.get(), "SELECT 1"));
  server.execute(
      "DO $$ BEGIN PERFORM extract(epoch FROM clock_timestamp() - xact_start) > CAST(1 AS float8) "
      "FROM pg_stat_activity WHERE xact_start IS NOT NULL; END $$",
      "path_operator");
  CHECK(count_in_log(server, sprung) > 0);
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"health", "--db", url}, {"stats", "--db", url}, {"schema", "export", "--db", url}}) {
    INFO(command.front());
    const std::size_t before = count_in_log(server, sprung);
    CHECK(nerve_db(command).exit_code <= 3);
    CHECK(count_in_log(server, sprung) == before);
  }
}

TEST_CASE("schemas of the role's path in which others can create are not on the path of a connection") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  const std::string url = server.create_database("path_pinned");
  server.execute(
      "CREATE SCHEMA app; CREATE SCHEMA kept; CREATE SCHEMA \"Open, too\"; GRANT ALL ON SCHEMA \"Open, too\" "
      "TO PUBLIC; ALTER DATABASE path_pinned SET search_path = app, public, \"Open, too\", kept",
      "path_pinned");
  as_intruder(server, "path_pinned", "SELECT 1");
  const auto path = [](db::Database& database) {
    return database.read(
        [](db::Transaction& t) { return t.one<std::string>("SELECT current_setting('search_path')"); });
  };
  CHECK(path(*open_database(url)) == "app, kept, pg_temp");
  // Neither are those of which somebody else is the owner, or owns something in.
  server.execute(
      "CREATE SCHEMA given AUTHORIZATION intruder; CREATE SCHEMA visited; CREATE FUNCTION visited.f() "
      "RETURNS int "
      "LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION visited.f() OWNER TO intruder; "
      "ALTER DATABASE path_pinned SET search_path = app, given, visited, kept",
      "path_pinned");
  CHECK(path(*open_database(url)) == "app, kept, pg_temp");
}

TEST_CASE("a schema that is current and open to others is read for definitions, and for nothing else") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  const std::string url = server.create_database("path_open");
  server.execute(
      "CREATE SCHEMA app; CREATE SCHEMA \"Open, too\"; GRANT CREATE ON SCHEMA \"Open, too\" TO PUBLIC; "
      "ALTER DATABASE path_open SET search_path = \"Open, too\", app",
      "path_open");
  const auto database = open_database(url);
  const auto path = [](db::Transaction& t) {
    return t.one<std::string>("SELECT pg_catalog.current_setting('search_path')");
  };
  CHECK(database->read_catalogue(path) == "pg_catalog, pg_temp");
  CHECK(database->read_definitions(path) == "\"Open, too\", app, pg_temp");
  CHECK(database->read_catalogue(path) == "pg_catalog, pg_temp");
  const auto nothing = [](db::Transaction&) {};
  CHECK_THROWS_WITH_AS(database->read(nothing),
                       doctest::Contains("PUBLIC may create in the schema \"Open, too\" of "), DeniedError);
  CHECK_THROWS_AS(database->write(nothing), DeniedError);
  CHECK_THROWS_AS(database->change_schema([&](db::SchemaSession& session) { session.write(nothing); }),
                  DeniedError);
  CHECK_THROWS_AS(database->change_schema([&](db::SchemaSession& session) {
    session.execute_alone("VACUUM", std::chrono::milliseconds(0));
  }),
                  DeniedError);
  CHECK_THROWS_AS(database->lock_schema(std::chrono::milliseconds(0)), DeniedError);
}
