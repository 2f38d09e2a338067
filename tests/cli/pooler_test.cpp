// SPDX-License-Identifier: Apache-2.0
// Goal: nothing of NERVE stays behind on a connection that a proxy gives to somebody else next.
// Method: pgbouncer pools transactions and has one server connection, so whatever a command leaves there is
// met by the next client. NERVE_DB_BIN names the command.
#include "support/pooler.h"

#include "nerve_db.h"
#include "support/postgres_server.h"
#include "support/process.h"
#include "support/temp_folder.h"

#include "nerve/backends/open.h"
#include "nerve/backends/postgresql/session.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <libpq-fe.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using namespace nerve;
using namespace nerve::test;

namespace {

#define REQUIRE_POOLER()                                        \
  if (PostgresServer::is_waived() || !Pooler::is_installed()) { \
    MESSAGE("skipped: pgbouncer is not installed");             \
    return;                                                     \
  }

/// An application that knows nothing of NERVE.
class Application {
 public:
  /// It has a name, as the proxy gives that of each client to the connection, and leaves one that it was not
  /// given.
  explicit Application(const std::string& url)
      : connection_(PQconnectdb((url + "&application_name=shop").c_str()), &PQfinish) {
    REQUIRE_MESSAGE(PQstatus(connection_.get()) == CONNECTION_OK, PQerrorMessage(connection_.get()));
  }

  std::map<std::string, std::string> run(const std::string& sql) const {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection_.get(), sql.c_str()),
                                                               &PQclear);
    CHECK_MESSAGE(std::string(PQresultErrorMessage(result.get())).empty(),
                  PQresultErrorMessage(result.get()));
    std::map<std::string, std::string> rows;
    for (int row = 0; row < PQntuples(result.get()); ++row)
      rows[PQgetvalue(result.get(), row, 0)] = PQgetvalue(result.get(), row, 1);
    return rows;
  }

  /// All that a command could leave behind: settings, prepared statements, locks of the session, temporary
  /// tables.
  std::map<std::string, std::string> session() const {
    std::map<std::string, std::string> found = run("SHOW ALL");
    found.merge(
        run("SELECT 'process', CAST(pg_backend_pid() AS text) UNION ALL "
            "SELECT 'statement ' || name, statement FROM pg_prepared_statements UNION ALL "
            "SELECT 'lock ' || CAST(l.objid AS text), l.mode FROM pg_locks AS l "
            "WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid() UNION ALL "
            "SELECT 'temporary ' || CAST(c.relname AS text), '' FROM pg_class AS c "
            "WHERE c.relpersistence = 't' UNION ALL "
            "SELECT 'own setting', coalesce(current_setting('nerve.session', true), '')"));
    return found;
  }

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

/// What differs, as a text that says so; empty where nothing was left behind.
std::string left_behind(const std::map<std::string, std::string>& before,
                        const std::map<std::string, std::string>& after) {
  std::string text;
  for (const auto& [name, value] : after) {
    const auto found = before.find(name);
    // A function in plpgsql loads its library, which brings settings at their defaults.
    if (name.starts_with("plpgsql.")) continue;
    if (found == before.end() || found->second != value) text += fmt::format("{} = {}; ", name, value);
  }
  return text;
}

void write_migration(const std::filesystem::path& folder, const std::string& table) {
  std::ofstream(folder / "0001_a.sql")
      << "-- migrate:up\nCREATE TABLE " << table << " (id bigint PRIMARY KEY);\n-- migrate:down\nDROP TABLE "
      << table << ";\n";
}

/// The same for the role that owns the database: stores are not opened as a superuser.
std::string as_owner(std::string url) {
  constexpr std::string_view superuser = "postgres@";
  return url.replace(url.find(superuser), superuser.size(), "owner@");
}

/// Has the stores of a workspace reached through a pool; `settings` is what their URLs end with.
void put_behind(const Pooler& pooler, const PostgresServer& server, const std::filesystem::path& workspace,
                const std::vector<std::string>& databases, const std::string& settings = "") {
  const std::filesystem::path file = workspace / "nerve.toml";
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  std::string changed = text.str();
  for (const std::string& name : databases) {
    const std::string from = as_owner(server.url(name));
    const std::size_t at = changed.find(from);
    REQUIRE(at != std::string::npos);
    changed.replace(at, from.size(), as_owner(pooler.url(name)) + settings);
  }
  std::ofstream(file) << changed;
}

}  // namespace

