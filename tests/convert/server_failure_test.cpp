// SPDX-License-Identifier: Apache-2.0
//
// Goal: a server that cannot do what is asked, or not now, is told by an error that names it and says what to
// do; nothing is half-made, and where trying again can help, the same call goes on. Method: real servers with
// a disk that is full, in recovery, of another encoding, with settings and triggers of their own, and one
// behind a proxy that tells another version.
#include "convert/torture.h"
#include "convert/version_proxy.h"
#include "support/postgres_server.h"
#include "support/small_disk.h"
#include "support/system_error.h"
#include "support/temp_folder.h"

#include "nerve/backends/postgresql/session.h"
#include "nerve/convert/convert.h"
#include "nerve/core/error.h"
#include "nerve/core/progress.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

using namespace nerve::convert;
using namespace nerve::test;
using nerve::ErrorKind;

namespace {

/// What an error says, in the parts that matter here.
struct Told {
  ErrorKind kind = ErrorKind::failure;
  std::string message;
  std::string hint;

  bool says(std::string_view words) const { return message.find(words) != std::string::npos; }
  bool advises(std::string_view words) const { return hint.find(words) != std::string::npos; }
};

/// A source, and a database of a server to convert it into.
struct Case {
  Case(PostgresServer& target, std::string name, std::string_view script)
      : server(target), database(std::move(name)), url(server.url(database)) {
    make_source(source, script);
    options.rejects = scratch / "rejects.jsonl";
  }

  ConvertReport convert(nerve::ProgressSink* progress = nullptr) const {
    return nerve::convert::convert(source, url, options, progress);
  }
  Told failure(nerve::ProgressSink* progress = nullptr) const {
    try {
      convert(progress);
    } catch (const nerve::Error& error) {
      return {error.kind(), error.what(), error.hint()};
    }
    FAIL("no error was thrown");
    return {};
  }
  std::string text(const std::string& sql) const { return server.query_text(sql, database); }
  bool is_untouched() const {
    return text(
               "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
               "n.nspname "
               "NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'watch')") == "0" &&
           text("SELECT to_regnamespace('nerve_convert')").empty();
  }
  /// The URL for another role.
  std::string url_of(std::string_view role) const {
    std::string changed = server.url(database);
    return changed.replace(changed.find("postgres@"), std::string_view("postgres@").size(),
                           std::string(role) + "@");
  }

  PostgresServer& server;
  TempFolder scratch;
  std::filesystem::path source = scratch / "source.db";
  std::string database;
  std::string url;
  ConvertOptions options;
};

Case shared_case(std::string_view database, std::string_view script) {
  PostgresServer::shared().create_database(database);
  return {PostgresServer::shared(), std::string(database), script};
}

bool are_equal(const ConvertReport& report) {
  return std::ranges::all_of(report.tables, &TableReport::is_equal);
}

constexpr std::string_view linked_tables = R"(
CREATE TABLE a (id INTEGER PRIMARY KEY, b_id INTEGER REFERENCES b(id), t TEXT, u TEXT GENERATED ALWAYS AS (upper(t)) STORED);
CREATE TABLE b (id INTEGER PRIMARY KEY, n INTEGER);
CREATE INDEX b_by_n ON b (n);
CREATE VIEW v AS SELECT a.t, b.n FROM a JOIN b ON b.id = a.b_id;
INSERT INTO b VALUES (1, 10), (2, 20);
INSERT INTO a VALUES (1, 1, 'x'), (2, 2, 'é€'), (4, 1, 'z');)";

/// A table of 6 MB, with a text of 3 MB that is indexed.
constexpr std::string_view large_table = R"(
CREATE TABLE t (id INTEGER PRIMARY KEY, label TEXT, filler TEXT);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
  INSERT INTO t SELECT i, hex(randomblob(250)), hex(randomblob(250)) FROM n;
CREATE INDEX t_by_label ON t (label);)";

/// A server that was started where small disks can be made: what is mounted later is seen by it, because it
/// is in the same namespace.
struct SmallServer {
  SmallServer() {
    const std::filesystem::path folder = server.socket_folder() / "small";
    std::filesystem::create_directory(folder);
    struct stat owner {};
    ::stat((server.socket_folder() / "data").c_str(), &owner);
    if (::chown(folder.c_str(), owner.st_uid, owner.st_gid) != 0) throw_errno("cannot give a folder away");
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
    disk.emplace(folder, std::uint64_t{64} << 20U);
    server.execute("CREATE TABLESPACE small LOCATION '" + folder.string() + "'");
    server.execute("CREATE DATABASE small TABLESPACE small");
    server.execute("CHECKPOINT");
  }
  ~SmallServer() { server.stop(); }

