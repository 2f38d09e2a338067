// SPDX-License-Identifier: Apache-2.0
//
// Goal: what a rules file says is done, and a file with an error changes nothing and says where and why.
// Method: small databases and files; the target is read by its catalogue, and the texts of errors are
// compared whole.
#include "convert/run.h"
#include "convert/torture.h"
#include "support/file_bytes.h"
#include "support/postgres_server.h"
#include "support/temp_folder.h"
#include "support/test_data.h"

#include "nerve/convert/convert.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

using namespace nerve::convert;
using namespace nerve::test;

namespace {

/// A plan without a target.
struct Planned {
  explicit Planned(std::string_view script) { make_source(source, script); }

  Plan plan(std::string_view text) const {
    write(rules, text);
    ConvertOptions options;
    options.rules = rules;
    return plan_conversion(source, options).plan;
  }
  /// What is told of a file, a line each: "LINE:COLUMN: MESSAGE".
  std::string errors(std::string_view text) const {
    try {
      plan(text);
    } catch (const nerve::ValidationError& error) {
      std::string lines;
      for (const nerve::Violation& violation : error.violations()) {
        CHECK(violation.field.starts_with(rules.string() + ":"));
        lines += violation.field.substr(rules.string().size() + 1) + ": " + violation.message + "\n";
      }
      return lines.empty() ? error.what() : lines;
    }
    return "no error";
  }

  TempFolder scratch;
  std::filesystem::path source = scratch / "source.db";
  std::filesystem::path rules = scratch / "rules.toml";
};

/// "name type on_misfit misfits" of each column of the first table.
std::string columns_of(const Plan& plan) {
  std::string text;
  for (const ColumnPlan& column : plan.tables.at(0).columns) {
    text += fmt::format("{} {} {} {}\n", column.target, to_ddl(column.type), to_string(column.on_misfit),
                        column.misfits);
  }
  return text;
}

/// The indented lines of a page that follow a line, down to the next one that is not indented.
std::string example(const std::string& page, std::string_view first) {
  const std::string begin = fmt::format("\n    {}\n", first);
  std::size_t place = page.find(begin);
  REQUIRE(place != std::string::npos);
  place += begin.size();
  std::string text;
  while (page.compare(place, 4, "    ") == 0 || page[place] == '\n') {
    const std::size_t end = page.find('\n', place);
    if (end > place) text += page.substr(place + 4, end - place - 3);
    place = end + 1;
  }
  return text;
}

/// A plan but for why its types are what they are.
std::string without_reasons(const Plan& plan) {
  nerve::Json document = to_json(plan);
  for (auto& table : document["tables"]) {
    for (auto& column : table["columns"]) column.erase("why");
  }
  return document.dump(1);
}

constexpr std::string_view people = R"(
CREATE TABLE person (id INTEGER PRIMARY KEY, name VARCHAR(5) NOT NULL, age INTEGER, seen, note BLOB);
CREATE TABLE event (code TEXT, day TEXT, PRIMARY KEY (code, day)) WITHOUT ROWID;
CREATE VIEW adult AS SELECT name FROM person WHERE age >= 18;
CREATE TABLE "left over" (a, b);
INSERT INTO person VALUES (1, 'Ann', 41, 1700000000, x'00'), (2, 'Bartholomew', 'old', 1700000001, NULL);
INSERT INTO event VALUES ('a', '2024-01-02'), ('b', 'never');)";

struct WrongFile {
  std::string_view text;
  std::string_view errors;
};

}  // namespace

