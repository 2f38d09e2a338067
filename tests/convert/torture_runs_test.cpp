// SPDX-License-Identifier: Apache-2.0
//
// Goal: a run that fails leaves nothing or what the next run goes on with, and says why. Method: a real
// server is made to fail at a chosen statement by an event trigger of its own; the source is damaged, changed
// or withheld.
#include "convert/run.h"
#include "convert/torture.h"
#include "support/file_bytes.h"
#include "support/postgres_server.h"

#include "nerve/backends/sqlite/inspection.h"
#include "nerve/convert/convert.h"
#include "nerve/core/error.h"
#include "nerve/core/progress.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

using namespace nerve::convert;
using namespace nerve::test;

namespace {

/// Ends every connection when loading has begun.
class Killer final : public nerve::ProgressSink {
 public:
  void update(std::string_view phase, std::uint64_t /*done*/, std::uint64_t /*total*/) override {
    if (phase != "loading" || killed > 0) return;
    killed = PostgresServer::shared().kill_backends();
  }
  int killed = 0;
};

constexpr std::string_view two_tables = R"(
CREATE TABLE a (id INTEGER PRIMARY KEY, b_id INTEGER REFERENCES b(id), t TEXT);
CREATE TABLE b (id INTEGER PRIMARY KEY, n INTEGER);
CREATE INDEX b_by_n ON b (n);
INSERT INTO b VALUES (1, 10), (2, 20);
INSERT INTO a VALUES (1, 1, 'x'), (2, 2, 'y'), (3, NULL, 'a' || char(0)), (4, 1, 'z');)";

constexpr std::string_view two_tables_outcome = R"(table a
  id bigint NOT NULL IDENTITY from 5
  b_id bigint
  t text
  a_b_id_fkey FOREIGN KEY (b_id) REFERENCES b(id)
  a_pkey PRIMARY KEY (id)
  (1,1,x)
  (2,2,y)
  (4,1,z)
table b
  id bigint NOT NULL IDENTITY from 3
  n bigint
  b_pkey PRIMARY KEY (id)
  CREATE INDEX b_by_n ON public.b USING btree (n)
  (1,10)
  (2,20)
)";

constexpr std::string_view one_reject =
    R"({"table":"a","rowid":3,"column":"t","storage_class":"text","type":"text","reason":"text with a NUL",)"
    R"("action":"row left out","row":{"b_id":null,"id":3,"t":"a\u0000"}})"
    "\n";

}  // namespace

