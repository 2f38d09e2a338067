// SPDX-License-Identifier: Apache-2.0
// nerve-db against a real PostgreSQL server. NERVE_DB_BIN names the command.
#include "nerve_db.h"
#include "support/postgres_server.h"
#include "support/process.h"
#include "support/temp_folder.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace nerve::test;

TEST_CASE("stats of a PostgreSQL database names tables, rows, sizes and indexes as the server counts them") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  const std::string url = server.create_database("cli_stats");
  server.execute(
      "CREATE TABLE album(id bigint PRIMARY KEY, title text);"
      "INSERT INTO album SELECT i, 'album ' || i FROM generate_series(1, 3000) AS i;"
      "CREATE SCHEMA other; CREATE TABLE other.empty(id int); CREATE VIEW titles AS SELECT title FROM album;"
      "ANALYZE album;",
      "cli_stats");
  const ProcessResult result = nerve_db({"stats", "--json", "--db", url});
  REQUIRE(result.exit_code == 0);
  const auto document = nlohmann::json::parse(result.out);
  CHECK(document.at("view_count") == 1);
  const auto& album = document.at("tables").at(0);
  CHECK(album.at("name") == "public.album");
  CHECK(album.at("rows") == 3000);
  CHECK(std::to_string(album.at("size_bytes").get<std::uint64_t>()) ==
        server.query_text("SELECT pg_table_size('album')", "cli_stats"));
  CHECK(album.at("indexes").at(0).at("name") == "album_pkey");
  CHECK(std::to_string(album.at("indexes_bytes").get<std::uint64_t>()) ==
        server.query_text("SELECT pg_indexes_size('album')", "cli_stats"));
  CHECK(document.at("tables").at(1).at("name") == "other.empty");
  CHECK(document.at("tables").at(1).at("rows").is_null());

  const ProcessResult shown = nerve_db({"stats", "--db", url});
  CHECK(shown.exit_code == 0);
  CHECK(contains(shown.out, "public.album"));
  CHECK(contains(shown.out, "3,000"));
}

TEST_CASE("a wrong password is denied or unavailable, has a hint, and is not repeated") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  server.create_password_role("cli_anna", "the-right-one");
  const std::string url = "postgresql://cli_anna@/postgres?host=" + server.socket_folder().string() +
                          "&port=" + std::to_string(server.port());
  const ProcessResult wrong = nerve_db({"stats", "--db", url}, {{"PGPASSWORD", "hunter2"}});
  CHECK(wrong.exit_code == 5);
  CHECK(wrong.out.empty());
  CHECK(contains(wrong.err, "nerve-db: error: "));
  CHECK(contains(wrong.err, "\nhint: "));
  CHECK_FALSE(contains(wrong.err, "hunter2"));
  const ProcessResult right = nerve_db({"stats", "--db", url}, {{"PGPASSWORD", "the-right-one"}});
  CHECK(right.exit_code == 0);
}

TEST_CASE("a database that the server does not have is not found") {
  if (PostgresServer::is_waived()) return;
  const ProcessResult result = nerve_db({"stats", "--db", PostgresServer::shared().url("cli_nowhere")});
  CHECK(result.exit_code == 3);
  CHECK(contains(result.err, "\nhint: "));
}

TEST_CASE("what stats asks the server is kept in the query log that nerve.toml names, without a value") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  const TempFolder folder;
  std::ofstream(folder / "nerve.toml")
      << "[query_log]\nfile = \"queries.json\"\nslow_ms = 0\n[database]\nurl = \"" << server.url() << "\"\n";
  std::filesystem::permissions(folder / "nerve.toml", std::filesystem::perms{0600});
  for (int times = 0; times < 2; ++times) {
    const ProcessResult result = nerve_db({"stats"}, {}, folder.path());
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
  }
  const ProcessResult queries = nerve_db({"queries", "stats", "--json"}, {}, folder.path());
  REQUIRE(queries.exit_code == 0);
  const auto statements = nlohmann::json::parse(queries.out).at("statements");
  REQUIRE(statements.size() >= 3);
  for (const auto& statement : statements) {
    CHECK(statement.at("calls") == 2);
    // The threshold is the one of nerve.toml: at 0 ms every call is slow.
    CHECK(statement.at("slow_calls") == 2);
  }
}