  PostgresServer server;
  std::optional<SmallDisk> disk;
};

void survive_full_disk(std::uint64_t free_bytes, std::string_view rows_then) {
  if (PostgresServer::is_waived()) return;
  if (const std::string reason = SmallDisk::why_impossible(); !reason.empty()) {
    MESSAGE("left out: ", reason);
    return;
  }
  SmallServer small;
  const Case run(small.server, "small", large_table);
  small.disk->leave_free(free_bytes);
  const Told told = run.failure();
  CHECK(told.kind == ErrorKind::unavailable);
  CHECK(told.says("disk is full"));
  CHECK(told.advises("Free space on the server"));
  CHECK(run.text("SELECT count(*) FROM t") == rows_then);
  CHECK(!std::filesystem::exists(run.options.rejects));
  small.disk->leave_free(std::uint64_t{64} << 20U);
  const ConvertReport report = run.convert();
  CHECK(report.is_resumed);
  CHECK(are_equal(report));
  CHECK(report.refused.empty());
  CHECK(run.text("SELECT count(*) FROM t") == "6000");
  CHECK(run.text("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass AND indisvalid") == "2");
}

/// Ends or cancels, once, the statement that loads rows.
class Administrator final : public nerve::ProgressSink {
 public:
  Administrator(const Case& run, std::string function) : run_(run), function_(std::move(function)) {}

  void update(std::string_view phase, std::uint64_t /*done*/, std::uint64_t /*total*/) override {
    if (phase != "loading" || is_done_) return;
    is_done_ =
        run_.text(
            "SELECT bool_or(" + function_ +
            "(pid)) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY%' AND "
            "state = 'active'") == "t";
  }
  bool is_done() const noexcept { return is_done_; }

 private:
  const Case& run_;
  std::string function_;
  bool is_done_ = false;
};

/// Has the server wait at the end of each COPY into a table `a`.
void slow_down(const Case& run) {
  run.server.execute(
      "CREATE SCHEMA watch; "
      "CREATE FUNCTION watch.wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(30); "
      "RETURN NULL; "
      "END $$; "
      "CREATE FUNCTION watch.slow() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
      "IF to_regclass('public.a') IS NOT NULL THEN "
      "EXECUTE 'CREATE OR REPLACE TRIGGER wait AFTER INSERT ON public.a EXECUTE FUNCTION watch.wait()'; END "
      "IF; END $$; "
      "CREATE EVENT TRIGGER slow ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION "
      "watch.slow()",
      run.database);
}

void speed_up(const Case& run) {
  run.server.execute("DROP EVENT TRIGGER slow; DROP TRIGGER wait ON public.a", run.database);
}

/// Has each new table of the database get a row trigger of this body.
void watch_rows(const Case& run, const std::string& body) {
  run.server.execute(
      "CREATE SCHEMA watch; "
      "CREATE FUNCTION watch.row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " +
          body +
          " END $$; "
          "CREATE FUNCTION watch.table() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
          "IF to_regclass('public.b') IS NOT NULL THEN "
          "EXECUTE 'CREATE OR REPLACE TRIGGER watch BEFORE INSERT ON public.b FOR EACH ROW EXECUTE FUNCTION "
          "watch.row()'; "
          "END IF; END $$; "
          "CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION "
          "watch.table()",
      run.database);
}

}  // namespace

TEST_CASE("a disk of the server that is full while rows are loaded is told, and with space the run goes on") {
  survive_full_disk(std::uint64_t{4} << 20U, "0");
}

TEST_CASE(
    "a disk of the server that is full while an index is built is told, and with space the run goes on") {
  survive_full_disk(std::uint64_t{9} << 20U, "6000");
}

TEST_CASE("a server of a version before 14 is refused by an error that names both versions") {
  if (PostgresServer::is_waived()) return;
  Case run = shared_case("server_old", linked_tables);
  const TempFolder folder;
  const VersionProxy proxy(folder.path(),
                           run.server.socket_folder() / fmt::format(".s.PGSQL.{}", run.server.port()), "13");
  run.url = "postgresql://postgres@/server_old?host=" + folder.path().string();
  const Told told = run.failure();
  CHECK(told.kind == ErrorKind::unsupported);
  CHECK(told.says("PostgreSQL 13"));
  CHECK(told.advises("PostgreSQL 14"));
  CHECK(run.is_untouched());
}