TEST_CASE("each error in a rules file is told with its place, what is wrong and what to do") {
  const Planned source(people);
  const std::vector<WrongFile> files{
      {"case = \"upper\"", "1:8: 'upper' is no value of 'case'; write 'lower' or 'keep'\n"},
      {"on_misfits = \"null\"", "1:1: unknown key 'on_misfits'; did you mean 'on_misfit'?\n"},
      {"threads = 3", "1:1: unknown key 'threads'; a rules file has case, on_misfit, tables\n"},
      {"on_misfit = \"drop\"",
       "1:13: 'drop' is no value of 'on_misfit'; write 'widen', 'reject', 'null' or 'fail'\n"},
      {"on_misfit = 3", "1:13: 'on_misfit' must be a text; write it in quotes\n"},
      {"tables = 3", "1:10: 'tables' must be a table; write [tables.\"NAME\"] and below it its rules\n"},
      {"[tables]\nperson = 3",
       "2:1: the rules of 'person' must be a table; write person = { name = \"…\" }\n"},
      {"[tables.persan]\nskip = true", "1:9: there is no table 'persan'; did you mean 'person'?\n"},
      {"[tables.zebra]\nskip = true", "1:9: there is no table 'zebra'; there are event, left over, person\n"},
      {"[tables.adult]\nname = \"a\"", "1:9: 'adult' is a view, and rules are for tables; leave it out\n"},
      {"[tables.person]\nskip = \"yes\"", "2:8: 'skip' must be true or false; write it without quotes\n"},
      {"[tables.person]\nskip = true\n[tables.Person]\nname = \"p\"",
       "3:9: the table 'Person' has rules in line 1 already; put them together\n"},
      {"[tables.person]\nname = \"event\"",
       "2:8: the name 'event' is that of the table or view 'event'; give one of them another name\n"},
      {"[tables.person]\nname = \"adult\"",
       "2:8: the name 'adult' is that of the table or view 'adult'; give one of them another name\n"},
      {"[tables.person]\nname = \"x\"\n[tables.event]\nname = \"x\"",
       "4:8: the name 'x' is that of the table or view 'person'; give one of them another name\n"},
      {"[tables.person]\nname = \"\"", "2:8: the name is empty; give one, or leave 'name' out\n"},
      {"[tables.person]\nname = \"a\\u0000b\"",
       "2:8: the name holds a NUL, which no name in PostgreSQL does; leave it out\n"},
      {"[tables.person]\nname = \"a234567890123456789012345678901234567890123456789012345678901234\"",
       "2:8: the name has 64 bytes; PostgreSQL keeps 63, so give a shorter one\n"},
      {"[tables.person.columns]\nagge = { type = \"text\" }",
       "2:1: table 'person' has no column 'agge'; did you mean 'age'?\n"},
      {"[tables.person.columns]\nage = { type = \"text\" }\nAGE = { name = \"years\" }",
       "3:1: the column 'AGE' has rules in line 2 already; put them together\n"},
      {"[tables.person.columns]\nage = { name = \"note\" }",
       "2:16: the name 'note' is that of the column 'note'; give one of them another name\n"},
      {"[tables.person.columns]\nage = { name = \"ctid\" }",
       "2:16: PostgreSQL has the column 'ctid' in every table; give another name\n"},
      {"[tables.person.columns]\nage = { types = \"text\" }",
       "2:9: unknown key 'types'; did you mean 'type'?\n"},
      {"[tables.person.columns]\nage = { type = \"integer\" }",
       "2:16: unknown type 'integer'; write 'bigint'\n"},
      {"[tables.person.columns]\nage = { type = \"bigitn\" }",
       "2:16: unknown type 'bigitn'; write 'bigint'\n"},
      {"[tables.person.columns]\nage = { type = \"varchar\" }",
       "2:16: unknown type 'varchar'; write 'varchar(40)'\n"},
      {"[tables.person.columns]\nage = { type = \"numeric(3,4)\" }",
       "2:16: unknown type 'numeric(3,4)'; write numeric(10,2) with a precision up to 1000, or varchar(40) "
       "with "
       "a length up to 10485760\n"},
      {"[tables.person.columns]\nage = { type = \"point\" }",
       "2:16: unknown type 'point'; there are boolean, bigint, double precision, numeric, text, varchar, "
       "bytea, "
       "date, timestamp, timestamptz, json, uuid\n"},
      {"[tables.person.columns]\nage = { type = \"text\", time = \"epoch seconds\" }",
       "2:31: 'time' says how a date, timestamp or timestamptz is written; give the column such a type\n"},
      {"[tables.person.columns]\nseen = { type = \"timestamp\", time = \"seconds\" }",
       "2:37: 'seconds' is no value of 'time'; write 'ISO text', 'epoch seconds', 'epoch milliseconds' or "
       "'Julian "
       "day'\n"},
      {"[tables.person.columns]\nid = { type = \"text\" }",
       "2:15: 'id' is an INTEGER PRIMARY KEY, which numbers its rows; its type is bigint, so leave 'type' "
       "out\n"},
      {"[tables.person.columns]\nname = { on_misfit = \"null\" }",
       "2:22: 'name' takes no NULL, for it is NOT NULL; write reject, fail or widen\n"},
      {"[tables.event.columns]\nday = { on_misfit = \"null\" }",
       "2:21: 'day' takes no NULL, for it is NOT NULL; write reject, fail or widen\n"},
      {"[tables.person.columns]\nnote = { type = \"uuid\" }",
       "2:17: uuid fits no value of person.note, which holds 1 blob; give it another type, or leave 'type' "
       "out\n"},
      {"[tables.person.columns]\nseen = { type = \"date\" }",
       "2:17: date of epoch seconds fits no value of person.seen, which holds 2 integers; give it another "
       "type, or "
       "leave 'type' out\n"},
      {"[tables.\"left over\".columns]\na = { skip = true }\nb = { skip = true }",
       "1:9: every column of 'left over' is skipped; skip the table itself\n"},
      {"[tables.person]\nskip = true\nskip = false",
       "3:8: not well-formed TOML; the parser says: Error while parsing key-value pair: cannot redefine "
       "existing "
       "boolean 'skip'\n"},
      {"[tables.person\nskip = true",
       "1:15: not well-formed TOML; the parser says: Error while parsing table header: expected ']', saw "
       "'\\n'\n"},
      {"on_misfit = 1\ncase = 2\n[tables.person.columns]\nage = { type = \"int\" }\nx = { skip = 1 }",
       "1:13: 'on_misfit' must be a text; write it in quotes\n"
       "2:8: 'case' must be a text; write it in quotes\n"
       "4:16: unknown type 'int'; write 'bigint'\n"
       "5:1: table 'person' has no column 'x'; there are id, name, age, seen, note\n"
       "5:14: 'skip' must be true or false; write it without quotes\n"},
  };
  for (const WrongFile& file : files) {
    CAPTURE(file.text);
    CHECK(source.errors(file.text) == file.errors);
  }
}