TEST_CASE("a rejects file holds each rejected row whole, for its owner only") {
  if (PostgresServer::is_waived()) return;
  const Run run("runs_rejects", R"(
CREATE TABLE a (id INTEGER PRIMARY KEY, t TEXT, n, r REAL, b BLOB);
INSERT INTO a VALUES (1, 'good', 1, 1.5, x'00'), (7, CAST(x'41ff' AS TEXT), NULL, 9e999, x'0aff'),
  (-3, char(0), -9223372036854775808, -9e999, NULL);)");
  const ConvertReport report = run.convert();
  CHECK(report.rejects == 2);
  CHECK(!report.is_complete());
  CHECK(
      bytes_of(run.options.rejects) ==
      R"({"table":"a","rowid":-3,"column":"t","storage_class":"text","type":"text","reason":"text with a NUL",)"
      R"("action":"row left out","row":{"b":null,"id":-3,"n":-9223372036854775808,)"
      R"("r":{"real":"-Infinity"},"t":"\u0000"}})"
      "\n"
      R"({"table":"a","rowid":7,"column":"t","storage_class":"text","type":"text",)"
      R"("reason":"text that is not UTF-8","action":"row left out","row":{"b":{"blob_hex":"0aff"},"id":7,)"
      R"("n":null,"r":{"real":"Infinity"},"t":{"text_hex":"41ff"}}})"
      "\n");
  CHECK(std::filesystem::status(run.options.rejects).permissions() ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("rows that cannot be stored and no file for them stop a conversion before it writes") {
  if (PostgresServer::is_waived()) return;
  Run run("runs_no_file", two_tables);
  run.options.rejects.clear();
  CHECK_THROWS_AS(run.convert(), nerve::ValidationError);
  CHECK(describe_schema(run.url) == "");
  CHECK(!run.has_ledger());
}

TEST_CASE("a run that an error ended is gone on with, and stores no row twice") {
  if (PostgresServer::is_waived()) return;
  const Run run("runs_error", two_tables);
  run.fail_at("CREATE INDEX");
  CHECK_THROWS_AS(run.convert(), nerve::DatabaseError);
  CHECK(run.has_ledger());
  CHECK(!run.has_rejects());
  CHECK(run.text("SELECT reloptions::text FROM pg_class WHERE oid = 'public.a'::regclass") ==
        "{autovacuum_enabled=false}");
  run.heal();
  const ConvertReport report = run.convert();
  CHECK(report.is_resumed);
  CHECK(report.rejects == 1);
  for (const TableReport& table : report.tables) CHECK(table.is_equal);
  CHECK(describe_schema(run.url) == two_tables_outcome);
  CHECK(bytes_of(run.options.rejects) == one_reject);
}

TEST_CASE("a run whose connections were cut is gone on with, and stores no row twice") {
  if (PostgresServer::is_waived()) return;
  const Run run("runs_cut", two_tables);
  run.execute(R"(
CREATE SCHEMA fault;
CREATE FUNCTION fault.wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(30); RETURN NULL; END $$;
CREATE FUNCTION fault.slow() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
  IF to_regclass('public.a') IS NOT NULL THEN
    EXECUTE 'CREATE OR REPLACE TRIGGER wait AFTER INSERT ON public.a EXECUTE FUNCTION fault.wait()';
  END IF;
END $$;
CREATE EVENT TRIGGER fail_at ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION fault.slow();)");
  Killer killer;
  CHECK_THROWS_AS(run.convert(&killer), nerve::DatabaseError);
  CHECK(killer.killed > 0);
  run.heal();
  run.execute("DROP TRIGGER wait ON public.a");
  const ConvertReport report = run.convert();
  CHECK(report.is_resumed);
  CHECK(report.rejects == 1);
  for (const TableReport& table : report.tables) CHECK(table.is_equal);
  CHECK(describe_schema(run.url) == two_tables_outcome);
  CHECK(bytes_of(run.options.rejects) == one_reject);
}

TEST_CASE("a source that changed since a run was broken off is not gone on with") {
  if (PostgresServer::is_waived()) return;
  Run run("runs_changed", two_tables);
  run.fail_at("CREATE INDEX");
  CHECK_THROWS_AS(run.convert(), nerve::DatabaseError);
  run.heal();
  make_source(run.source, "UPDATE b SET n = 11 WHERE id = 1");
  CHECK_THROWS_AS(run.convert(), nerve::ConflictError);
  run.options.may_replace = true;
  const ConvertReport report = run.convert();
  CHECK(!report.is_resumed);
  CHECK(run.text("SELECT string_agg(n::text, ' ' ORDER BY n) FROM b") == "11 20");
}

TEST_CASE("an atomic run that fails leaves nothing behind") {
  if (PostgresServer::is_waived()) return;
  Run run("runs_atomic", two_tables);
  run.options.is_atomic = true;
  run.fail_at("CREATE INDEX");
  CHECK_THROWS_AS(run.convert(), nerve::DatabaseError);
  CHECK(describe_schema(run.url) == "");
  CHECK(!run.has_ledger());
  CHECK(!run.has_rejects());
  run.heal();
  const ConvertReport report = run.convert();
  CHECK(!report.is_resumed);
  CHECK(run.has_ledger());
  CHECK(describe_schema(run.url) == two_tables_outcome);
  CHECK(bytes_of(run.options.rejects) == one_reject);
}

TEST_CASE("columns that the server cannot compute of late rows become plain ones, in parts and at once") {
  if (PostgresServer::is_waived()) return;
  constexpr std::string_view overflows = R"(
CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER AS ((a * a) % 10) STORED);
CREATE INDEX t_by_a ON t (a);
INSERT INTO t (a) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
  SELECT CASE WHEN i < 9500 THEN i ELSE 4000000000 + i END FROM n;)";
  const auto require_plain = [](const Run& run, const ConvertReport& report) {
    REQUIRE(report.tables.size() == 1);
    CHECK(report.tables.front().is_equal);
    REQUIRE(report.refused.size() == 1);
    CHECK(report.refused.front().name == "b");
    CHECK(!report.is_complete());
    CHECK(run.text("SELECT count(*) || ' ' || count(b) FROM t") == "10000 10000");
  };
  Run parts("runs_compute_parts", overflows);
  parts.options.range_bytes = 32 * 1024;
  parts.fail_at("CREATE INDEX");
  CHECK_THROWS_AS(parts.convert(), nerve::DatabaseError);
  parts.heal();
  const ConvertReport resumed = parts.convert();
  CHECK(resumed.is_resumed);
  require_plain(parts, resumed);

  Run at_once("runs_compute_at_once", overflows);
  at_once.options.is_atomic = true;
  require_plain(at_once, at_once.convert());
}