TEST_CASE("no command that reads leaves anything behind on a connection of a pool") {
  REQUIRE_POOLER();
  PostgresServer& server = PostgresServer::shared();
  const std::string direct = server.create_database("pool_reads");
  const TempFolder folder;
  write_migration(folder.path(), "orders");
  REQUIRE(nerve_db({"migrate", "up", "--db", direct, "--dir", folder.path()}).exit_code == 0);
  for (const StartupOptions kind : {StartupOptions::refused, StartupOptions::ignored}) {
    CAPTURE(static_cast<int>(kind));
    const Pooler pooler(server, kind);
    const std::string url = pooler.url("pool_reads");
    const Application application(url);
    const auto before = application.session();
    const std::vector<std::vector<std::string>> commands{
        {"health", "--db", url},
        {"health", "watch", "--every", "1", "--count", "2", "--db", url},
        {"stats", "--db", url},
        {"schema", "export", "--db", url},
        {"schema", "doc", "--db", url},
        {"migrate", "status", "--db", url, "--dir", folder.path()},
        {"migrate", "plan", "--db", url, "--dir", folder.path()},
        {"migrate", "verify", "--db", url, "--dir", folder.path()},
        {"migrate", "history", "--db", url, "--dir", folder.path()},
    };
    for (const auto& command : commands) {
      INFO(fmt::format("{}", fmt::join(command, " ")));
      const ProcessResult result = nerve_db(command);
      INFO(result.out, result.err);
      // Behind a proxy no scratch database can be made.
      const bool is_verify = command[1] == "verify";
      constexpr int unsupported = 11;
      CHECK((is_verify ? result.exit_code == unsupported : result.exit_code <= 3));
      CHECK(contains(result.out, "--scratch URL") == is_verify);
      CHECK_FALSE(contains(result.err, "error: "));
      CHECK_FALSE(contains(result.out, "SQLSTATE"));
      CHECK(left_behind(before, application.session()) == "");
      application.run("INSERT INTO orders SELECT coalesce(max(id), 0) + 1 FROM orders");
    }
  }
  CHECK(server.query_text("SELECT count(*) FROM orders", "pool_reads") == "18");
}

TEST_CASE("a workspace whose stores are behind a pool is told about, written to, and leaves nothing there") {
  REQUIRE_POOLER();
  PostgresServer& server = PostgresServer::shared();
  const TempFolder folder;
  REQUIRE(nerve_db({"init", "space", "--core", server.create_owned_database("pool_core"), "--secure",
                    server.create_owned_database("pool_secure")},
                   {}, folder.path())
              .exit_code == 0);
  const Pooler pooler(server);
  put_behind(pooler, server, folder / "space", {"pool_core", "pool_secure"});
  const Application application(as_owner(pooler.url("pool_core")));
  const auto before = application.session();
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"status"},
                                             {"health"},
                                             {"tenant", "create", "Acme"},
                                             {"tenant", "list"},
                                             {"roles", "sql", "--store", "secure"},
                                             {"migrate", "status"}}) {
    INFO(fmt::format("{}", fmt::join(command, " ")));
    const ProcessResult result = nerve_db(command, {}, folder / "space");
    INFO(result.out, result.err);
    CHECK(result.exit_code <= 3);
    CHECK_FALSE(contains(result.err, "error: "));
    CHECK(left_behind(before, application.session()) == "");
  }
  CHECK(server.query_text("SELECT count(*) FROM tenants WHERE slug = 'acme'", "pool_core") == "1");
}

