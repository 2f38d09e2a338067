// SPDX-License-Identifier: Apache-2.0
// Goal: each finding of health on a PostgreSQL server is found on one that is prepared with it, and none on a
// clean one; and the command that a finding is told with mends it. Method: real servers, other sessions by
// libpq, thresholds so low that a test can reach them, and the fixes run by a shell as they stand. This file
// has what is about the server itself.
#include "backends/postgresql_health_scene.h"
#include "support/process.h"
#include "support/temp_folder.h"

#include "nerve/backends/open.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

using nerve::ManualClock;
using nerve::Timestamp;
using nerve::health::Check;
using nerve::health::Report;
using nerve::health::Status;
using nerve::postgresql::health_check_ids;
using nerve::postgresql::HealthOptions;
using namespace nerve::test;

namespace {

std::string replaced(std::string text, std::string_view part, std::string_view by) {
  const std::size_t at = text.find(part);
  REQUIRE(at != std::string::npos);
  return text.replace(at, part.size(), by);
}

/// A server in order in every respect, and a database with what a schema should have.
PostgresServer& clean_server() {
  static PostgresServer server({.use_checksums = true});
  static const bool is_prepared = [] {
    server.execute(
        "CREATE ROLE watcher LOGIN; GRANT pg_monitor TO watcher;"
        "CREATE TABLE artist(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);"
        "CREATE TABLE album(id bigserial PRIMARY KEY, artist_id bigint NOT NULL REFERENCES artist(id));"
        "CREATE INDEX album_by_artist ON album(artist_id);"
        "CREATE TABLE event(at timestamptz NOT NULL, what text) PARTITION BY RANGE (at);"
        "CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
        "CREATE TABLE event_rest PARTITION OF event DEFAULT;"
        "INSERT INTO artist(name) SELECT 'artist ' || i FROM generate_series(1, 100) AS i;"
        "INSERT INTO album(artist_id) SELECT 1 + i % 100 FROM generate_series(1, 1000) AS i;"
        "INSERT INTO event VALUES ('2026-05-01', 'x');"
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO watcher;"
        "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO watcher");
    return true;
  }();
  CHECK(is_prepared);
  return server;
}

std::string watcher_url() {
  return replaced(clean_server().url(), "postgres@", "watcher@");
}

}  // namespace

TEST_CASE("a clean server is ok in each check") {
  if (PostgresServer::is_waived()) return;
  const ManualClock clock(Timestamp::parse("2026-11-21T12:00:00Z"));
  const Report report = check_postgresql(watcher_url(), {}, clock);
  CHECK(report.target.find("watcher@") != std::string::npos);
  std::vector<std::string_view> ids;
  for (const Check& check : report.checks) {
    CAPTURE(check.id);
    CAPTURE(check.message);
    CHECK(check.status == Status::ok);
    CHECK(check.fix.empty());
    CHECK_FALSE(check.value.empty());
    CHECK_FALSE(check.message.empty());
    ids.push_back(check.id);
  }
  CHECK(std::ranges::equal(ids, health_check_ids()));
}

TEST_CASE("what is left out is not made") {
  if (PostgresServer::is_waived()) return;
  const Report report =
      check_postgresql(watcher_url(), {.skip = {"postgresql.open", "postgresql.sequences"}});
  CHECK(report.checks.size() == health_check_ids().size() - 2);
}

TEST_CASE("a server that cannot be reached is critical, and all else unknown") {
  const Report report = check_postgresql("postgresql://nobody@127.0.0.1:1/shop");
  CHECK(report.status() == Status::critical);
  CHECK(find_check(report, "postgresql.open").status == Status::critical);
  CHECK(report.checks.size() == health_check_ids().size());
  for (const Check& check : report.checks) {
    CAPTURE(check.id);
    CHECK((check.status == Status::unknown) == (check.id != "postgresql.open"));
  }
}

TEST_CASE("a release that is not maintained any more is a warning") {
  if (PostgresServer::is_waived()) return;
  const ManualClock clock(Timestamp::parse("2040-01-01T00:00:00Z"));
  const Report report = check_postgresql(watcher_url(), {}, clock);
  CHECK(find_check(report, "postgresql.version").status == Status::warning);
}