TEST_CASE("a standby is refused with nothing made") {
  if (PostgresServer::is_waived()) return;
  PostgresServer server;
  server.create_database("server_standby");
  server.stop();
  std::ofstream(server.socket_folder() / "data" / "standby.signal").flush();
  server.start();
  const Case run(server, "server_standby", linked_tables);
  const Told told = run.failure();
  CHECK(told.kind == ErrorKind::denied);
  CHECK(told.says("standby"));
  CHECK(!told.hint.empty());
  CHECK(run.is_untouched());
}

TEST_CASE("a database that is set to be read only is refused with nothing made") {
  if (PostgresServer::is_waived()) return;
  const Case run = shared_case("server_read_only", linked_tables);
  run.server.execute("ALTER DATABASE server_read_only SET default_transaction_read_only = on");
  const Told told = run.failure();
  CHECK(told.kind == ErrorKind::denied);
  CHECK(told.says("default_transaction_read_only"));
  CHECK(told.advises("default_transaction_read_only = off"));
  CHECK(run.is_untouched());
}

TEST_CASE("a database of another encoding than UTF-8 is refused with nothing made") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  for (const std::string encoding : {"SQL_ASCII", "LATIN1"}) {
    CAPTURE(encoding);
    const std::string name = "server_" + encoding;
    server.execute(
        fmt::format("CREATE DATABASE \"{}\" ENCODING '{}' LOCALE 'C' TEMPLATE template0", name, encoding));
    const Case run(server, name, linked_tables);
    const Told told = run.failure();
    CHECK(told.kind == ErrorKind::unsupported);
    CHECK(told.says(encoding));
    CHECK(told.advises("--encoding=UTF8"));
    CHECK(run.is_untouched());
  }
}

TEST_CASE("a client encoding that is set for the database does not change texts") {
  if (PostgresServer::is_waived()) return;
  const Case run = shared_case("server_client_encoding", linked_tables);
  run.server.execute("ALTER DATABASE server_client_encoding SET client_encoding = 'LATIN1'");
  CHECK(are_equal(run.convert()));
  run.server.execute("ALTER DATABASE server_client_encoding RESET client_encoding");
  CHECK(run.text("SELECT t FROM a WHERE id = 2") == "é€");
}

TEST_CASE("a role that may not create in the schema, or in the database, is refused with nothing made") {
  if (PostgresServer::is_waived()) return;
  Case run = shared_case("server_rights", linked_tables);
  run.server.execute(
      "CREATE ROLE no_schema LOGIN; CREATE ROLE no_database LOGIN; "
      "GRANT CREATE ON DATABASE server_rights TO no_schema");
  for (const char* role : {"no_schema", "no_database"}) {
    CAPTURE(std::string(role));
    // Not before: a schema in which another role may create is refused as such.
    if (role == std::string_view("no_database"))
      run.server.execute("GRANT CREATE ON SCHEMA public TO no_database", run.database);
    run.url = run.url_of(role);
    const Told told = run.failure();
    CHECK(told.kind == ErrorKind::denied);
    CHECK(told.says("permission denied"));
    CHECK(told.says(role == std::string_view("no_schema") ? "schema public" : "database server_rights"));
    CHECK(run.is_untouched());
  }
}

TEST_CASE(
    "a role that may not open as many connections as there are workers is told so, and goes on with fewer") {
  if (PostgresServer::is_waived()) return;
  Case run = shared_case("server_connections", linked_tables);
  run.server.execute("CREATE ROLE limited LOGIN CONNECTION LIMIT 2");
  run.server.execute(
      "GRANT CREATE ON DATABASE server_connections TO limited; GRANT CREATE ON SCHEMA public TO limited",
      run.database);
  run.url = run.url_of("limited");
  const Told told = run.failure();
  CHECK(told.kind == ErrorKind::unavailable);
  CHECK(told.says("too many connections"));
  CHECK(told.advises("fewer connections"));
  // A connection counts until its process on the server has ended.
  while (!run.server.query_text("SELECT 1 FROM pg_stat_activity WHERE usename = 'limited' LIMIT 1").empty()) {
  }
  run.options.workers = 1;
  CHECK(are_equal(run.convert()));
}