TEST_CASE("jobs that get no second connection end after the time to connect, or at a signal, and let go") {
  REQUIRE_POOLER();
  PostgresServer& server = PostgresServer::shared();
  for (const StartupOptions kind : {StartupOptions::refused, StartupOptions::ignored}) {
    const std::string name = kind == StartupOptions::refused ? "pool_jobs" : "pool_jobs_ignored";
    const TempFolder folder;
    REQUIRE(nerve_db({"init", "space", "--core", server.create_owned_database(name), "--secure",
                      server.create_owned_database(name + "_secure")},
                     {}, folder.path())
                .exit_code == 0);
    const std::string direct =
        (std::ostringstream() << std::ifstream(folder / "space/nerve.toml").rdbuf()).str();
    const Pooler pooler(server, kind);
    put_behind(pooler, server, folder / "space", {name}, "&connect_timeout=2");
    const ProcessResult result = nerve_db({"jobs", "run"}, {}, folder / "space");
    INFO(result.out, result.err);
    CHECK(result.exit_code == 7);
    CHECK(contains(result.err, "let a connection wait for 2 s and gave it no server process"));
    CHECK(contains(result.err, "hint: Jobs need two connections at once"));
    Application(pooler.url(name)).run("SELECT 'a', 'b'");

    // With all the time in the world, a signal ends the wait.
    std::ofstream(folder / "space/nerve.toml") << direct;
    put_behind(pooler, server, folder / "space", {name}, "&connect_timeout=0");
    ProcessOptions options;
    options.cwd = folder / "space";
    for (const char* variable : {"NERVE_DB", "NERVE_REPO", "NERVE_WORKSPACE"})
      options.env.emplace(variable, std::nullopt);
    Process waiting({std::getenv("NERVE_DB_BIN"), "jobs", "run"}, options);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (server.query_text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", name) == "0") {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    waiting.send_signal(SIGTERM);
    CHECK(waiting.wait().exit_code == 130);
    Application(pooler.url(name)).run("SELECT 'a', 'b'");
  }
}

TEST_CASE("what needs a session of its own is refused behind a pool, and names the proxy and the remedy") {
  REQUIRE_POOLER();
  PostgresServer& server = PostgresServer::shared();
  server.create_database("pool_refusals");
  const TempFolder folder;
  write_migration(folder.path(), "orders");
  const std::string source = folder / "app.db";
  REQUIRE(run_process({"sqlite3", "-batch", source, "CREATE TABLE t(id INTEGER PRIMARY KEY)"}).exit_code ==
          0);
  for (const StartupOptions kind : {StartupOptions::refused, StartupOptions::ignored}) {
    const Pooler pooler(server, kind);
    const std::string url = pooler.url("pool_refusals");
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
             {"migrate", "up", "--db", url, "--dir", folder.path()}, {"convert", source, url}}) {
      INFO(fmt::format("{}", fmt::join(command, " ")));
      const ProcessResult result = nerve_db(command);
      INFO(result.err);
      CHECK(result.exit_code == 11);
      CHECK(contains(result.err, "is behind a proxy that pools connections"));
      CHECK(contains(result.err, "hint: Name the server itself"));
    }
    const auto database = open_database(url);
    CHECK_THROWS_AS(database->change_schema([](db::SchemaSession& session) {
      session.execute_alone("VACUUM", std::chrono::milliseconds(0));
    }),
                    UnsupportedError);
    CHECK_THROWS_AS(postgresql::Session{url}, UnsupportedError);
  }
  CHECK(server.query_text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "pool_refusals") ==
        "0");
}

TEST_CASE("settings of the environment that a proxy refuses are named in the hint") {
  REQUIRE_POOLER();
  PostgresServer& server = PostgresServer::shared();
  server.create_database("pool_options");
  const Pooler pooler(server);
  const ProcessResult result =
      nerve_db({"stats", "--db", pooler.url("pool_options")}, {{"PGOPTIONS", "-c work_mem=1MB"}});
  CHECK(result.exit_code == 7);
  INFO(result.err);
  CHECK(contains(result.err, "hint: Unset PGOPTIONS"));
}