TEST_CASE("time to answer is measured against its threshold") {
  if (PostgresServer::is_waived()) return;
  HealthOptions options;
  options.open_max = std::chrono::milliseconds(-1);
  CHECK(check_one(watcher_url(), "postgresql.open", options).status == Status::warning);
}

TEST_CASE("what the role may not see is unknown, and the fix grants it") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = ill_server();
  const std::string url = server.create_database("hidden");
  server.execute("CREATE ROLE plain_role LOGIN");
  server.execute(
      "CREATE SCHEMA s; CREATE SEQUENCE s.q; GRANT USAGE ON SCHEMA s TO plain_role;"
      "CREATE TABLE s.p(k integer) PARTITION BY LIST (k); CREATE TABLE s.rest PARTITION OF s.p DEFAULT;"
      "CREATE EXTENSION pg_stat_statements",
      "hidden");
  const std::string plain_url = replaced(url, "postgres@", "plain_role@");
  std::set<std::string> hidden;
  const Report before = check_postgresql(plain_url);
  for (const Check& check : before.checks) {
    if (check.status == Status::unknown) hidden.insert(check.id);
  }
  CHECK(hidden == std::set<std::string>{"postgresql.default_partition_rows", "postgresql.idle_in_transaction",
                                        "postgresql.long_transactions", "postgresql.sequences",
                                        "postgresql.slow_statements"});
  for (const std::string& id : hidden) run_fix(find_check(before, id));
  const Report after = check_postgresql(plain_url);
  for (const std::string& id : hidden) {
    CAPTURE(id);
    CHECK(find_check(after, id).status == Status::ok);
  }
}

TEST_CASE("a superuser is a warning, and the fix makes a role that may look and no more") {
  if (PostgresServer::is_waived()) return;
  const std::string url = ill_server().url();
  const Check check = check_one(url, "postgresql.superuser");
  CHECK(check.status == Status::warning);
  run_fix(check);
  const std::string monitor_url = replaced(url, "postgres@", "nerve_monitor@");
  CHECK(check_one(monitor_url, "postgresql.superuser").status == Status::ok);
  CHECK(check_one(monitor_url, "postgresql.long_transactions").status == Status::ok);
  run_fix(check_one(url, "postgresql.superuser"));  // once more does no harm
}

TEST_CASE("a server without checksums is a warning, and the fix names its folder") {
  if (PostgresServer::is_waived()) return;
  const Check check = check_one(ill_server().url(), "postgresql.checksums");
  CHECK(check.status == Status::warning);
  CHECK(check.fix.find("pg_checksums --enable --pgdata " +
                       (ill_server().socket_folder() / "data").string()) != std::string::npos);
}

TEST_CASE("an unencrypted connection over the network is a warning, an encrypted one is in order") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = ill_server();
  server.create_password_role("remote", "secret-word");
  const TempFolder folder;
  std::ofstream(folder / "pgpass") << "*:*:*:remote:secret-word\n";
  std::filesystem::permissions(folder / "pgpass", std::filesystem::perms{0600});
  const auto judge = [&](const std::string& sslmode, bool is_loopback_trusted) {
    const std::string url = server.tcp_url("remote", "postgres") + "?sslmode=" + sslmode;
    const auto database = nerve::open_database(url, {.read_only = true, .password_file = folder / "pgpass"});
    HealthOptions options{.url = url};
    options.is_loopback_trusted = is_loopback_trusted;
    return find_check(nerve::postgresql::check_health(*database, options), "postgresql.tls");
  };
  CHECK(judge("disable", true).status == Status::ok);
  CHECK(judge("require", false).status == Status::ok);
  const Check check = judge("disable", false);
  CHECK(check.status == Status::warning);
  CHECK(check.message.find("remote from 127.0.0.1") != std::string::npos);
  CHECK(check.fix.find("sslmode=verify-full") != std::string::npos);
}