TEST_CASE("foreign keys to many integers are checked by a sort, to few or to texts as the server likes") {
  if (PostgresServer::is_waived()) return;
  const Run run("runs_sorted", R"(
CREATE TABLE many (id INTEGER PRIMARY KEY);
CREATE TABLE texts (id TEXT PRIMARY KEY NOT NULL);
CREATE TABLE few (id INTEGER PRIMARY KEY);
CREATE TABLE t (m INTEGER REFERENCES many(id), x TEXT REFERENCES texts(id), f INTEGER REFERENCES few(id));
INSERT INTO many WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100001) SELECT i FROM n;
INSERT INTO texts SELECT 'k' || id FROM many;
INSERT INTO few VALUES (1);
INSERT INTO t SELECT 100002 - id, 'k' || id, 1 FROM many;)");
  const ConvertReport report = run.convert();
  CHECK(report.is_complete());
  std::string sorted;
  for (const Step& step : report.plan.at_end) {
    if (step.joins_by_sort) sorted += step.object.name + " ";
  }
  CHECK(sorted == "m ");
  CHECK(run.text("SELECT count(*) FROM pg_constraint "
                 "WHERE conrelid = 'public.t'::regclass AND contype = 'f' AND convalidated") == "3");
}

TEST_CASE("rows that the server changes are named, and an atomic run of them is rolled back") {
  if (PostgresServer::is_waived()) return;
  Run run("runs_differs", two_tables);
  // A trigger of the target, which whoever owns it may have set up for every new table.
  run.execute(R"(
CREATE SCHEMA fault;
CREATE FUNCTION fault.alter_row() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN NEW.n := NEW.n + (NEW.id = 2)::int; RETURN NEW; END $$;
CREATE FUNCTION fault.add_trigger() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
  IF to_regclass('public.b') IS NOT NULL THEN
    EXECUTE 'CREATE OR REPLACE TRIGGER alter_row BEFORE INSERT ON public.b FOR EACH ROW EXECUTE FUNCTION fault.alter_row()';
  END IF;
END $$;
CREATE EVENT TRIGGER add_trigger ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION fault.add_trigger();)");
  const auto check_difference = [](const ConvertReport& report) {
    CHECK(!report.is_complete());
    const TableReport& table = report.tables[1];
    CHECK(!table.is_equal);
    REQUIRE(table.differences.size() == 2);
    CHECK(table.differences[0].side == "source");
    CHECK(table.differences[0].row == R"({"id":2,"n":20})");
    CHECK(table.differences[1].side == "target");
    CHECK(table.differences[1].row == R"({"id":2,"n":21})");
  };
  run.options.is_atomic = true;
  const ConvertReport atomic = run.convert();
  check_difference(atomic);
  CHECK(atomic.is_rolled_back);
  CHECK(describe_schema(run.url) == "");
  CHECK(!run.has_ledger());
  CHECK(!run.has_rejects());
  run.options.is_atomic = false;
  const ConvertReport kept = run.convert();
  check_difference(kept);
  CHECK(!kept.is_rolled_back);
  CHECK(run.text("SELECT count(*)::text FROM b") == "2");
}