TEST_CASE("two programs that share one connection of a pool neither mix up statements nor settings") {
  REQUIRE_POOLER();
  PostgresServer& server = PostgresServer::shared();
  server.create_database("pool_statements");
  const Pooler pooler(server);
  OpenOptions reader_options;
  reader_options.read_only = true;
  const auto writer = open_database(pooler.url("pool_statements"));
  const auto reader = open_database(pooler.url("pool_statements"), reader_options);
  writer->write([](db::Transaction& t) {
    t.execute("CREATE TABLE n (id bigint PRIMARY KEY, body text, bytes bytea, at timestamptz)");
  });
  for (std::int64_t round = 0; round < 3; ++round) {
    CAPTURE(round);
    writer->write([&](db::Transaction& t) {
      // One parameter in two places, of two types.
      t.execute("INSERT INTO n (id, body, at) VALUES (:id, CAST(CAST(:id AS bigint) AS text), '2026-01-02')",
                {{"id", round}});
    });
    const auto [count, body] = reader->read([&](db::Transaction& t) {
      return t.one<std::int64_t, std::string>(
          "SELECT (SELECT count(*) FROM n), body || ':id' || CAST(at AS text) FROM n WHERE id = :id",
          {{"id", round}});
    });
    CHECK(count == round + 1);
    CHECK(body == std::to_string(round) + ":id2026-01-02 00:00:00+00");
  }
  writer->write([](db::Transaction& t) {
    auto bulk = t.bulk_insert("n", {"id", "body"});
    for (std::int64_t id = 10; id < 20; ++id) bulk.add(id, "row");
    CHECK(bulk.finish() == 10);
    CHECK(t.execute("UPDATE n SET body = 'x' WHERE id >= 10") == 10);
  });
  CHECK_THROWS_AS(reader->write([](db::Transaction& t) { t.execute("DELETE FROM n"); }), Error);
  CHECK_THROWS_AS(
      reader->read([](db::Transaction& t) { return t.one<std::int64_t>("SELECT id, body FROM n"); }),
      DatabaseError);
  try {
    reader->read([](db::Transaction& t) { return t.one<int>("SELECT missing FROM n"); });
    FAIL("read");
  } catch (const DatabaseError& error) {
    CHECK(contains(error.what(), "missing"));
  }
}

TEST_CASE("the current schema is the role's, whatever another client left on the connection of a pool") {
  REQUIRE_POOLER();
  PostgresServer& server = PostgresServer::shared();
  server.create_database("pool_schema");
  server.execute("CREATE SCHEMA elsewhere", "pool_schema");
  const Pooler pooler(server);
  Application(pooler.url("pool_schema")).run("SET search_path = elsewhere");
  const auto database = open_database(pooler.url("pool_schema"));
  database->write([](db::Transaction& t) { t.execute("CREATE TABLE here (id int)"); });
  CHECK(server.query_text("SELECT schemaname FROM pg_tables WHERE tablename = 'here'", "pool_schema") ==
        "public");
}

TEST_CASE("a wrong password is tried once") {
  if (PostgresServer::is_waived()) return;
  PostgresServer server({.listen_on_tcp = true});
  server.create_password_role("once", "right");
  const std::string url = server.tcp_url("once") + "?sslmode=disable";
  CHECK(nerve_db({"stats", "--db", url}, {{"PGPASSWORD", "wrong"}}).exit_code == 5);
  CHECK(count_in_log(server, "password authentication failed for user \"once\"") == 1);
}

TEST_CASE("settings of the environment come first, and those that are relied on hold") {
  if (PostgresServer::is_waived()) return;
  const std::string url = PostgresServer::shared().create_database("pool_environment");
  ::setenv("PGOPTIONS", "-c work_mem=77MB -c datestyle=German -c statement_timeout=1", 1);
  ::setenv("PGTZ", "Asia/Tokyo", 1);
  ::setenv("PGDATESTYLE", "SQL", 1);
  const auto database = open_database(url);
  const auto [work_mem, time_zone, date_style, timeout] = database->read([](db::Transaction& t) {
    return t.one<std::string, std::string, std::string, std::string>(
        "SELECT current_setting('work_mem'), current_setting('timezone'), current_setting('datestyle'), "
        "current_setting('statement_timeout')");
  });
  for (const char* name : {"PGOPTIONS", "PGTZ", "PGDATESTYLE"}) ::unsetenv(name);
  CHECK(work_mem == "77MB");
  CHECK(time_zone == "UTC");
  CHECK(date_style == "ISO, YMD");
  CHECK(timeout == "0");
}