TEST_CASE("of many errors the first ten are told, and how many there are") {
  const Planned source(people);
  std::string text;
  for (int i = 0; i < 12; ++i) text += fmt::format("key{} = 1\n", i);
  CHECK_THROWS_WITH_AS(
      source.plan(text),
      ("the rules file " + source.rules.string() + " has 12 errors, of which the first 10 are").c_str(),
      nerve::ValidationError);
  const std::string told = source.errors(text);
  CHECK(std::ranges::count(told, '\n') == 10);
}

TEST_CASE("whatever stands in a rules file, it is taken or refused with a place") {
  const Planned source(people);
  const std::string_view whole =
      "case = \"keep\"\non_misfit = \"null\"\n[tables.person]\nname = \"p\"\n[tables.person.columns]\n"
      "age = { type = \"numeric(10,2)\", on_misfit = \"widen\" }\n[tables.\"left over\"]\nskip = true\n";
  unsigned state = 1;
  const auto dice = [&](std::size_t sides) {
    state = state * 1103515245U + 12345U;
    return static_cast<std::size_t>(state >> 16U) % sides;
  };
  constexpr std::string_view odd("\"'[]{}=.,#\\\n\0\xff\xc3 (", 17);
  int taken = 0;
  int refused = 0;
  for (int i = 0; i < 500; ++i) {
    std::string text(whole);
    const std::size_t place = dice(text.size());
    if (dice(2) == 0) {
      text.erase(place, 1 + dice(12));
    } else {
      text.insert(place, 1, odd[dice(odd.size())]);
    }
    CAPTURE(text);
    const std::string told = source.errors(text);
    if (told == "no error") {
      ++taken;
    } else {
      ++refused;
      CHECK(told.find_first_not_of("0123456789") == told.find(':'));
    }
  }
  CHECK(taken > 10);
  CHECK(refused > 100);
}