TEST_CASE("a target that is not empty stays as it is, unless it may be replaced") {
  if (PostgresServer::is_waived()) return;
  Run run("runs_full", two_tables);
  run.execute(
      "CREATE TABLE old (id serial PRIMARY KEY, n int); CREATE VIEW b AS SELECT n FROM old; "
      "CREATE SEQUENCE a_id_seq; INSERT INTO old (n) VALUES (5)");
  CHECK_THROWS_AS(run.convert(), nerve::ConflictError);
  CHECK(run.text("SELECT n::text FROM b") == "5");
  CHECK(!run.has_ledger());
  run.options.may_replace = true;
  run.convert();
  CHECK(describe_schema(run.url) == two_tables_outcome);
  run.options.may_replace = false;
  CHECK_THROWS_AS(run.convert(), nerve::ConflictError);
}

TEST_CASE("another schema takes a conversion beside what there is, but not the one of the ledger") {
  if (PostgresServer::is_waived()) return;
  Run run("runs_schema",
          "CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT REFERENCES t(id));"
          "CREATE VIEW v AS SELECT id FROM t; INSERT INTO t VALUES (1, NULL);");
  run.execute("CREATE TABLE old (n int)");
  run.options.schema = "My \"own\" schema";
  const ConvertReport report = run.convert();
  CHECK(report.tables.at(0).is_equal);
  CHECK(describe_schema(run.url) == "table old\n  n integer\n");
  CHECK(run.text("SELECT (SELECT count(*) FROM \"My \"\"own\"\" schema\".v)::text") == "1");
  run.options.schema = "nerve_convert";
  CHECK_THROWS_AS(run.convert(), nerve::ValidationError);
}

TEST_CASE("a rejects file takes the place of no other file, and of no source") {
  if (PostgresServer::is_waived()) return;
  Run run("runs_place", two_tables);
  const std::string source = bytes_of(run.source);
  write(run.scratch / "other.txt", "keep me");
  std::filesystem::create_symlink(run.source, run.scratch / "link");
  for (const char* name : {"source.db", "other.txt", "link"}) {
    CAPTURE(name);
    run.options.rejects = run.scratch / name;
    CHECK_THROWS_WITH_AS(run.convert(), doctest::Contains("is there already, and is no rejects file"),
                         nerve::ConflictError);
  }
  run.options.rejects = run.scratch / "missing" / "rejects.jsonl";
  CHECK_THROWS_WITH_AS(run.convert(), doctest::Contains("there is no folder"), nerve::NotFoundError);
  run.options.rejects = run.scratch.path();
  CHECK_THROWS_AS(run.convert(), nerve::ConflictError);
  CHECK(bytes_of(run.source) == source);
  CHECK(bytes_of(run.scratch / "other.txt") == "keep me");
  CHECK(describe_schema(run.url) == "");
  // An older one of the same kind gives way, as when a conversion is done again.
  run.options.rejects = run.scratch / "rejects.jsonl";
  run.convert();
  run.options.may_replace = true;
  run.convert();
  CHECK(bytes_of(run.options.rejects) == one_reject);
}

TEST_CASE("what is used by other schemas, or by functions, is not replaced") {
  if (PostgresServer::is_waived()) return;
  Run run("runs_users", two_tables);
  run.execute(
      "CREATE TABLE prod (x int PRIMARY KEY); INSERT INTO prod VALUES (7); CREATE SCHEMA other; "
      "CREATE VIEW other.v AS SELECT * FROM prod; CREATE TABLE other.child (x int REFERENCES prod); "
      "CREATE FUNCTION f() RETURNS SETOF prod LANGUAGE sql AS 'SELECT * FROM public.prod'");
  run.options.may_replace = true;
  try {
    run.convert();
    FAIL("the target was replaced");
  } catch (const nerve::ConflictError& error) {
    const std::string_view message = error.what();
    for (const char* user : {"view other.v", "constraint child_x_fkey", "function"})
      CHECK(message.find(user) != std::string_view::npos);
  }
  CHECK(run.text("SELECT x::text FROM other.v") == "7");
  CHECK(!run.has_ledger());
  run.execute("DROP SCHEMA other CASCADE; DROP FUNCTION f()");
  run.convert();
  CHECK(describe_schema(run.url) == two_tables_outcome);
}