TEST_CASE(
    "health of a PostgreSQL server has the fields, the exit code and the text for Prometheus of any health") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  const std::string url = server.create_database("cli_health");
  server.execute("CREATE TABLE p(id bigint PRIMARY KEY); CREATE TABLE c(p bigint REFERENCES p(id))",
                 "cli_health");
  const ProcessResult result = nerve_db({"health", "--json", "--db", url});
  CHECK(result.exit_code == 1);
  const auto document = nlohmann::json::parse(result.out);
  CHECK(document.at("status") == "warning");
  const auto find = [](const nlohmann::json& checks, const std::string& id) {
    for (const auto& check : checks) {
      if (check.at("id") == id) return check;
    }
    return nlohmann::json();
  };
  const auto check = find(document.at("checks"), "postgresql.foreign_key_indexes");
  REQUIRE(check.at("status") == "warning");
  CHECK(check.at("value_number") == 1);
  const std::string fix = check.at("fix");
  CHECK(fix == "psql '" + url + "' -c 'CREATE INDEX CONCURRENTLY ON public.c(p)'");
  REQUIRE(run_process({"sh", "-c", fix}).exit_code == 0);
  const ProcessResult text = nerve_db({"health", "--prometheus", "--db", url});
  CHECK(contains(text.out, "nerve_health_status{check=\"postgresql.foreign_key_indexes\",target=\""));
  CHECK(contains(text.out,
                 "nerve_health_value{check=\"postgresql.foreign_key_indexes\",unit=\"count\",target="));
  const ProcessResult watched =
      nerve_db({"health", "watch", "--json", "--every", "1", "--count", "2", "--db", url});
  CHECK(watched.exit_code == 1);
  std::istringstream lines(watched.out);
  int rounds = 0;
  for (std::string line; std::getline(lines, line); ++rounds) {
    const auto round = nlohmann::json::parse(line);
    CHECK(find(round.at("checks"), "postgresql.foreign_key_indexes").at("status") == "ok");
  }
  CHECK(rounds == 2);
}

TEST_CASE("health of a server whose password is wrong is critical and does not repeat it") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  server.create_password_role("cli_berta", "the-right-one");
  const std::string url = "postgresql://cli_berta@/postgres?host=" + server.socket_folder().string() +
                          "&port=" + std::to_string(server.port());
  const ProcessResult wrong = nerve_db({"health", "--db", url}, {{"PGPASSWORD", "hunter2"}});
  CHECK(wrong.exit_code == 2);
  CHECK_FALSE(contains(wrong.out + wrong.err, "hunter2"));
  const ProcessResult right = nerve_db({"health", "--json", "--db", url}, {{"PGPASSWORD", "the-right-one"}});
  CHECK(right.exit_code == 3);  // the role may not see the sessions of others
  CHECK_FALSE(contains(right.out + right.err, "the-right-one"));
}

TEST_CASE("a workspace on two PostgreSQL databases is made, used and told about like one of files") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  const TempFolder folder;
  const std::string core = server.create_owned_database("cli_core");
  const std::string secure = server.create_owned_database("cli_secure");
  const ProcessResult made =
      nerve_db({"init", "space", "--core", core, "--secure", secure}, {}, folder.path());
  INFO(made.err);
  REQUIRE(made.exit_code == 0);
  const std::filesystem::path space = folder / "space";
  CHECK(nerve_db({"init", "other", "--core", core, "--secure", secure}, {}, folder.path()).exit_code == 4);
  CHECK(nerve_db({"tenant", "create", "Acme"}, {}, space).exit_code == 0);
  CHECK(nerve_db({"jobs", "run"}, {}, space).exit_code == 0);
  const ProcessResult status = nerve_db({"status", "--json"}, {}, space);
  REQUIRE(status.exit_code == 0);
  const auto document = nlohmann::json::parse(status.out);
  CHECK(document.at("tenants") == 1);
  CHECK(document.at("stores").at(1).at("engine") == "postgresql");
  CHECK(document.at("stores").at(1).at("pending") == 0);
  CHECK(server.query_text("SELECT slug FROM tenants WHERE name = 'Acme'", "cli_core") == "acme");
  const ProcessResult roles = nerve_db({"roles", "sql", "--store", "secure"}, {}, space);
  CHECK(roles.exit_code == 0);
  CHECK(contains(roles.out, "ON DATABASE \"cli_secure\""));
}