TEST_CASE("a rules file that is not there is not found") {
  const Planned source(people);
  ConvertOptions options;
  options.rules = source.scratch / "nowhere.toml";
  CHECK_THROWS_AS(plan_conversion(source.source, options), nerve::NotFoundError);
}

TEST_CASE("an empty rules file changes nothing") {
  const Planned source(people);
  CHECK(to_json(source.plan("")) == to_json(plan_conversion(source.source, {}).plan));
}

TEST_CASE("a type that a rule gives is held, and what does not fit it is counted one by one") {
  const Planned source(
      "CREATE TABLE t (a, b, c, d);"
      "INSERT INTO t VALUES (0, 1.5, 'abc', 1700000000), (1, 1.25, 'abcd', 1700000001), (2, 10, 'abcde', 5), "
      "(NULL, NULL, NULL, NULL);");
  CHECK(columns_of(
            source.plan("[tables.t.columns]\na = { type = \"boolean\" }\nb = { type = \"numeric(2,1)\" }\n"
                        "c = { type = \"varchar(4)\", on_misfit = \"null\" }\n"
                        "d = { type = \"timestamptz\", on_misfit = \"fail\" }\n")) ==
        "a boolean reject 1\n"
        "b numeric(2,1) reject 2\n"
        "c varchar(4) null 1\n"
        "d timestamptz fail 0\n");
}

TEST_CASE("a ruled type is given up where it does not hold every value and the column is to be widened") {
  const Planned source(
      "CREATE TABLE t (a, b, c, d);"
      "INSERT INTO t VALUES (0, 1.5, 'abc', 7), (1, 1.25, 'abcd', 8), (2, 10, 'abcde', 9);");
  CHECK(columns_of(source.plan("[tables.t.columns]\na = { type = \"boolean\", on_misfit = \"widen\" }\n"
                               "b = { type = \"numeric(2,1)\", on_misfit = \"widen\" }\n"
                               "c = { type = \"varchar(4)\", on_misfit = \"widen\" }\n"
                               "d = { type = \"double precision\", on_misfit = \"widen\" }\n")) ==
        "a bigint reject 0\n"
        "b numeric reject 0\n"
        "c text reject 0\n"
        "d double precision reject 0\n");
}

TEST_CASE(
    "a policy for the whole holds each column to what it is declared as, a table's and a column's come "
    "first") {
  constexpr std::string_view script =
      "CREATE TABLE t (a INTEGER, b VARCHAR(2) NOT NULL, c DATETIME, d BLOB, e INTEGER, f);"
      "INSERT INTO t VALUES (1, 'x', '2024-01-02 03:04:05', 'text', 'none', 1), "
      "('y', 'xyz', '2024-01-02 03:04', 'more', 'of them', 'z'), (3, 'x', 'never', 'text', 'fits', 2);";
  const Planned source(script);
  CHECK(columns_of(source.plan("on_misfit = \"null\"")) ==
        "a bigint null 1\n"
        "b varchar(2) reject 1\n"  // it takes no NULL
        "c timestamp null 1\n"
        "d text null 0\n"  // bytea would change it
        "e text null 0\n"  // a bigint would hold nothing
        "f text null 0\n");
  CHECK(columns_of(source.plan("on_misfit = \"null\"\n[tables.T]\non_misfit = \"fail\"\n[tables.T.columns]\n"
                               "A = { on_misfit = \"widen\" }\nc = { on_misfit = \"reject\" }")) ==
        "a text reject 0\n"
        "b varchar(2) fail 1\n"
        "c timestamp reject 1\n"
        "d text fail 0\n"
        "e text fail 0\n"
        "f text fail 0\n");
}