TEST_CASE("a comparison with a target that lacks tables or columns names them") {
  if (PostgresServer::is_waived()) return;
  Run run("runs_lacks", two_tables);
  run.convert();
  run.execute("DROP TABLE a; ALTER TABLE b RENAME n TO m");
  CHECK_THROWS_WITH_AS(verify_conversion(run.source, run.url, run.options),
                       doctest::Contains("lacks table a, column n of b"), nerve::NotFoundError);
}

TEST_CASE("a table named by nothing does not stand in the way of constraints") {
  if (PostgresServer::is_waived()) return;
  const Run run("runs_nameless", R"(
CREATE TABLE "" (id INTEGER PRIMARY KEY, v UNIQUE); CREATE TABLE c (x INTEGER CHECK (x > 0));
INSERT INTO "" VALUES (1, 2); INSERT INTO c VALUES (3);)");
  CHECK(run.convert().is_complete());
  CHECK(run.text("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = 'c'::regclass") ==
        "c_x_check");
}

TEST_CASE("an interrupted run is not gone on with where a rule gives a time another form") {
  if (PostgresServer::is_waived()) return;
  Run run("runs_time",
          "CREATE TABLE t (at INTEGER); INSERT INTO t VALUES (1700000000); CREATE INDEX t_at ON t (at)");
  run.rules("[tables.t.columns]\nat = {type = 'timestamptz', time = 'epoch seconds'}\n");
  run.fail_at("CREATE INDEX");
  CHECK_THROWS_AS(run.convert(), nerve::DatabaseError);
  run.heal();
  run.rules("[tables.t.columns]\nat = {type = 'timestamptz', time = 'epoch milliseconds'}\n");
  CHECK_THROWS_WITH_AS(run.convert(), doctest::Contains("by another plan"), nerve::ConflictError);
}

TEST_CASE("of a row that is left out nothing is told as stored") {
  if (PostgresServer::is_waived()) return;
  Run run("runs_both",
          "CREATE TABLE t (a INTEGER, b INTEGER); INSERT INTO t VALUES ('x', 'y'), ('z', 3), (1, 2)");
  run.rules("[tables.t.columns]\na = {on_misfit = 'null'}\nb = {on_misfit = 'reject'}\n");
  const ConvertReport report = run.convert();
  CHECK(report.tables.at(0).nulled == 1);
  CHECK(report.tables.at(0).rejected == 1);
  CHECK(report.rejects == 2);
  CHECK(run.text("SELECT string_agg(t::text, ' ' ORDER BY b) FROM t") == "(1,2) (,3)");
  CHECK(
      bytes_of(run.options.rejects)
          .find(
              R"("a","storage_class":"text","type":"bigint","reason":"the type holds no value of this storage class","action":"stored as NULL","row":{"a":"x")") ==
      std::string::npos);
}

TEST_CASE("a plan forecasts the rows whose foreign keys name no row") {
  const TempFolder folder;
  make_source(folder / "source.db", R"(
CREATE TABLE p (id INTEGER PRIMARY KEY, k TEXT);
CREATE TABLE c (id INTEGER PRIMARY KEY, p_id REFERENCES P, gone_id REFERENCES gone(x), k REFERENCES p(k));
CREATE TABLE w (a TEXT PRIMARY KEY, b, p1 REFERENCES p, FOREIGN KEY (p1) REFERENCES p (id)) WITHOUT ROWID;
INSERT INTO p VALUES (1, 'x');
INSERT INTO w VALUES ('x', 0, 9), ('y', 0, 1), ('z', 0, NULL);)");
  make_source(folder / "keys.db", R"(
CREATE TABLE p (id INTEGER PRIMARY KEY);
CREATE TABLE c (id INTEGER PRIMARY KEY, p_id REFERENCES P, gone_id REFERENCES gone(x));
INSERT INTO p VALUES (1);
INSERT INTO c VALUES (1, 1, NULL), (4, 5, 1), (7, 6, NULL), (8, NULL, NULL);)");
  const Forecast keys = plan_conversion(folder / "keys.db", {}).forecast;
  REQUIRE(keys.orphans.size() == 1);
  CHECK(keys.orphans[0].table == "c");
  CHECK(keys.orphans[0].columns == std::vector<std::string>{"p_id"});
  CHECK(keys.orphans[0].parent == "P");
  CHECK(keys.orphans[0].rows == 2);
  CHECK(keys.orphans[0].first_rowid == 4);
  // Table c is left out: p(k) is no key, so that SQLite checks none of its foreign keys.
  const Forecast whole = plan_conversion(folder / "source.db", {}).forecast;
  REQUIRE(whole.orphans.size() == 2);
  for (const Orphans& orphans : whole.orphans) {
    CHECK(orphans.table == "w");
    CHECK(orphans.rows == 1);
    CHECK(!orphans.first_rowid);
  }
}