TEST_CASE("a converted database is equal to its source until somebody changes it") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  const std::string url = server.create_database("cli_convert");
  const TempFolder folder;
  const std::string source = folder / "app.db";
  REQUIRE(run_process(
              {"sqlite3", "-batch", source,
               "CREATE TABLE artist(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
               "CREATE TABLE album(id INTEGER PRIMARY KEY, artist_id INTEGER NOT NULL REFERENCES artist(id), "
               "made_at TIMESTAMP, price DECIMAL(10,2));"
               "INSERT INTO artist VALUES (1, 'Ann'), (2, 'Bob');"
               "INSERT INTO album VALUES (1, 2, '2026-01-02 03:04:05', 9.99), (2, 1, NULL, 10)"})
              .exit_code == 0);
  const ProcessResult plan = nerve_db({"convert", "--plan", source});
  CHECK(plan.exit_code == 0);
  CHECK(contains(plan.out, "price      DECIMAL(10,2)  price      numeric(10,2)  as declared"));
  CHECK(server.query_text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "cli_convert") ==
        "0");

  const ProcessResult converted = nerve_db({"convert", source, url});
  INFO(converted.err);
  CHECK(converted.exit_code == 0);
  CHECK(contains(converted.out, "converted 4 rows of 2 tables"));
  CHECK(server.query_text("SELECT name FROM artist a JOIN album b ON b.artist_id = a.id WHERE b.price = 9.99",
                          "cli_convert") == "Bob");
  const ProcessResult again = nerve_db({"convert", source, url});
  CHECK(again.exit_code == 4);
  CHECK(contains(again.err, "is not empty: it has table album, table artist"));
  CHECK(nerve_db({"convert", source, url, "--replace"}).exit_code == 2);
  CHECK(nerve_db({"convert", source, url, "--replace", "--yes", "--atomic"}).exit_code == 0);
  CHECK(nerve_db({"convert", "verify", source, url}).exit_code == 0);

  server.execute("UPDATE artist SET name = 'Rob' WHERE id = 2", "cli_convert");
  const ProcessResult differing = nerve_db({"convert", "verify", source, url});
  CHECK(differing.exit_code == 6);
  CHECK(contains(differing.out, R"(artist: only in the source: {"id":2,"name":"Bob"})"));
  CHECK(contains(differing.out, R"(artist: only in the target: {"id":2,"name":"Rob"})"));
}

TEST_CASE("a damaged source is not converted, unless nobody is to look") {
  if (PostgresServer::is_waived()) return;
  const std::string url = PostgresServer::shared().create_database("cli_damaged");
  const TempFolder folder;
  const std::string source = folder / "app.db";
  REQUIRE(
      run_process({"sqlite3", "-batch", source,
                   "CREATE TABLE t(a); CREATE INDEX t_a ON t(a); INSERT INTO t VALUES (1), (2);"
                   "CREATE TABLE e(a); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 4 "
                   "WHERE name = 't'"})
          .exit_code == 0);
  const ProcessResult refused = nerve_db({"convert", source, url});
  CHECK(refused.exit_code == 6);
  CHECK(contains(refused.err, "app.db is damaged: "));
  CHECK(contains(refused.err, "nerve-db salvage --db"));
  CHECK(nerve_db({"convert", "--plan", source}).exit_code == 6);
  const ProcessResult taken = nerve_db({"convert", source, url, "--no-check"});
  CHECK(taken.exit_code == 0);
  CHECK(contains(taken.out, "the source was not checked"));
}

