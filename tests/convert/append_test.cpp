// SPDX-License-Identifier: Apache-2.0
//
// Goal: rows are added to tables that are there exactly once, nothing else changes, and what cannot be added
// is told before anything is. Method: tables are made and filled by hand or by a conversion; the target is
// read by its catalogue and by queries.
#include "convert/run.h"
#include "convert/torture.h"
#include "support/effort.h"
#include "support/postgres_server.h"
#include "support/process.h"
#include "target/append_target.h"
#include "verify/table_comparison.h"

#include "nerve/backends/postgresql/session.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/convert/convert.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

using namespace nerve::convert;
using namespace nerve::test;

namespace {

constexpr std::string_view converted_tables = R"(
CREATE TABLE a (id INTEGER PRIMARY KEY, b_id INTEGER REFERENCES b(id), t VARCHAR(9));
CREATE TABLE b (id INTEGER PRIMARY KEY, n NUMERIC(5,2));
INSERT INTO b VALUES (1, 1.5), (2, 20);
INSERT INTO a VALUES (1, 1, 'x'), (2, 2, 'y'), (3, NULL, 'z');)";

constexpr std::string_view other_rows = R"(
CREATE TABLE a (id INTEGER PRIMARY KEY, b_id INTEGER REFERENCES b(id), t VARCHAR(9));
CREATE TABLE b (id INTEGER PRIMARY KEY, n NUMERIC(5,2));
CREATE INDEX b_n ON b (n);
CREATE VIEW v AS SELECT n FROM b;
CREATE TRIGGER r AFTER INSERT ON b BEGIN DELETE FROM a; END;
INSERT INTO b VALUES (11, 1.5), (12, 20);
INSERT INTO a VALUES (11, 11, 'x'), (12, 12, 'y'), (15, 1, 'z');)";

/// A target that has a conversion already, and a source of other rows to append.
struct AppendRun : Run {
  explicit AppendRun(std::string_view database, std::string_view rows = other_rows)
      : Run(database, converted_tables) {
    convert();
    replace_source(rows);
    options.may_append = true;
  }
  void replace_source(std::string_view script) {
    std::filesystem::remove(source);
    make_source(source, script);
  }
  std::string rows() const {
    return text(
        "SELECT (SELECT string_agg(a::text, ' ' ORDER BY id) FROM a) || ' ' || "
        "(SELECT string_agg(b::text, ' ' ORDER BY id) FROM b)");
  }
};

constexpr std::string_view rows_before = "(1,1,x) (2,2,y) (3,,z) (1,1.50) (2,20.00)";
constexpr std::string_view rows_after =
    "(1,1,x) (2,2,y) (3,,z) (11,11,x) (12,12,y) (15,1,z) (1,1.50) (2,20.00) (11,1.50) (12,20.00)";

/// What is told of tables that do not fit, a line each.
std::string misfits(const Run& run) {
  try {
    run.convert();
  } catch (const nerve::ValidationError& error) {
    std::string lines;
    for (const nerve::Violation& violation : error.violations())
      lines += violation.field + ": " + violation.message + "\n";
    return lines.empty() ? error.what() : lines;
  }
  return "no error";
}

}  // namespace

TEST_CASE("rows are appended behind those that are there, parents first, and sequences go on behind them") {
  if (PostgresServer::is_waived()) return;
  for (const bool is_atomic : {false, true}) {
    CAPTURE(is_atomic);
    AppendRun run(is_atomic ? "append_atomic" : "append_rows");
    run.options.is_atomic = is_atomic;
    const ConvertReport report = run.convert();
    CHECK(report.is_complete());
    CHECK(report.tables.at(0).is_equal);
    CHECK(report.tables.at(0).stored == 3);
    CHECK(report.tables.at(0).target_rows_before == 3);
    CHECK(report.tables.at(0).target_rows == 6);
    CHECK(describe_schema(run.url) == R"(table a
  id bigint NOT NULL IDENTITY from 16
  b_id bigint
  t character varying(9)
  a_b_id_fkey FOREIGN KEY (b_id) REFERENCES b(id)
  a_pkey PRIMARY KEY (id)
  (1,1,x)
  (11,11,x)
  (12,12,y)
  (15,1,z)
  (2,2,y)
  (3,,z)
table b
  id bigint NOT NULL IDENTITY from 13
  n numeric(5,2)
  b_pkey PRIMARY KEY (id)
  (1,1.50)
  (11,1.50)
  (12,20.00)
  (2,20.00)
)");
  }
}