TEST_CASE("a damaged source is refused with nothing made") {
  if (PostgresServer::is_waived()) return;
  const Run run("runs_damaged",
                "CREATE TABLE t (a TEXT); WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 "
                "FROM n WHERE i < 2000) INSERT INTO t SELECT hex(zeroblob(50)) FROM n;");
  std::fstream file(run.source, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096 * 5);
  file << std::string(4096 * 3, '\x5a');
  file.close();
  CHECK_THROWS_AS(run.convert(), nerve::IntegrityError);
  CHECK(describe_schema(run.url) == "");
  CHECK(!run.has_ledger());
}

TEST_CASE("without the check a table of damaged pages is left out, and all others are converted") {
  if (PostgresServer::is_waived()) return;
  Run run("runs_damaged_unchecked",
          "CREATE TABLE t (a TEXT); WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 "
          "FROM n WHERE i < 2000) INSERT INTO t SELECT hex(zeroblob(50)) FROM n; "
          "CREATE TABLE sound (a INTEGER); INSERT INTO sound VALUES (1), (2);");
  std::fstream file(run.source, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096 * 5);
  file << std::string(4096 * 3, '\x5a');
  file.close();
  run.options.checks_source = false;
  const ConvertReport report = run.convert();
  REQUIRE(report.tables.size() == 1);
  CHECK(report.tables[0].source == "sound");
  CHECK(report.tables[0].is_equal);
  CHECK(report.tables[0].stored == 2);
  CHECK(!report.is_complete());
}

/// Ten rows, the index of a column of them, and a table without any.
constexpr std::string_view indexed_table = R"(
CREATE TABLE t (a INTEGER, b TEXT);
CREATE INDEX t_a ON t (a);
CREATE TABLE e (a INTEGER, b TEXT);
INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10)
SELECT i, 'row ' || i FROM n;)";

void check_refused_as_damaged(Run& run) {
  try {
    run.convert();
    FAIL("it was converted");
  } catch (const nerve::IntegrityError& error) {
    CHECK(std::string_view(error.what()).find("is damaged: index t_a") != std::string_view::npos);
    CHECK(error.hint().find("nerve-db health --deep --db") != std::string::npos);
    CHECK(error.hint().find("nerve-db salvage --db") != std::string::npos);
  }
  CHECK_THROWS_AS(plan_conversion(run.source, run.options), nerve::IntegrityError);
  CHECK(describe_schema(run.url) == "");
  CHECK(!run.has_ledger());
  run.options.checks_source = false;
  const ConvertReport unchecked = run.convert();
  CHECK(!unchecked.check.is_done);
  CHECK(unchecked.tables.at(1).rows == 0);
}

TEST_CASE("a source whose rows are gone and still in an index is refused with nothing made") {
  if (PostgresServer::is_waived()) return;
  SUBCASE("for the table is said to be at the place of another") {
    Run run("runs_other_root",
            std::string(indexed_table) +
                "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT rootpage "
                "FROM sqlite_schema WHERE name = 'e') WHERE name = 't';");
    check_refused_as_damaged(run);
  }
  SUBCASE("for a page of the table was written over by an empty one, which the quick check does not see") {
    Run run("runs_emptied_page", indexed_table);
    std::fstream file(run.source, std::ios::in | std::ios::out | std::ios::binary);
    std::string empty(4096, '\0');
    file.seekg(4096 * 3);
    file.read(empty.data(), 4096);
    file.seekp(4096 * 1);
    file << empty;
    file.close();
    nerve::sqlite::Session session(run.source);
    CHECK(!nerve::sqlite::quick_check(session).is_found());
    check_refused_as_damaged(run);
  }
}