TEST_CASE("rules are written, given back, and wrong ones are told line by line; rows are appended once") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  const std::string url = server.create_database("cli_rules");
  const TempFolder folder;
  const std::string source = folder / "app.db";
  const std::string rules = folder / "rules.toml";
  REQUIRE(
      run_process({"sqlite3", "-batch", source,
                   "CREATE TABLE artist(id INTEGER PRIMARY KEY, name); INSERT INTO artist VALUES (1, 'Ann')"})
          .exit_code == 0);
  const ProcessResult written = nerve_db({"convert", "--write-rules", rules, source});
  CHECK(written.exit_code == 0);
  CHECK(contains(written.err, "edit it, and give it to convert with --rules"));
  CHECK(std::filesystem::status(rules).permissions() == std::filesystem::perms{0600});
  const ProcessResult twice = nerve_db({"convert", "--write-rules", rules, source});
  CHECK(twice.exit_code == 4);
  CHECK(contains(twice.err, "rules.toml is there already\nhint: "));
  CHECK(nerve_db({"convert", source, url, "--rules", rules}).exit_code == 0);
  CHECK(nerve_db({"convert", "verify", source, url, "--rules", rules}).exit_code == 0);
  CHECK(nerve_db({"convert", source, url, "--rules", folder / "missing.toml"}).exit_code == 3);

  std::ofstream(rules) << "[tables.artists]\nskip = true\n[tables.artist]\nnam = \"people\"\n";
  const ProcessResult wrong = nerve_db({"convert", source, url, "--rules", rules, "--replace", "--yes"});
  CHECK(wrong.exit_code == 2);
  CHECK(contains(wrong.err, "rules.toml has 2 errors\n  "));
  CHECK(contains(wrong.err, "rules.toml:1:9: there is no table 'artists'; did you mean 'artist'?\n"));
  CHECK(contains(wrong.err, "rules.toml:4:1: unknown key 'nam'; did you mean 'name'?\n"));

  REQUIRE(run_process({"sqlite3", "-batch", source, "UPDATE artist SET id = 2, name = 'Bob'"}).exit_code ==
          0);
  const ProcessResult both = nerve_db({"convert", source, url, "--append", "--replace", "--yes"});
  CHECK(both.exit_code == 2);
  CHECK(contains(both.err, "--replace drops the tables that --append adds rows to"));
  const ProcessResult appended = nerve_db({"convert", source, url, "--append"});
  CHECK(appended.exit_code == 0);
  CHECK(contains(appended.out, "appended 1 row of 1 tables"));
  const ProcessResult again = nerve_db({"convert", source, url, "--append"});
  CHECK(again.exit_code == 4);
  CHECK(server.query_text("SELECT string_agg(name, ' ' ORDER BY id) FROM artist", "cli_rules") == "Ann Bob");
}

TEST_CASE("what has no equal or cannot be stored ends a conversion with partial, and is told") {
  if (PostgresServer::is_waived()) return;
  const std::string url = PostgresServer::shared().create_database("cli_partial");
  const TempFolder folder;
  const std::string source = folder / "app.db";
  REQUIRE(run_process({"sqlite3", "-batch", source,
                       "CREATE TABLE note(id INTEGER PRIMARY KEY, body TEXT);"
                       "INSERT INTO note VALUES (1, 'good'), (2, CAST(x'610062' AS TEXT));"
                       "CREATE TRIGGER note_added AFTER INSERT ON note BEGIN SELECT 1; END"})
              .exit_code == 0);
  const ProcessResult refused = nerve_db({"convert", source, url});
  CHECK(refused.exit_code == 2);
  CHECK(contains(refused.err, "note.body"));
  CHECK(contains(refused.err, "--rejects FILE"));
  const std::string rejects = folder / "rejects.jsonl";
  const ProcessResult partial = nerve_db({"convert", source, url, "--rejects", rejects});
  CHECK(partial.exit_code == 10);
  CHECK(contains(partial.out, "no equal: trigger note_added of note"));
  std::ifstream stream(rejects);
  std::string line;
  REQUIRE(std::getline(stream, line));
  const auto reject = nlohmann::json::parse(line);
  CHECK(reject.at("table") == "note");
  CHECK(reject.at("rowid") == 2);
  CHECK(reject.at("reason") == "text with a NUL");
  CHECK_FALSE(std::getline(stream, line));
}

TEST_CASE("a conversion whose source or target is of the wrong kind says what to write") {
  const TempFolder folder;
  CHECK(nerve_db({"convert", folder / "missing.db", "postgresql://localhost/x"}).exit_code == 3);
  const ProcessResult turned = nerve_db({"convert", "postgresql://localhost/x", folder / "app.db"});
  CHECK(turned.exit_code == 11);
  CHECK(contains(turned.err, "nerve-db convert FILE postgresql://"));
  const ProcessResult without = nerve_db({"convert", folder / "app.db"});
  CHECK(without.exit_code == 2);
  CHECK(contains(without.err, "the target is missing"));
}