TEST_CASE("few connections left are a warning, none critical, and the fix ends those that are idle") {
  if (PostgresServer::is_waived()) return;
  const std::string url = ill_server().url();
  wait_for_status(url, "postgresql.connections", Status::ok);
  std::vector<std::unique_ptr<OtherSession>> sessions;
  sessions.reserve(16);
  for (int count = 0; count < 14; ++count) sessions.push_back(std::make_unique<OtherSession>(url));
  wait_for_status(url, "postgresql.connections", Status::warning);
  sessions.push_back(std::make_unique<OtherSession>(url));
  sessions.push_back(std::make_unique<OtherSession>(url));
  const Check check = wait_for_status(url, "postgresql.connections", Status::critical);
  CHECK(check.value == "17 of 17 (100 %)");
  run_fix(check);
  wait_for_status(url, "postgresql.connections", Status::ok);
}

TEST_CASE("an archive that fails is critical until its command is mended") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = ill_server();
  server.execute("CREATE TABLE archived(a integer); SELECT pg_switch_wal()");
  const Check check = wait_for_status(server.url(), "postgresql.wal_archiving", Status::critical);
  server.execute("ALTER SYSTEM SET archive_command = '/bin/true'");
  run_command(check.fix.substr(check.fix.find("psql ")));
  wait_for_status(server.url(), "postgresql.wal_archiving", Status::ok);
}

TEST_CASE("a slot that keeps the log is a warning, and the fix drops one that nobody uses") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = ill_server();
  HealthOptions options;
  options.slot_bytes_max = 1'000;
  CHECK(check_one(server.url(), "postgresql.replication_slots", options).status == Status::ok);
  server.execute("SELECT pg_create_physical_replication_slot('left_behind', true)");
  server.execute("CREATE TABLE kept AS SELECT i FROM generate_series(1, 1000) AS i");
  const Check check = check_one(server.url(), "postgresql.replication_slots", options);
  CHECK(check.status == Status::warning);
  CHECK(check.message.find("left_behind (nobody uses it") != std::string::npos);
  CHECK(check_one(server.url(), "postgresql.replication_slots").status == Status::ok);
  run_fix(check);
  CHECK(check_one(server.url(), "postgresql.replication_slots", options).status == Status::ok);
}

TEST_CASE("a receiver that stands still is behind, and is not when it goes on") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = ill_server();
  HealthOptions options;
  options.replication_lag_bytes_max = 10'000;
  CHECK(check_one(server.url(), "postgresql.replication_lag", options).value == "no replica");
  const TempFolder folder;
  Process receiver({"pg_receivewal", "--directory", folder.path(), "--synchronous", "--status-interval=1",
                    "--dbname", server.url()});
  for (int tries = 0; tries < 500; ++tries) {
    if (check_one(server.url(), "postgresql.replication_lag", options).value != "no replica") break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  wait_for_status(server.url(), "postgresql.replication_lag", Status::ok, options);
  receiver.send_signal(SIGSTOP);
  server.execute("CREATE TABLE sent AS SELECT i FROM generate_series(1, 10000) AS i");
  const Check check = wait_for_status(server.url(), "postgresql.replication_lag", Status::warning, options);
  CHECK(check.message.find("pg_receivewal") != std::string::npos);
  receiver.send_signal(SIGCONT);
  wait_for_status(server.url(), "postgresql.replication_lag", Status::ok, options);
}

TEST_CASE("a replica that is paused is a warning, and the fix lets it go on") {
  if (PostgresServer::is_waived()) return;
  PostgresServer replica;
  replica.stop();
  std::ofstream(replica.socket_folder() / "data" / "standby.signal").close();
  replica.start();
  const Check alone = check_one(replica.url(), "postgresql.replication_lag");
  CHECK(alone.status == Status::warning);
  CHECK(alone.message == "this replica receives nothing from its server");
  replica.execute("SELECT pg_wal_replay_pause()");
  const Check paused = check_one(replica.url(), "postgresql.replication_lag");
  CHECK(paused.message == "the replay of this replica is paused");
  run_fix(paused);
  CHECK(check_one(replica.url(), "postgresql.replication_lag").message == alone.message);
}

TEST_CASE("autovacuum that is off is critical, and the fix turns it on") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = ill_server();
  server.execute("ALTER SYSTEM SET autovacuum = off");
  server.execute("SELECT pg_reload_conf()");
  run_fix(wait_for_status(server.url(), "postgresql.autovacuum", Status::critical));
  wait_for_status(server.url(), "postgresql.autovacuum", Status::ok);
}