TEST_CASE("a sound source is told as checked, and so is what the check could not look at") {
  if (PostgresServer::is_waived()) return;
  const Run run(
      "runs_unchecked",
      "CREATE TABLE good (id INTEGER PRIMARY KEY); CREATE TABLE t (a TEXT, b TEXT); "
      "CREATE INDEX t_b ON t (upper(b)); INSERT INTO t VALUES ('x', 'y'); "
      "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'upper', 'theirs');");
  const ConvertReport report = run.convert();
  CHECK(report.check.is_done);
  CHECK(report.check.unchecked == std::vector<std::string>{"t: unknown function: theirs()"});
  CHECK(report.tables.at(1).is_equal);
  CHECK(report.tables.at(1).stored == 1);
}

TEST_CASE("a table with a column that SQLite cannot compute is converted without those that a rule skips") {
  if (PostgresServer::is_waived()) return;
  Run run(
      "runs_not_computed",
      "CREATE TABLE t (id INTEGER PRIMARY KEY, d TEXT, s TEXT); INSERT INTO t VALUES (1, 'no JSON', 'x'); "
      "ALTER TABLE t ADD COLUMN n AS (json_extract(d, '$.n'));");
  run.rules("[tables.t.columns]\ns = { skip = true }\n");
  const ConvertReport report = run.convert();
  CHECK(report.tables.at(0).is_equal);
  CHECK(!report.is_complete());
  CHECK(run.text("SELECT row_to_json(t)::text FROM t") == R"({"id":1,"d":"no JSON"})");
}

TEST_CASE("no orphans are told of a key that only its application can look up") {
  const TempFolder scratch;
  const auto source = scratch / "source.db";
  make_source(
      source,
      "CREATE TABLE p (k TEXT PRIMARY KEY COLLATE NOCASE); CREATE TABLE c (k TEXT REFERENCES p(k)); "
      "INSERT INTO p VALUES ('b'), ('C'), ('a'); INSERT INTO c VALUES ('a'), ('c'), ('x'); "
      "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'NOCASE', 'theirs');");
  const PlannedConversion planned = plan_conversion(source, {});
  CHECK(planned.forecast.orphans.empty());
  CHECK(planned.check.unchecked == std::vector<std::string>{"p: no such collation sequence: theirs"});
}

TEST_CASE("a plan is made although a foreign key has a column that SQLite cannot compute") {
  const TempFolder scratch;
  const auto source = scratch / "source.db";
  make_source(
      source,
      "CREATE TABLE p (k TEXT PRIMARY KEY); CREATE TABLE c (d TEXT); INSERT INTO c VALUES ('no JSON'); "
      "ALTER TABLE c ADD COLUMN k AS (json_extract(d, '$.k')) REFERENCES p(k); "
      "CREATE TABLE o (k TEXT REFERENCES p(k)); INSERT INTO o VALUES ('x');");
  const PlannedConversion planned = plan_conversion(source, {});
  REQUIRE(planned.forecast.orphans.size() == 1);
  CHECK(planned.forecast.orphans.front().table == "o");
  std::vector<std::string> told;
  for (const Untranslated& object : planned.plan.untranslated)
    told.push_back(object.kind + " " + object.name);
  CHECK(told == std::vector<std::string>{"generated column k", "foreign key k"});
}

TEST_CASE("an encrypted source is refused with nothing made") {
  if (PostgresServer::is_waived()) return;
  const Run run("runs_encrypted", two_tables);
  std::ofstream file(run.source, std::ios::binary | std::ios::trunc);
  unsigned state = 12345;
  for (int i = 0; i < 8192; ++i) file.put(static_cast<char>((state = state * 1103515245U + 12345U) >> 16U));
  file.close();
  CHECK_THROWS_AS(run.convert(), nerve::IntegrityError);
  CHECK(describe_schema(run.url) == "");
  CHECK(!run.has_ledger());
}

