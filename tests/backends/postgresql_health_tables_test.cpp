// SPDX-License-Identifier: Apache-2.0
// What tables, indexes and sequences hold; postgresql_health_test.cpp says how these tests go.
#include "backends/postgresql_health_scene.h"

#include <doctest/doctest.h>

using nerve::health::Check;
using nerve::health::Status;
using nerve::postgresql::HealthOptions;
using namespace nerve::test;

namespace {

/// A check of one database: ok on an empty one, a warning after `script`, and ok again after its fix.
Check judge(const std::string& name, std::string_view id, const std::vector<std::string>& script,
            const HealthOptions& options = {}, Status found = Status::warning) {
  PostgresServer& server = ill_server();
  const std::string url = server.create_database(name);
  CHECK(check_one(url, id, options).status == Status::ok);
  OtherSession session(url);
  for (const std::string& statement : script) session.run(statement);
  Check check = check_one(url, id, options);
  INFO(check.message);
  REQUIRE(check.status == found);
  run_fix(check);
  const Check after = check_one(url, id, options);
  INFO(after.message);
  CHECK(after.status == Status::ok);
  return check;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the age of transaction ids is measured in every database, and the fix freezes them") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = ill_server();
  server.execute("ALTER DATABASE template0 ALLOW_CONNECTIONS true");
  const std::string url = server.url();
  HealthOptions options;
  options.transaction_ids_max = 20'000;
  CHECK(check_one(url, "postgresql.transaction_id_age", options).status == Status::ok);
  server.execute("DO $$ BEGIN FOR i IN 1..20000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$");
  const Check check = check_one(url, "postgresql.transaction_id_age", options);
  CHECK(check.status == Status::warning);
  CHECK(contains(check.fix, "template1"));
  CHECK(*check.number > 20'000);
  options.transaction_ids_critical = 20'000;
  CHECK(check_one(url, "postgresql.transaction_id_age", options).status == Status::critical);
  run_fix(check);
  CHECK(check_one(url, "postgresql.transaction_id_age", options).status == Status::ok);
}

TEST_CASE("a table with many dead rows is found with its last vacuum, and the fix vacuums it") {
  if (PostgresServer::is_waived()) return;
  HealthOptions options;
  options.dead_rows_ignored = 100;
  const Check check =
      judge("dead", "postgresql.dead_tuples",
            {"CREATE TABLE \"Odd name\"(a integer) WITH (autovacuum_enabled = false)",
             "INSERT INTO \"Odd name\" SELECT i FROM generate_series(1, 1000) AS i",
             "DELETE FROM \"Odd name\" WHERE a <= 500", "SELECT pg_stat_force_next_flush()", "SELECT 1"},
            options);
  CHECK(contains(check.message, "public.\"Odd name\" with 500 of 1,000 rows, never vacuumed"));
}

TEST_CASE("hot tables that autovacuum leaves out or lets wait are found, and the fix sets them right") {
  if (PostgresServer::is_waived()) return;
  HealthOptions options;
  options.hot_table_changes = 100;
  options.dead_rows_before_vacuum_max = 500;
  const Check check =
      judge("hot", "postgresql.autovacuum",
            {"CREATE TABLE left_out(a integer) WITH (autovacuum_enabled = false)",
             "INSERT INTO left_out SELECT i FROM generate_series(1, 200) AS i", "DELETE FROM left_out",
             "CREATE TABLE large(a integer)", "INSERT INTO large SELECT i FROM generate_series(1, 5000) AS i",
             "UPDATE large SET a = a + 1 WHERE a <= 200", "CREATE TABLE cold(a integer)",
             "INSERT INTO cold SELECT i FROM generate_series(1, 5000) AS i",
             "SELECT pg_stat_force_next_flush()", "SELECT 1"},
            options);
  CHECK(contains(check.message, "public.left_out is left out"));
  CHECK(contains(check.message, "public.large waits for 1,050 dead rows"));
  CHECK_FALSE(contains(check.message, "cold"));
}

TEST_CASE("invalid indexes are found; the fix rebuilds them, and drops what a rebuild cannot mend") {
  if (PostgresServer::is_waived()) return;
  const Check check =
      judge("invalid", "postgresql.invalid_indexes",
            {"CREATE TABLE t(a integer)", "INSERT INTO t VALUES (1), (1)", "CREATE INDEX broken ON t(a)",
             "UPDATE pg_index SET indisvalid = false WHERE indexrelid = CAST('broken' AS regclass)",
             "CREATE TABLE u(a integer)", "INSERT INTO u VALUES (1), (1)",
             "CREATE UNIQUE INDEX never ON u(a)  WHERE a > 1",
             "UPDATE pg_index SET indisvalid = false WHERE indexrelid = CAST('never' AS regclass)"});
  CHECK(contains(check.fix, "REINDEX INDEX CONCURRENTLY public.broken"));
  CHECK(contains(check.fix, "DROP INDEX CONCURRENTLY public.never"));
}

TEST_CASE("an index that nobody used is found, not those that keep a key or help a foreign key") {
  if (PostgresServer::is_waived()) return;
  HealthOptions options;
  options.unused_index_bytes_min = 0;
  options.unused_index_after = std::chrono::hours(0);
  const Check check = judge(
      "unused", "postgresql.unused_indexes",
      {"CREATE TABLE p(id integer PRIMARY KEY)", "CREATE TABLE c(a integer, p integer REFERENCES p(id))",
       "CREATE INDEX c_by_a ON c(a)", "CREATE INDEX c_by_p ON c(p)"},
      options);
  CHECK(contains(check.message, "public.c_by_a of public.c"));
  CHECK(check.value == "1 unused");
  options.unused_index_after = std::chrono::hours(1'000);
  OtherSession(ill_server().url("unused")).run("CREATE INDEX c_by_a ON c(a)");
  CHECK(contains(check_one(ill_server().url("unused"), "postgresql.unused_indexes", options).message,
                 "too short a time"));
}

TEST_CASE("an index that is there twice is found, and the fix keeps the one that a key needs") {
  if (PostgresServer::is_waived()) return;
  const Check check =
      judge("twice", "postgresql.duplicate_indexes",
            {"CREATE TABLE t(id integer PRIMARY KEY, a integer, b text)", "CREATE UNIQUE INDEX t_id ON t(id)",
             "CREATE INDEX t_a1 ON t(a)", "CREATE INDEX t_a2 ON t(a)", "CREATE INDEX t_a3 ON t(a DESC)",
             "CREATE INDEX t_a4 ON t(a) WHERE a > 1", "CREATE INDEX t_lower1 ON t(lower(b))",
             "CREATE INDEX t_lower2 ON t(lower(b))", "CREATE INDEX t_upper ON t(upper(b))"});
  CHECK(check.value == "3 duplicates");
  CHECK(contains(check.message, "public.t_a2 is the same as public.t_a1"));
  CHECK(contains(check.message, "public.t_id is the same as public.t_pkey"));
  CHECK(contains(check.message, "public.t_lower2 is the same as public.t_lower1"));
}

TEST_CASE("foreign keys without index are found, and the fix makes the indexes") {
  if (PostgresServer::is_waived()) return;
  const Check check = judge(
      "foreign", "postgresql.foreign_key_indexes",
      {"CREATE TABLE p(a integer, b integer, PRIMARY KEY (a, b))", "CREATE TABLE q(id integer PRIMARY KEY)",
       "CREATE TABLE bare(x integer, y integer, FOREIGN KEY (x, y) REFERENCES p(a, b))",
       "CREATE TABLE half(x integer, y integer, FOREIGN KEY (x, y) REFERENCES p(a, b))",
       "CREATE INDEX half_x ON half(x)",
       "CREATE TABLE turned(x integer, y integer, FOREIGN KEY (x, y) REFERENCES p(a, b))",
       "CREATE INDEX turned_yx ON turned(y, x)", "CREATE TABLE sparse(\"Q\" integer REFERENCES q(id))",
       "CREATE INDEX sparse_q ON sparse(\"Q\") WHERE \"Q\" IS NOT NULL",
       "CREATE TABLE partial(q integer REFERENCES q(id))", "CREATE INDEX partial_q ON partial(q) WHERE q > 5",
       "CREATE TABLE parts(k integer, q integer REFERENCES q(id)) PARTITION BY LIST (k)",
       "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1)"});
  CHECK(check.value == "4 without index");
  for (const char* name :
       {"public.bare(x, y)", "public.half(x, y)", "public.partial(q)", "public.parts(q)"}) {
    CHECK(contains(check.message, name));
  }
}

TEST_CASE("sequences near their end, or that of their column, are found, and the fix gives them room") {
  if (PostgresServer::is_waived()) return;
  const Check check =
      judge("sequences", "postgresql.sequences",
            {"CREATE TABLE small(id smallserial PRIMARY KEY)", "SELECT setval('small_id_seq', 30000)",
             "CREATE TABLE identity(id integer GENERATED ALWAYS AS IDENTITY)",
             "SELECT setval('identity_id_seq', 2000000000)", "CREATE TABLE narrow(id integer PRIMARY KEY)",
             "CREATE SEQUENCE wide AS bigint OWNED BY narrow.id", "SELECT setval('wide', 2000000000)",
             "CREATE SEQUENCE bounded MAXVALUE 100", "SELECT setval('bounded', 90)",
             "CREATE SEQUENCE down INCREMENT -1 MINVALUE -100", "SELECT setval('down', -99)",
             "CREATE SEQUENCE round MAXVALUE 100 CYCLE", "SELECT setval('round', 99)",
             "CREATE SEQUENCE fresh", "SELECT setval('fresh', 1000000)"},
            {}, Status::critical);
  CHECK(check.value == "99.0 %");
  for (const char* name : {"down", "identity_id_seq", "wide", "small_id_seq", "bounded"}) {
    CHECK(contains(check.message, std::string("public.") + name + " ("));
  }
  CHECK_FALSE(contains(check.message, "round"));
  OtherSession(ill_server().url("sequences"))
      .run(
          "INSERT INTO small SELECT nextval('small_id_seq') FROM "
          "generate_series(1, 5000)");
}

TEST_CASE("rows in a default partition are found, and what the fix says mends it") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = ill_server();
  const std::string url = server.create_database("partitions");
  OtherSession session(url);
  session.run(
      "CREATE TABLE p(k integer) PARTITION BY LIST (k); CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1);"
      "CREATE TABLE rest PARTITION OF p DEFAULT; INSERT INTO p VALUES (1)");
  CHECK(check_one(url, "postgresql.default_partition_rows").status == Status::ok);
  session.run("INSERT INTO p VALUES (2), (2)");
  const Check check = check_one(url, "postgresql.default_partition_rows");
  CHECK(check.status == Status::warning);
  CHECK(contains(check.message, "public.rest of public.p holds 2"));
  session.run(
      "BEGIN; ALTER TABLE p DETACH PARTITION rest; CREATE TABLE p_2 PARTITION OF p FOR VALUES IN (2);"
      "INSERT INTO p SELECT * FROM rest; TRUNCATE rest; ALTER TABLE p ATTACH PARTITION rest DEFAULT; COMMIT");
  CHECK(check_one(url, "postgresql.default_partition_rows").status == Status::ok);
}

TEST_CASE("slow statements are found without a value of theirs, and the fix forgets them") {
  if (PostgresServer::is_waived()) return;
  const std::string url = ill_server().create_database("slow");
  CHECK(contains(check_one(url, "postgresql.slow_statements").message, "not installed"));
  OtherSession session(url);
  session.run("CREATE SCHEMA \"Ext\"");
  session.run("CREATE EXTENSION pg_stat_statements SCHEMA \"Ext\"");
  HealthOptions options;
  options.statement_mean_max = std::chrono::milliseconds(15);
  options.statement_calls_min = 3;
  CHECK(check_one(url, "postgresql.slow_statements", options).status == Status::ok);
  for (int times = 0; times < 3; ++times) {
    session.run("SELECT pg_sleep(0.02), 'a secret'");
    session.run("DO $$ BEGIN PERFORM pg_sleep(0.02), 'a secret'; END $$");
  }
  const Check check = check_one(url, "postgresql.slow_statements", options);
  REQUIRE(check.status == Status::warning);
  CHECK(check.value == "2 slow statements");
  CHECK(contains(check.message, "SELECT pg_sleep($1), $2"));
  CHECK_FALSE(contains(check.message, "secret"));
  CHECK(check_one(url, "postgresql.slow_statements").status == Status::ok);
  run_fix(check);
  CHECK(check_one(url, "postgresql.slow_statements", options).status == Status::ok);
}