TEST_CASE("rules name the column that keeps implicit rowids, or leave it out, and leave it its type") {
  if (PostgresServer::is_waived()) return;
  Run run("rules_rowids",
          "CREATE TABLE docs (t TEXT); INSERT INTO docs (rowid, t) VALUES (10, 'x'); "
          "CREATE VIRTUAL TABLE fx USING fts4(t, content=\"docs\"); INSERT INTO fx (fx) VALUES ('rebuild'); "
          "CREATE VIEW first AS SELECT t FROM docs WHERE rowid = 10;");
  run.rules("[tables.docs.columns]\nrowid = { name = \"number\" }\n");
  CHECK(run.convert().is_complete());
  CHECK(run.text("SELECT number || t FROM docs") == "10x");
  CHECK(run.text("SELECT t FROM first") == "x");
  run.options.may_replace = true;
  run.rules("[tables.docs.columns]\nrowid = { skip = true }\n");
  CHECK(!run.convert().is_complete());
  CHECK(run.text("SELECT row_to_json(d)::text FROM docs d") == R"({"t":"x"})");
  run.rules("[tables.docs.columns]\nrowid = { type = \"text\" }\n");
  CHECK_THROWS_AS(run.convert(), nerve::ValidationError);
}

TEST_CASE("skipped tables and columns are left out, with what needs them, and told") {
  if (PostgresServer::is_waived()) return;
  Run run("rules_skip", R"(
CREATE TABLE log (id INTEGER PRIMARY KEY, t TEXT);
CREATE TABLE a (id INTEGER PRIMARY KEY, log_id INTEGER REFERENCES log(id), secret TEXT UNIQUE CHECK (secret <> ''),
                b TEXT, UNIQUE (b, secret));
CREATE INDEX a_secret ON a (secret);
CREATE VIEW v AS SELECT * FROM a;
CREATE VIEW w AS SELECT t FROM log;
INSERT INTO log VALUES (1, 'x');
INSERT INTO a VALUES (1, 1, 's', 'b');)");
  run.rules("[tables.log]\nskip = true\n[tables.a.columns]\nsecret = { skip = true }\n");
  const ConvertReport report = run.convert();
  CHECK(!report.is_complete());
  CHECK(describe_schema(run.url) + describe_report(report, run.options.rejects) == R"(table a
  id bigint NOT NULL IDENTITY from 2
  log_id bigint
  b text
  a_pkey PRIMARY KEY (id)
  (1,1,b)
view v
  id bigint
  log_id bigint
  b text
  (1,1,b)
untranslated table log: left out by rule
untranslated column secret of a: left out by rule, and by views that select every column
untranslated unique key secret of a: a column of it is left out
untranslated unique key b, secret of a: a column of it is left out
untranslated index a_secret of a: there is no column "secret"
untranslated check secret of a: there is no column "secret"
untranslated foreign key log_id of a: table log is left out by rule
untranslated view w: there is no table or translated view "log"
)");
  for (const TableReport& table : verify_conversion(run.source, run.url, run.options)) CHECK(table.is_equal);
}

TEST_CASE("ruled names and types reach keys, expressions, indexes, foreign keys and views") {
  if (PostgresServer::is_waived()) return;
  Run run("rules_names", R"(
CREATE TABLE Person (Id INTEGER PRIMARY KEY, "E Mail" TEXT UNIQUE, Born INTEGER, Half INTEGER CHECK (Half / 2 < 9),
                     Boss INTEGER REFERENCES Person(Id));
CREATE INDEX by_born ON Person (Born);
CREATE VIEW Boss AS SELECT Id, "E Mail" FROM Person WHERE Boss IS NULL;
INSERT INTO Person VALUES (1, 'a@b', 1700000000, 17, NULL), (2, NULL, NULL, 3, 1);)");
  run.rules(
      "case = \"keep\"\n[tables.PERSON]\nname = \"people\"\n[tables.PERSON.columns]\n"
      "\"e mail\" = { name = \"mail\", type = \"varchar(9)\" }\nborn = { type = \"timestamptz\" }\n"
      "half = { type = \"double precision\" }\n");
  const ConvertReport report = run.convert();
  // A division of integers is no longer one of integers, so the check has no equal.
  CHECK(describe_schema(run.url) + describe_report(report, run.options.rejects) == R"(view Boss
  Id bigint
  E Mail character varying(9)
  (1,a@b)
table people
  Id bigint NOT NULL IDENTITY from 3
  mail character varying(9)
  Born timestamp with time zone
  Half double precision
  Boss bigint
  people_Boss_fkey FOREIGN KEY ("Boss") REFERENCES people("Id")
  people_mail_key UNIQUE (mail)
  people_pkey PRIMARY KEY ("Id")
  CREATE INDEX by_born ON public.people USING btree ("Born")
  (1,a@b,"2023-11-14 22:13:20+00",17,)
  (2,,,3,1)
untranslated check Half of Person: a division of numbers that are whole in some rows and real in others
)");
}