TEST_CASE("a source that is missing is refused with nothing made") {
  if (PostgresServer::is_waived()) return;
  const Run run("runs_missing", two_tables);
  std::filesystem::remove(run.source);
  CHECK_THROWS_AS(run.convert(), nerve::NotFoundError);
  CHECK(!std::filesystem::exists(run.source));
  CHECK(!run.has_ledger());
}

TEST_CASE("a role without rights on the target is refused with nothing made") {
  if (PostgresServer::is_waived()) return;
  Run run("runs_rights", two_tables);
  run.execute("CREATE ROLE weak LOGIN");
  const std::string url = run.url;
  const std::string user = "postgres@";
  REQUIRE(url.find(user) != std::string::npos);
  run.url.replace(url.find(user), user.size(), "weak@");
  CHECK_THROWS_AS(run.convert(), nerve::DatabaseError);
  run.url = url;
  CHECK(describe_schema(run.url) == "");
  CHECK(!run.has_ledger());
}

TEST_CASE("a table of more columns than PostgreSQL takes is left out and told, and no other is") {
  if (PostgresServer::is_waived()) return;
  std::string columns;
  std::string values;
  for (int i = 0; i < 1'700; ++i) {
    columns += fmt::format("{}c{} INTEGER", i == 0 ? "" : ", ", i);
    values += i == 0 ? "1" : ", 1";
  }
  const Run run("runs_wide",
                "CREATE TABLE wide (" + columns + "); INSERT INTO wide VALUES (" + values +
                    "); CREATE TABLE t (a INTEGER REFERENCES wide(c0)); INSERT INTO t VALUES (1)");
  const ConvertReport report = run.convert();
  CHECK(describe_schema(run.url) + describe_report(report, run.options.rejects) ==
        "table t\n  a bigint\n  (1)\n"
        "untranslated table wide: it has 1700 columns, and PostgreSQL takes 1600\n"
        "untranslated foreign key a of t: there is no table wide\n");
}

TEST_CASE("a row wider than a page is left out and told, and the widest that fits is stored") {
  if (PostgresServer::is_waived()) return;
  // 24 octets before the row, 8 a column, of 8,160: PostgreSQL takes 1,017 of them, and 1,500 with some
  // empty.
  constexpr int column_count = 1'500;
  constexpr int fitting = 993;  // the map of NULLs takes 188 octets
  std::string columns = "c0 INTEGER";
  std::string fits = "1";
  std::string exceeds = "2";
  for (int i = 1; i < column_count; ++i) {
    columns += fmt::format(", c{} INTEGER", i);
    fits += i < fitting ? ", 1" : ", NULL";
    exceeds += i <= fitting ? ", 1" : ", NULL";
  }
  Run run("runs_page", "CREATE TABLE wide (" + columns + "); INSERT INTO wide VALUES (" + fits + "), (" +
                           exceeds + "), (" + fits + ")");
  const std::filesystem::path rejects = run.options.rejects;
  run.options.rejects.clear();
  try {
    run.convert();
    FAIL("a row was left out without a place for it");
  } catch (const nerve::ValidationError& error) {
    CHECK(std::string_view(error.what()) ==
          "a row of wide cannot be stored: the row is wider than a page of PostgreSQL");
    CHECK(error.hint().find("--rejects") != std::string::npos);
  }
  run.options.rejects = rejects;
  const ConvertReport report = run.convert();
  CHECK(report.is_resumed);
  CHECK(report.rejects == 1);
  CHECK(report.tables[0].is_equal);
  CHECK(run.text("SELECT string_agg(c0 || ' ' || c992, ', ') FROM wide") == "1 1, 1 1");
  CHECK(bytes_of(rejects).find(R"("rowid":2,"column":"c1499")") != std::string::npos);
  // That no narrower row is left out: the server itself does not take the row.
  CHECK_THROWS_AS(run.execute("UPDATE wide SET c993 = 1"), nerve::DatabaseError);
}