TEST_CASE("a sequence that is ahead stays where it is") {
  if (PostgresServer::is_waived()) return;
  AppendRun run("append_sequence");
  run.execute("SELECT setval('a_id_seq', 100)");
  run.convert();
  CHECK(run.text("SELECT last_value FROM a_id_seq") == "100");
  CHECK(run.text("SELECT last_value FROM b_id_seq") == "12");
}

TEST_CASE("one state of a source is appended once, and another state again") {
  if (PostgresServer::is_waived()) return;
  for (const bool is_atomic : {false, true}) {
    CAPTURE(is_atomic);
    AppendRun run(is_atomic ? "append_twice_atomic" : "append_twice");
    run.options.is_atomic = is_atomic;
    run.convert();
    CHECK_THROWS_WITH_AS(run.convert(), doctest::Contains("was converted into schema public already"),
                         nerve::ConflictError);
    CHECK(run.rows() == rows_after);
    run.replace_source(
        "CREATE TABLE b (id INTEGER PRIMARY KEY, n NUMERIC(5,2)); INSERT INTO b VALUES (21, 3);");
    CHECK(run.convert().is_complete());
    CHECK(run.text("SELECT count(*) FROM b") == "5");
  }
}

TEST_CASE("a state of a table is not appended twice, whatever a rule skips and whatever came between") {
  if (PostgresServer::is_waived()) return;
  for (const bool is_atomic : {false, true}) {
    CAPTURE(is_atomic);
    AppendRun run(is_atomic ? "append_states_atomic" : "append_states");
    run.options.is_atomic = is_atomic;
    run.convert();
    run.rules("[tables.a]\nskip = true\n");
    CHECK_THROWS_WITH_AS(run.convert(), doctest::Contains("would be twice in b"), nerve::ConflictError);
    run.rules("[tables.a.columns]\nt = { skip = true }\n");
    CHECK_THROWS_WITH_AS(run.convert(), doctest::Contains("would be twice in a, b"), nerve::ConflictError);
    run.options.rules.clear();
    run.replace_source(
        "CREATE TABLE b (id INTEGER PRIMARY KEY, n NUMERIC(5,2)); INSERT INTO b VALUES (21, 3);");
    CHECK(run.convert().is_complete());
    run.replace_source(other_rows);
    CHECK_THROWS_WITH_AS(run.convert(), doctest::Contains("would be twice in a, b"), nerve::ConflictError);
    run.replace_source(converted_tables);
    CHECK_THROWS_AS(run.convert(), nerve::ConflictError);
    // What is dropped is no longer there.
    run.options.may_append = false;
    run.options.may_replace = true;
    run.convert();
    run.options.may_replace = false;
    run.options.may_append = true;
    run.replace_source(other_rows);
    CHECK(run.convert().is_complete());
    CHECK(run.rows() == rows_after);
  }
}

TEST_CASE("a table that was appended without a column is not appended with it") {
  if (PostgresServer::is_waived()) return;
  Run run("append_more_columns", "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x');");
  run.execute("CREATE TABLE t (a bigint, b text)");
  run.options.may_append = true;
  run.rules("[tables.t.columns]\nb = { skip = true }\n");
  run.convert();
  run.options.rules.clear();
  CHECK_THROWS_WITH_AS(run.convert(), doctest::Contains("would be twice in t"), nerve::ConflictError);
  CHECK(run.text("SELECT count(*) FROM t") == "1");
}

TEST_CASE("what a conversion brought is not appended to it") {
  if (PostgresServer::is_waived()) return;
  for (const bool is_atomic : {false, true}) {
    CAPTURE(is_atomic);
    Run run(is_atomic ? "append_same_atomic" : "append_same",
            "CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1);");
    run.options.is_atomic = is_atomic;
    run.convert();
    run.options.may_append = true;
    CHECK_THROWS_AS(run.convert(), nerve::ConflictError);
    CHECK(run.text("SELECT count(*) FROM t") == "1");
  }
}