TEST_CASE("a column that the server does not compute is stored instead, and told") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  const std::string url = server.create_database("cli_refused");
  const TempFolder folder;
  const std::string source = folder / "app.db";
  REQUIRE(run_process({"sqlite3", "-batch", source,
                       "CREATE TABLE good(a); CREATE TABLE odd(a TEXT DEFAULT 'd', b TEXT AS (upper('x' || "
                       "'y'))); INSERT INTO odd(a) VALUES ('1'), (NULL)"})
              .exit_code == 0);
  const ProcessResult refused = nerve_db({"convert", source, url});
  CHECK(refused.exit_code == 10);
  CHECK(contains(
      refused.out,
      "no equal: generated column b of odd: statement refused: could not determine which collation"));
  CHECK(server.query_text("SELECT string_agg(b, ' ') FROM odd", "cli_refused") == "XY XY");
  CHECK(
      server.query_text("SELECT string_agg(column_name || coalesce(' ' || column_default, ''), ', ' ORDER BY "
                        "ordinal_position) FROM information_schema.columns WHERE table_name = 'odd'",
                        "cli_refused") == "a 'd'::text, b");
}

namespace {

/// A database with one migration, which has drifted from nothing.
struct MigratedScene {
  explicit MigratedScene(const std::string& name, const std::string& sql = "SELECT 1")
      : url(PostgresServer::shared().create_database(name)) {
    std::ofstream(folder / "0001_a.sql")
        << "-- irreversible: x\n-- migrate:up\nCREATE TABLE a (id bigint PRIMARY KEY);\n"
        << sql << ";\n";
    const ProcessResult up = nerve_db({"migrate", "up", "--db", url, "--dir", folder.path()});
    REQUIRE_MESSAGE(up.exit_code == 0, up.err);
  }
  std::vector<std::string> verify(const std::string& database, std::vector<std::string> options = {}) const {
    std::vector<std::string> words{"migrate", "verify", "--db", database, "--dir", folder.path()};
    words.insert(words.end(), options.begin(), options.end());
    return words;
  }

  TempFolder folder;
  std::string url;
};

std::string count_of_scratch() {
  return PostgresServer::shared().query_text(
      "SELECT count(*) FROM pg_database WHERE datname ~ '^nerve_scratch_[0-9a-f]{32}$'");
}

}  // namespace

TEST_CASE("verify replays in the database that --scratch or nerve.toml names, else in one that it drops") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  const MigratedScene scene("cli_verified");
  const std::string named = server.create_database("cli_named");
  CHECK(nerve_db(scene.verify(scene.url)).exit_code == 0);
  CHECK(nerve_db(scene.verify(scene.url, {"--scratch", named})).exit_code == 0);
  server.execute("CREATE ROLE cli_reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO cli_reader",
                 "cli_verified");
  std::string url = scene.url;
  url.replace(url.find("postgres@"), std::string("postgres").size(), "cli_reader");
  const ProcessResult refused = nerve_db(scene.verify(url));
  CHECK(refused.exit_code == 11);
  CHECK(contains(refused.out, "the schema could not be compared: no scratch database can be made beside "));
  CHECK(contains(refused.out, "CREATEDB"));
  CHECK(contains(refused.out, "--scratch URL"));
  std::ofstream(scene.folder / "nerve.toml") << "[database]\nscratch_url = \"" << named << "\"\n";
  std::filesystem::permissions(scene.folder / "nerve.toml", std::filesystem::perms{0600});
  CHECK(nerve_db(scene.verify(url), {}, scene.folder.path()).exit_code == 0);

  const ProcessResult itself = nerve_db(scene.verify(scene.url, {"--scratch", scene.url}));
  CHECK(itself.exit_code == 11);
  CHECK(contains(itself.out, " is not empty: it has the relation "));
  const ProcessResult nowhere = nerve_db(scene.verify(scene.url, {"--scratch", server.url("cli_nowhere")}));
  CHECK(nowhere.exit_code == 3);
  CHECK(nerve_db(scene.verify(scene.url, {"--scratch", "x.db"})).exit_code == 2);
  CHECK(count_of_scratch() == "0");
}

TEST_CASE("verify drops its scratch database when it is interrupted") {
  if (PostgresServer::is_waived()) return;
  const MigratedScene scene("cli_interrupted", "SELECT pg_sleep(1)");
  std::vector<std::string> words = scene.verify(scene.url);
  words.insert(words.begin(), std::getenv("NERVE_DB_BIN"));
  Process process(words);
  while (count_of_scratch() == "0") std::this_thread::sleep_for(std::chrono::milliseconds(20));
  process.send_signal(SIGINT);
  const ProcessResult result = process.wait();
  CHECK(result.exit_code == 130);
  CHECK(count_of_scratch() == "0");
}