TEST_CASE(
    "an expression over times of another form than SQLite has them is told, and never translated as if") {
  if (PostgresServer::is_waived()) return;
  Run run("rules_time", R"(
CREATE TABLE t (id INTEGER PRIMARY KEY, d TEXT CHECK (d <> '2024-01-02'), s INTEGER CHECK (s > 5), f TEXT, j REAL, ms);
CREATE VIEW v AS SELECT strftime('%Y', s, 'unixepoch') AS y FROM t;
INSERT INTO t VALUES (1, '2024-01-02 00:00:00', 1700000000, '2024-01-02', 2460000.5, 1700000000123),
  (2, '2024-01-03', 1700000001, '2024-01-02 03:04', 2460001.25, 'never');)");
  run.rules(R"([tables.t.columns]
d = { type = "date" }
s = { type = "timestamp" }
f = { type = "timestamp" }
j = { type = "timestamptz" }
ms = { type = "timestamptz", on_misfit = "null" })");
  const ConvertReport report = run.convert();
  CHECK(describe_schema(run.url) + describe_report(report, run.options.rejects) == R"(table t
  id bigint NOT NULL IDENTITY from 3
  d date
  s timestamp without time zone
  f timestamp without time zone
  j timestamp with time zone
  ms timestamp with time zone
  t_pkey PRIMARY KEY (id)
  (1,2024-01-02,"2023-11-14 22:13:20","2024-01-02 00:00:00","2023-02-25 00:00:00+00","2023-11-14 22:13:20.123+00")
  (2,2024-01-03,"2023-11-14 22:13:21","2024-01-02 03:04:00","2023-02-25 18:00:00+00",)
untranslated check d of t: values whose form is not known are compared
untranslated check s of t: values whose form is not known are compared
untranslated view v: a modifier of strftime()
reject t 2 ms text: the type holds no value of this storage class
)");
}

TEST_CASE("NULL is stored for what does not fit where the rule says so, and the row is in the rejects file") {
  if (PostgresServer::is_waived()) return;
  Run run("rules_null",
          "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (1, 5), (2, 'five');");
  run.rules("[tables.t.columns]\nn = { on_misfit = \"null\" }\n");
  const ConvertReport report = run.convert();
  CHECK(report.tables.at(0).nulled == 1);
  CHECK(!report.is_complete());
  CHECK(run.text("SELECT string_agg(coalesce(n::text, 'null'), ' ' ORDER BY id) FROM t") == "5 null");
  CHECK(
      bytes_of(run.options.rejects) ==
      R"({"table":"t","rowid":2,"column":"n","storage_class":"text","type":"bigint",)"
      R"("reason":"the type holds no value of this storage class","action":"stored as NULL","row":{"id":2,"n":"five"}})"
      "\n");
  for (const TableReport& table : verify_conversion(run.source, run.url, run.options)) CHECK(table.is_equal);
}