TEST_CASE("tables and columns that do not fit are told, all of them, before anything is written") {
  if (PostgresServer::is_waived()) return;
  Run run("append_misfits", R"(
CREATE TABLE gone (a INTEGER);
CREATE TABLE seen (a INTEGER);
CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, v VARCHAR(9), d NUMERIC(5,2), w VARCHAR(5), x, y TEXT,
                g INTEGER GENERATED ALWAYS AS (n + 1), h INTEGER, at TIMESTAMP);
INSERT INTO t (id, at) VALUES (1, '2024-01-02 03:04:05.123');)");
  run.execute(
      "CREATE VIEW seen AS SELECT 1 AS a; "
      "CREATE TABLE t (id bigint, n integer, v varchar(8), d numeric(5,1), w text, y varchar(7), g bigint, "
      "h bigint GENERATED ALWAYS AS (3) STORED, at timestamp(3), needed text NOT NULL, made text NOT NULL "
      "DEFAULT '', "
      "free text)");
  run.options.may_append = true;
  CHECK(misfits(run) ==
        "gone: there is no such table, for gone\n"
        "seen: it is no ordinary table\n"
        "t.n: its type is integer, and bigint would be sent\n"
        "t.v: its type is character varying(8), and varchar(9) would be sent\n"
        "t.d: its type is numeric(5,1), and numeric(5,2) would be sent\n"
        "t.x: there is no such column, for x as text\n"
        "t.y: its type is character varying(7), and text would be sent\n"
        "t.g: it is computed in the source and not here\n"
        "t.h: it is computed, and values would be sent\n"
        "t.at: its type is timestamp(3) without time zone, and timestamp would be sent\n"
        "t.needed: it is NOT NULL without a default, and the source has no such column\n");
  CHECK(!run.has_ledger());
  CHECK(run.text("SELECT count(*) FROM t") == "0");
}

TEST_CASE("rules fit a source to tables of other names, columns and types") {
  if (PostgresServer::is_waived()) return;
  Run run("append_rules",
          "CREATE TABLE t (id INTEGER PRIMARY KEY, n, extra TEXT); CREATE TABLE u (a); "
          "INSERT INTO t VALUES (7, 5, 'e'); INSERT INTO u VALUES (1);");
  run.execute(
      "CREATE TABLE people (id bigserial PRIMARY KEY, amount numeric, made timestamptz NOT NULL DEFAULT "
      "now()); "
      "INSERT INTO people (amount) VALUES (1.0)");
  run.options.may_append = true;
  run.rules(
      "[tables.u]\nskip = true\n[tables.t]\nname = \"people\"\n[tables.t.columns]\nextra = { skip = true }\n"
      "n = { name = \"amount\", type = \"numeric\" }\n");
  const ConvertReport report = run.convert();
  CHECK(!report.is_complete());
  CHECK(describe_report(report, run.options.rejects) ==
        "untranslated table u: left out by rule\n"
        "untranslated column extra of t: left out by rule, and by views that select every column\n");
  CHECK(run.text("SELECT string_agg(id || ' ' || amount, ', ' ORDER BY id) FROM people") == "1 1.0, 7 5");
  CHECK(run.text("SELECT nextval('people_id_seq')") == "8");
}