TEST_CASE("a password that is wrong is refused and not repeated") {
  if (PostgresServer::is_waived()) return;
  Case run = shared_case("server_password", linked_tables);
  run.server.create_password_role("guarded", "right-one");
  run.url = run.url_of("guarded");
  const std::filesystem::path passwords = run.scratch / "passwords";
  std::ofstream(passwords) << "*:*:*:*:wrong-one\n";
  std::filesystem::permissions(passwords, std::filesystem::perms::owner_read);
  run.options.target.password_file = passwords;
  const Told told = run.failure();
  CHECK(told.kind == ErrorKind::denied);
  CHECK(!told.says("wrong-one"));
  CHECK(told.advises(".pgpass"));
  CHECK(run.is_untouched());
}

TEST_CASE("a load that an administrator cancels or ends is told, and goes on") {
  if (PostgresServer::is_waived()) return;
  for (const std::string function : {"pg_cancel_backend", "pg_terminate_backend"}) {
    CAPTURE(function);
    const Case run = shared_case("server_" + function, linked_tables);
    slow_down(run);
    Administrator administrator(run, function);
    const Told told = run.failure(&administrator);
    CHECK(administrator.is_done());
    CHECK(told.kind == ErrorKind::unavailable);
    CHECK(!told.hint.empty());
    speed_up(run);
    const ConvertReport report = run.convert();
    CHECK(report.is_resumed);
    CHECK(are_equal(report));
    CHECK(run.text("SELECT count(*) FROM a") == "3");
  }
}

TEST_CASE("a trigger of the server that changes rows is found by the comparison") {
  if (PostgresServer::is_waived()) return;
  const Case run = shared_case("server_changes", linked_tables);
  watch_rows(run, "NEW.n := NEW.n + 1; RETURN NEW;");
  const ConvertReport report = run.convert();
  CHECK(!are_equal(report));
  const auto differing = std::ranges::find(report.tables, "b", &TableReport::source);
  REQUIRE(differing != report.tables.end());
  CHECK(!differing->is_equal);
  CHECK(differing->differences.size() == 4);
}

TEST_CASE("a trigger of the server that swallows rows ends the run") {
  if (PostgresServer::is_waived()) return;
  const Case run = shared_case("server_swallows", linked_tables);
  watch_rows(run, "RETURN NULL;");
  const Told told = run.failure();
  CHECK(told.kind == ErrorKind::integrity);
  CHECK(told.says("another number of rows of b"));
  CHECK(told.advises("trigger"));
}

TEST_CASE("a search path with functions and tables of the same names changes nothing") {
  if (PostgresServer::is_waived()) return;
  const Case run = shared_case("server_path", linked_tables);
  run.server.execute(
      "CREATE SCHEMA watch; CREATE TABLE watch.b (id bigint PRIMARY KEY); "
      "CREATE FUNCTION watch.upper(text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'changed' $$; "
      "ALTER DATABASE server_path SET search_path = watch, pg_catalog",
      run.database);
  const ConvertReport report = run.convert();
  CHECK(are_equal(report));
  CHECK(report.refused.empty());
  run.server.execute("ALTER DATABASE server_path RESET search_path");
  CHECK(run.text("SELECT u FROM a WHERE id = 1") == "X");
  CHECK(run.text("SELECT count(*) FROM v") == "3");
  CHECK(run.text("SELECT confrelid::regclass FROM pg_constraint WHERE conname = 'a_b_id_fkey'") == "b");
}

TEST_CASE("a schema's name of any letters is taken, and one that the server would cut or refuse is not") {
  if (PostgresServer::is_waived()) return;
  Case run = shared_case("server_names", linked_tables);
  for (const std::string_view name : {"Ünï Çödé; DROP", "select", "%s$1'\\\"", "a.b"}) {
    CAPTURE(name);
    run.options.schema = name;
    CHECK(are_equal(run.convert()));
    CHECK(run.failure().kind == ErrorKind::conflict);
  }
  for (const std::string& name :
       {std::string(64, 'x'), std::string("pg_mine"), std::string("information_schema")}) {
    CAPTURE(name);
    run.options.schema = name;
    CHECK(run.failure().kind == ErrorKind::invalid);
  }
}