TEST_CASE("a rule to fail and rules with an error stop a conversion before it writes") {
  if (PostgresServer::is_waived()) return;
  Run run("rules_fail",
          "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (1, 5), (2, 'five');");
  for (const std::string_view rules :
       {"[tables.t.columns]\nn = { on_misfit = \"fail\" }\n", "[tables.u]\nskip = true\n",
        "[tables.t.columns]\nn = { type = \"uuid\" }\n"}) {
    run.rules(rules);
    CHECK_THROWS_AS(run.convert(), nerve::ValidationError);
    CHECK(describe_schema(run.url) == "");
    CHECK(!run.has_ledger());
  }
}

TEST_CASE("what was begun by other rules is not gone on with") {
  if (PostgresServer::is_waived()) return;
  Run run("rules_resume",
          "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); CREATE INDEX i ON t (n); INSERT INTO t VALUES "
          "(1, 5);");
  run.rules("[tables.t]\nname = \"one\"\n");
  run.fail_at("CREATE INDEX");
  CHECK_THROWS_AS(run.convert(), nerve::DatabaseError);
  run.heal();
  run.rules("[tables.t]\nname = \"two\"\n");
  CHECK_THROWS_WITH_AS(run.convert(), doctest::Contains("was begun and not ended, by another plan"),
                       nerve::ConflictError);
  run.rules("[tables.t]\nname = \"one\"\n");
  const ConvertReport report = run.convert();
  CHECK(report.is_resumed);
  CHECK(report.is_complete());
}

TEST_CASE("the example of the documentation makes the tables that it shows") {
  if (PostgresServer::is_waived()) return;
  const std::string page = bytes_of(std::filesystem::path(NERVE_SOURCE_DIR) / "docs" / "converting.md");
  Run run("rules_example", example(page, "-- shop.sql"));
  run.rules(example(page, "# shop.toml"));
  const ConvertReport report = run.convert();
  CHECK(describe_schema(run.url) == example(page, "-- outcome"));
  CHECK(report.rejects == 1);
  CHECK(report.tables.at(0).nulled == 1);
}

TEST_CASE("rules that a plan wrote give the same plan") {
  const Planned source(R"(
CREATE TABLE "a ""quoted"" name" ("x.y" TEXT, "back\slash" BLOB, "line
feed" INTEGER, "ümlaut" REAL, d DATE, "select" NUMERIC(5,2), "UPPER" UUID, "upper " JSON);
CREATE TABLE Kept (A INTEGER PRIMARY KEY, a_ INT DEFAULT 5, g TEXT GENERATED ALWAYS AS (upper(a_)), at DATETIME);
CREATE TABLE "KEPT " (n, t VARCHAR(2));
CREATE VIRTUAL TABLE words USING fts5(text, tokenize = porter);
CREATE VIEW kept_view AS SELECT A FROM Kept;
INSERT INTO Kept (A, at) VALUES (1, 1700000000);
INSERT INTO "KEPT " VALUES (1, 'abc'), (1.5, 'a' || char(0)), (x'00', 'c');)");
  for (const std::string_view first : {"",
                                       "case = \"keep\"\non_misfit = \"null\"\n[tables.kept]\nskip = true\n"
                                       "[tables.\"KEPT \".columns]\nn = { skip = true }\n"}) {
    const Plan plan = source.plan(first);
    const Plan again = source.plan(rules_text(plan));
    CHECK(without_reasons(again) == without_reasons(plan));
    if (first.empty()) {
      CHECK(to_json(again) == to_json(plan));
      CHECK(rules_text(again) == rules_text(plan));
    }
  }
}

TEST_CASE("rules that a plan wrote give the same plan of each real database") {
  const auto folder = test_data("sqlite");
  if (!folder) {
    MESSAGE("skipped: there is no real data");
    return;
  }
  const TempFolder scratch;
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
    if (entry.path().extension() == ".md") continue;
    CAPTURE(entry.path().filename().string());
    ConvertOptions options;
    const Plan plan = plan_conversion(entry.path(), options).plan;
    options.rules = scratch / "rules.toml";
    write(options.rules, rules_text(plan));
    CHECK(to_json(plan_conversion(entry.path(), options).plan) == to_json(plan));
    ++count;
  }
  CHECK(count >= 10);
}