TEST_CASE(
    "a row that is there already ends an append: table and key are named, and with --atomic nothing stays") {
  if (PostgresServer::is_waived()) return;
  for (const bool is_atomic : {false, true}) {
    CAPTURE(is_atomic);
    AppendRun run(is_atomic ? "append_unique_atomic" : "append_unique", R"(
CREATE TABLE a (id INTEGER PRIMARY KEY, b_id INTEGER, t VARCHAR(9));
CREATE TABLE b (id INTEGER PRIMARY KEY, n NUMERIC(5,2));
INSERT INTO b VALUES (11, 1.5);
INSERT INTO a VALUES (11, 11, 'x'), (3, 11, 'there');)");
    run.options.is_atomic = is_atomic;
    CHECK_THROWS_WITH_AS(run.convert(),
                         "cannot append to table a: unique constraint violated (a_pkey): a (SQLSTATE 23505)",
                         nerve::DatabaseError);
    CHECK(run.rows() == std::string(rows_before) + (is_atomic ? "" : " (11,1.50)"));
    if (is_atomic) continue;
    run.execute("DELETE FROM a WHERE id = 3");
    const ConvertReport report = run.convert();
    CHECK(report.is_resumed);
    CHECK(report.tables.at(0).is_equal);
    CHECK(report.tables.at(0).target_rows_before == 2);
    CHECK(report.tables.at(1).is_equal);
    CHECK(report.tables.at(1).target_rows_before == 2);
    CHECK(run.rows() == "(1,1,x) (2,2,y) (3,11,there) (11,11,x) (1,1.50) (2,20.00) (11,1.50)");
  }
}

TEST_CASE("a row that is taken out of a table that has a part of an append is a difference, as was told") {
  if (PostgresServer::is_waived()) return;
  AppendRun run("append_part",
                "CREATE TABLE b (id INTEGER PRIMARY KEY, n NUMERIC(5,2)); "
                "INSERT INTO b VALUES (11, 1.5), (12, 2), (13, 3);");
  run.execute("INSERT INTO b VALUES (13, 9)");
  run.options.range_bytes = 1;
  run.options.workers = 1;
  std::string hint;
  try {
    run.convert();
  } catch (const nerve::DatabaseError& error) {
    hint = error.hint();
  }
  CHECK(hint.find("rows taken out of a table that has a part of the append already count as a difference") !=
        std::string::npos);
  CHECK(run.text("SELECT count(*) FROM b") == "5");
  run.execute("DELETE FROM b WHERE id = 13");
  const ConvertReport report = run.convert();
  CHECK(report.is_resumed);
  CHECK(!report.tables.at(0).is_equal);
  CHECK(report.tables.at(0).differences.empty());
  CHECK(run.text("SELECT count(*) FROM b") == "5");
}

TEST_CASE("an append that was broken off is gone on with, and stores no row twice") {
  if (PostgresServer::is_waived()) return;
  AppendRun run("append_resume");
  run.execute(
      "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN RAISE EXCEPTION 'timeout' USING ERRCODE = '57014'; END $$; "
      "CREATE TRIGGER fail BEFORE INSERT ON a EXECUTE FUNCTION fail()");
  CHECK_THROWS_AS(run.convert(), nerve::DatabaseError);
  CHECK(run.text("SELECT count(*) FROM b") == "4");
  run.execute("DROP TRIGGER fail ON a");
  run.options.is_atomic = true;
  CHECK_THROWS_WITH_AS(run.convert(), doctest::Contains("was begun without --atomic"), nerve::ConflictError);
  run.options.is_atomic = false;
  run.options.may_append = false;
  CHECK_THROWS_WITH_AS(run.convert(), doctest::Contains("by another plan"), nerve::ConflictError);
  run.options.may_append = true;
  const ConvertReport report = run.convert();
  CHECK(report.is_resumed);
  CHECK(report.is_complete());
  CHECK(run.rows() == rows_after);
}

TEST_CASE(
    "the comparison finds a row that was appended and is not there, and one that others changed meanwhile") {
  if (PostgresServer::is_waived()) return;
  for (const std::string_view change : {"DELETE FROM a WHERE id = 12", "UPDATE a SET t = 'q' WHERE id = 1",
                                        "INSERT INTO a VALUES (99, 1, 'n')"}) {
    CAPTURE(change);
    const bool is_of_source = change.starts_with("DELETE");
    AppendRun run(fmt::format("append_change_{}", change.front()));
    run.execute(
        fmt::format("CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {}; "
                    "RETURN NULL; END $$; CREATE TRIGGER meddle AFTER INSERT ON a "
                    "WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION meddle()",
                    change));
    const ConvertReport report = run.convert();
    CHECK(report.tables.at(0).is_equal == false);
    CHECK(report.tables.at(0).differences.size() == (is_of_source ? 1 : 0));
    CHECK(report.tables.at(1).is_equal);
  }
}

