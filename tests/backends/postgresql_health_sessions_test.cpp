// SPDX-License-Identifier: Apache-2.0
// What sessions do to each other; postgresql_health_test.cpp says how these tests go.
#include "backends/postgresql_health_scene.h"

#include <doctest/doctest.h>

using nerve::health::Check;
using nerve::health::Status;
using nerve::postgresql::HealthOptions;
using namespace nerve::test;

TEST_CASE("a transaction that is open for long is found, and the fix ends it") {
  if (PostgresServer::is_waived()) return;
  const std::string url = ill_server().create_database("long_transaction");
  HealthOptions options;
  options.transaction_max = std::chrono::seconds(0);
  wait_for_status(url, "postgresql.long_transactions", Status::ok, options);
  OtherSession session(url);
  session.send("BEGIN; SELECT pg_sleep(600)");
  const Check check = wait_for_status(url, "postgresql.long_transactions", Status::warning, options);
  CHECK(check.message.find("of postgres on long_transaction") != std::string::npos);
  CHECK(check_one(url, "postgresql.long_transactions").status == Status::ok);
  CHECK(check_one(url, "postgresql.idle_in_transaction", options).status == Status::ok);
  run_fix(check);
  wait_for_status(url, "postgresql.long_transactions", Status::ok, options);
}

TEST_CASE("a prepared transaction that nobody ends is found, and the fix rolls it back") {
  if (PostgresServer::is_waived()) return;
  const std::string url = ill_server().create_database("prepared");
  HealthOptions options;
  options.transaction_max = std::chrono::seconds(0);
  OtherSession(url).run("BEGIN; CREATE TABLE t(a integer); PREPARE TRANSACTION 'it''s left'");
  const Check check = wait_for_status(url, "postgresql.long_transactions", Status::warning, options);
  CHECK(check.message.find("prepared transaction it's left") != std::string::npos);
  run_fix(check);
  wait_for_status(url, "postgresql.long_transactions", Status::ok, options);
}

TEST_CASE("a session that is idle in its transaction is found, and the fix ends it") {
  if (PostgresServer::is_waived()) return;
  const std::string url = ill_server().create_database("idle");
  HealthOptions options;
  options.idle_in_transaction_max = std::chrono::seconds(0);
  wait_for_status(url, "postgresql.idle_in_transaction", Status::ok, options);
  OtherSession session(url);
  session.run("BEGIN; SELECT 1");
  const Check check = wait_for_status(url, "postgresql.idle_in_transaction", Status::warning, options);
  CHECK(check_one(url, "postgresql.idle_in_transaction").status == Status::ok);
  run_fix(check);
  wait_for_status(url, "postgresql.idle_in_transaction", Status::ok, options);
}

TEST_CASE("sessions that wait for a lock are found with who holds it, and the fix ends the holder alone") {
  if (PostgresServer::is_waived()) return;
  const std::string url = ill_server().create_database("blocked");
  HealthOptions options;
  options.lock_wait_max = std::chrono::seconds(0);
  OtherSession holder(url);
  holder.run("CREATE TABLE t(a integer)");
  holder.run("BEGIN; LOCK TABLE t");
  OtherSession waiter(url);
  waiter.send("INSERT INTO t VALUES (1)");
  OtherSession second_waiter(url);
  second_waiter.send("INSERT INTO t VALUES (2)");
  Check check = wait_for_status(url, "postgresql.blocked_locks", Status::warning, options);
  CHECK(check.message.find("blocked by pid ") != std::string::npos);
  CHECK(check_one(url, "postgresql.blocked_locks").status == Status::ok);
  run_fix(check);
  wait_for_status(url, "postgresql.blocked_locks", Status::ok, options);
  OtherSession(url).run(
      "DO $$ BEGIN FOR i IN 1..200 LOOP"
      " IF (SELECT count(*) FROM t) = 2 THEN RETURN; END IF; PERFORM pg_sleep(0.02);"
      " END LOOP; RAISE 'the rows of the waiting sessions are not there'; END $$");
}