TEST_CASE("the command says that rows are named only where some are") {
  if (PostgresServer::is_waived()) return;
  for (const std::string_view change : {"DELETE FROM t WHERE n = 2", "DELETE FROM t WHERE n = 1"}) {
    CAPTURE(change);
    const bool is_named = change.ends_with("2");
    const Run run(is_named ? "append_hint_named" : "append_hint",
                  "CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (2), (3);");
    run.execute(
        fmt::format("CREATE TABLE t (n bigint); INSERT INTO t VALUES (1); "
                    "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {}; "
                    "RETURN NULL; END $$; CREATE TRIGGER meddle AFTER INSERT ON t EXECUTE FUNCTION meddle()",
                    change));
    const ProcessResult result =
        Process({NERVE_DB_PROGRAM, "convert", "--append", run.source, run.url}).wait();
    CHECK(result.exit_code == 6);
    CHECK((result.out.find(R"(t: only in the source: {"n":2})") != std::string::npos) == is_named);
    CHECK((result.err.find("The report names rows that are missing.") != std::string::npos) == is_named);
    CHECK((result.err.find("Each row of the source has its equal there") != std::string::npos) != is_named);
  }
}

TEST_CASE("rows that point at later ones of their table are appended") {
  if (PostgresServer::is_waived()) return;
  Run run("append_self",
          "CREATE TABLE t (id INTEGER PRIMARY KEY, up INTEGER REFERENCES t(id)); "
          "INSERT INTO t VALUES (1, 2), (2, 3), (3, NULL);");
  run.convert();
  std::filesystem::remove(run.source);
  make_source(run.source,
              "CREATE TABLE t (id INTEGER PRIMARY KEY, up INTEGER REFERENCES t(id)); "
              "INSERT INTO t VALUES (11, 13), (12, 1), (13, NULL);");
  run.options.may_append = true;
  // However large the table is, it is one range, so that the key is looked at when all of it is there.
  Plan plan = plan_conversion(run.source, run.options).plan;
  plan.tables.at(0).range_starts = {11, 12, 13};
  nerve::postgresql::Session target(run.url);
  fit_to_target(plan, target, false);
  CHECK(plan.tables.at(0).range_starts.size() == 1);
  CHECK(run.convert().is_complete());
  CHECK(run.text("SELECT string_agg(t::text, ' ' ORDER BY id) FROM t") ==
        "(1,2) (2,3) (3,) (11,13) (12,1) (13,)");
}

TEST_CASE("tables that point at each other are appended in one transaction where their keys can wait") {
  if (PostgresServer::is_waived()) return;
  constexpr std::string_view tables =
      "CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER REFERENCES b(id) {0});"
      "CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a(id) {0});";
  for (const std::string_view deferral : {"", "DEFERRABLE"}) {
    CAPTURE(deferral);
    const std::string schema = fmt::format(fmt::runtime(tables), deferral);
    Run run(deferral.empty() ? "append_cycle" : "append_cycle_deferred", schema);
    run.convert();
    make_source(run.source, "INSERT INTO a VALUES (1, 2); INSERT INTO b VALUES (2, 1);");
    run.options.may_append = true;
    CHECK_THROWS_WITH_AS(run.convert(), doctest::Contains("the foreign keys of a, b point at each other"),
                         nerve::ConflictError);
    run.options.is_atomic = true;
    if (deferral.empty()) {
      CHECK_THROWS_AS(run.convert(), nerve::ConflictError);
    } else {
      CHECK(run.convert().is_complete());
    }
    CHECK(run.text("SELECT count(*) FROM a") == (deferral.empty() ? "0" : "1"));
  }
}

TEST_CASE("a row that is missing is named however many rows were there before") {
  if (PostgresServer::is_waived()) return;
  Run run("append_large", "CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (-1), (-2), (-3);");
  run.execute(
      "CREATE TABLE t (n bigint); INSERT INTO t SELECT generate_series(1, " +
      std::to_string(at_most_in_ci(rows_in_ci, 1'000'000)) +
      "); "
      "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t WHERE n = -2; "
      "RETURN NULL; END $$; CREATE TRIGGER lose AFTER INSERT ON t EXECUTE FUNCTION lose()");
  run.options.may_append = true;
  const ConvertReport report = run.convert();
  CHECK(!report.tables.at(0).is_equal);
  REQUIRE(report.tables.at(0).differences.size() == 1);
  CHECK(report.tables.at(0).differences.at(0).side == "source");
  CHECK(report.tables.at(0).differences.at(0).row == R"({"n":-2})");
}

TEST_CASE("missing rows are found in shares of their digests, with how often they are missing") {
  if (PostgresServer::is_waived()) return;
  Run run("append_shares",
          "CREATE TABLE t (n INTEGER); WITH RECURSIVE i(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM i "
          "WHERE n < 1000) INSERT INTO t SELECT n FROM i; INSERT INTO t VALUES (7), (7), (8);");
  // 7 lacks two of three, 8 one of two, 500 is gone; 9 is there more often, and 2000 is not of the source.
  run.execute(
      "CREATE TABLE t (n bigint); INSERT INTO t SELECT n FROM generate_series(1, 1000) AS n WHERE n <> 500; "
      "INSERT INTO t VALUES (9), (2000)");
  const Plan plan = plan_conversion(run.source, run.options).plan;
  nerve::sqlite::Session source(run.source);
  nerve::postgresql::Session target(run.url);
  for (const int digests_max : {100, 400, 5000}) {
    CAPTURE(digests_max);
    const ComparedTable table{source, target, plan.tables.at(0), 0, plan.schema};
    std::map<std::string, std::int64_t> missing;
    for (const RowDifference& row : find_missing(table, 10, digests_max)) {
      CHECK(row.side == "source");
      missing[row.row] = row.count;
    }
    CHECK(missing ==
          std::map<std::string, std::int64_t>{{R"({"n":7})", 2}, {R"({"n":8})", 1}, {R"({"n":500})", 1}});
    CHECK(find_missing(table, 2, digests_max).size() == 2);
  }
}

TEST_CASE("a sequence that numbers a column without being its own goes on behind the largest number") {
  if (PostgresServer::is_waived()) return;
  Run run("append_free_sequence",
          "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (7, 5);");
  run.execute(
      R"(CREATE SEQUENCE "My Numbers"; CREATE TABLE t (id bigint PRIMARY KEY DEFAULT nextval('"My Numbers"'), n bigint))");
  run.options.may_append = true;
  CHECK(run.convert().is_complete());
  CHECK(run.text(R"(SELECT nextval('"My Numbers"'))") == "8");
}

TEST_CASE("an atomic append that is rolled back leaves sequences where they were") {
  if (PostgresServer::is_waived()) return;
  AppendRun run("append_sequence_back");
  run.options.is_atomic = true;
  const std::string before = run.text("SELECT last_value FROM a_id_seq");
  run.execute(
      "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM a WHERE id = 12; "
      "RETURN NULL; END $$; CREATE TRIGGER lose AFTER INSERT ON a EXECUTE FUNCTION lose()");
  CHECK(run.convert().is_rolled_back);
  CHECK(run.rows() == rows_before);
  CHECK(run.text("SELECT last_value FROM a_id_seq") == before);
}

TEST_CASE("a deferred key that is broken ends an atomic append, and it is told that nothing was written") {
  if (PostgresServer::is_waived()) return;
  constexpr std::string_view tables =
      "CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER REFERENCES b(id) DEFERRABLE);"
      "CREATE TABLE b (id INTEGER PRIMARY KEY);";
  Run run("append_deferred", tables);
  run.convert();
  make_source(run.source,
              "PRAGMA foreign_keys = OFF; INSERT INTO a VALUES (1, 99); INSERT INTO b VALUES (2);");
  run.options.may_append = true;
  run.options.is_atomic = true;
  std::string message;
  try {
    run.convert();
  } catch (const nerve::DatabaseError& error) {
    message = std::string(error.what()) + "\n" + error.hint();
  }
  CAPTURE(message);
  CHECK(message.starts_with("cannot append to the tables of schema public: statement refused: "));
  CHECK(message.find("a_b_fkey") != std::string::npos);
  CHECK(message.find("\nNothing was written.") != std::string::npos);
  CHECK(run.text("SELECT count(*) FROM b") == "0");
}
