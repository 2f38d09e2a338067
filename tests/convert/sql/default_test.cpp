// SPDX-License-Identifier: Apache-2.0
//
// Goal: a translated default puts the value into a row that SQLite puts there. Method: both engines insert a
// row of defaults; what the table of SQLite holds is read beside what PostgreSQL's holds.
#include "convert/sql/engines.h"
#include "sql/create_table.h"
#include "sql/postgresql/quote.h"
#include "sql/postgresql/translate.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using namespace nerve::convert::sql;
using nerve::test::Engines;

struct DefaultExample {
  std::string declared;  ///< type in the source
  std::string value;     ///< what follows DEFAULT
  TargetType type;
  TimeForm form = TimeForm::unknown;
  std::string expected = {};  ///< the default in PostgreSQL, where it is worth saying
};

const std::vector<DefaultExample> exact_defaults = {
    {"INTEGER", "1", TargetType::bigint, {}, "1"},
    {"INTEGER", "-9223372036854775808", TargetType::bigint},
    {"INTEGER", "0x7f", TargetType::bigint, {}, "127"},
    {"INTEGER", "'1'", TargetType::bigint, {}, "1"},
    {"INTEGER", "' 12 '", TargetType::bigint, {}, "12"},
    {"INTEGER", "5.0", TargetType::bigint, {}, "5"},
    {"INTEGER", "'5e2'", TargetType::bigint, {}, "500"},
    {"INTEGER", "TRUE", TargetType::bigint, {}, "1"},
    {"INTEGER", "NULL", TargetType::bigint, {}, "NULL"},
    {"INTEGER", "(1 + 2)", TargetType::bigint},
    {"INTEGER", "(length('abc'))", TargetType::bigint},
    {"INTEGER", "(abs(-5) * 2)", TargetType::bigint},
    {"BOOLEAN", "0", TargetType::boolean, {}, "false"},
    {"BOOLEAN", "'1'", TargetType::boolean, {}, "true"},
    {"BOOLEAN", "TRUE", TargetType::boolean, {}, "true"},
    {"BOOLEAN", "(1 > 2)", TargetType::boolean},
    {"REAL", "1", TargetType::double_precision, {}, "1"},
    {"REAL", "-1.5", TargetType::double_precision, {}, "-1.5"},
    {"REAL", "'0.1'", TargetType::double_precision, {}, "0.1"},
    {"REAL", "-0.0", TargetType::double_precision, {}, "0"},
    {"REAL", "(1 + 1)", TargetType::double_precision},
    {"DECIMAL(10,2)", "4.99", TargetType::numeric, {}, "4.99"},
    {"DECIMAL(10,2)", "'7'", TargetType::numeric, {}, "7"},
    {"TEXT", "'it''s'", TargetType::text, {}, "'it''s'"},
    {"TEXT", "''", TargetType::text, {}, "''"},
    {"TEXT", "\"\"", TargetType::text, {}, "''"},
    {"TEXT", "word", TargetType::text, {}, "'word'"},
    {"TEXT", "\"quoted\"", TargetType::varchar, {}, "'quoted'"},
    {"TEXT", "5", TargetType::text, {}, "'5'"},
    {"TEXT", "TRUE", TargetType::text, {}, "'1'"},
    {"TEXT", "('a' || 'b')", TargetType::text},
    {"TEXT", "(lower('ABC'))", TargetType::text},
    {"TEXT", "(hex('a'))", TargetType::text},
    {"TEXT", "'{\"a\": 1}'", TargetType::json},
    {"TEXT", "'0190b8e2-4c3a-7def-8abc-0123456789ab'", TargetType::uuid},
    {"DATETIME", "'abc'", TargetType::text, {}, "'abc'"},
    {"DATETIME", "0", TargetType::text, {}, "'0'"},
    {"BLOB", "x'00ff'", TargetType::bytea},
    {"BLOB", "NULL", TargetType::bytea, {}, "NULL"},
    {"DATE", "'2020-02-29'", TargetType::date, TimeForm::date, "'2020-02-29'::date"},
    {"TEXT", "'2020-02-29 01:02:03'", TargetType::timestamp, TimeForm::datetime},
};

struct RefusedDefault {
  std::string declared;
  std::string value;
  TargetType type;
  TimeForm form = TimeForm::unknown;
};

const std::vector<RefusedDefault> refused_defaults = {
    {"INTEGER", "'abc'", TargetType::bigint},
    {"integer", "'\"0\"'", TargetType::bigint},
    {"INTEGER", "1.5", TargetType::bigint},
    {"INTEGER", "9223372036854775808", TargetType::bigint},
    {"INTEGER", "x'01'", TargetType::bigint},
    {"INTEGER", "CURRENT_TIMESTAMP", TargetType::bigint},
    {"INTEGER", "(random())", TargetType::bigint},
    {"BOOLEAN", "2", TargetType::boolean},
    {"BOOLEAN", "'yes'", TargetType::boolean},
    {"REAL", "'abc'", TargetType::double_precision},
    {"TEXT", "1.5", TargetType::text},
    {"TEXT", "x'41'", TargetType::text},
    {"BLOB", "'abc'", TargetType::bytea},
    {"DATETIME", "0", TargetType::timestamp},
    {"DATE", "'2023-02-30'", TargetType::date},
    {"DATE", "'0000-00-00'", TargetType::date},
    {"DATE", "CURRENT_TIMESTAMP", TargetType::date},
    {"DATETIME", "(datetime('now', 'localtime'))", TargetType::timestamp},
    {"INTEGER", "(datetime('now'))", TargetType::timestamptz, TimeForm::epoch_seconds},
    {"TEXT", "'{a}'", TargetType::jsonb},
    {"TEXT", "'ABC'", TargetType::uuid},
    {"", "1", TargetType::unknown},
};

CreateTable table_with(const std::string& declared, const std::string& value) {
  return parse_create_table("CREATE TABLE t(c " + declared + " DEFAULT " + value + ")");
}

Column default_column(const std::string& declared, TargetType type, TimeForm form) {
  Column column;
  column.name = column.target = "c";
  column.type = type;
  column.affinity = affinity_of(declared);
  column.time_form = form;
  return column;
}

std::string strip_kind(const std::string& value) {
  return value.substr(value.find(' ') + 1);
}

TEST_CASE("a translated default gives the value that SQLite stores") {
  if (nerve::test::is_without_postgresql()) return;
  const Engines engines("convert_sql_defaults");
  for (const DefaultExample& example : exact_defaults) {
    CAPTURE(example.declared);
    CAPTURE(example.value);
    const CreateTable parsed = table_with(example.declared, example.value);
    const Column column = default_column(example.declared, example.type, example.form);
    const auto translated = translate_default(*find_rule<Default>(parsed.columns[0]), column);
    if (const auto* refusal = std::get_if<Untranslatable>(&translated)) {
      FAIL_CHECK(refusal->reason);
      continue;
    }
    const std::string sql = std::get<Translation>(translated).sql;
    CAPTURE(sql);
    if (!example.expected.empty()) CHECK(sql == example.expected);
    engines.run_sqlite("CREATE TABLE t(c " + example.declared + " DEFAULT " + example.value +
                       "); INSERT INTO t DEFAULT VALUES");
    engines.run_postgresql("CREATE TABLE t(c " + std::string(to_sql(example.type)) + " DEFAULT " + sql +
                           "); INSERT INTO t DEFAULT VALUES");
    const auto expected = engines.query_sqlite("SELECT c FROM t");
    const auto found = engines.query_postgresql("SELECT c FROM t", {example.type});
    CHECK(found.error.empty());
    // A column that keeps numbers as texts has no other way to hold this one.
    CHECK(strip_kind(found.rows.at(0).at(0)) == strip_kind(expected.rows.at(0).at(0)));
    engines.run_sqlite("DROP TABLE t");
    engines.run_postgresql("DROP TABLE t");
  }
}

TEST_CASE("a default of the present time is cut as SQLite cuts it") {
  if (nerve::test::is_without_postgresql()) return;
  const Engines engines("convert_sql_now");
  struct Now {
    std::string value;
    TargetType type;
    TimeForm form;
    std::string unit;  ///< that nothing below is left of
  };
  const std::vector<Now> defaults = {
      {"CURRENT_TIMESTAMP", TargetType::timestamp, TimeForm::datetime, "second"},
      {"CURRENT_TIMESTAMP", TargetType::timestamptz, TimeForm::datetime, "second"},
      {"(datetime('now'))", TargetType::timestamptz, TimeForm::datetime, "second"},
      {"(strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))", TargetType::timestamptz, TimeForm::datetime_tz, "second"},
      {"(strftime('%Y-%m-%d %H:%M:%f', 'now'))", TargetType::timestamp, TimeForm::unknown, "milliseconds"},
      {"CURRENT_DATE", TargetType::timestamp, TimeForm::unknown, "day"},
      {"CURRENT_DATE", TargetType::date, TimeForm::date, "day"},
      {"(date())", TargetType::date, TimeForm::date, "day"},
      {"(strftime('%s', 'now'))", TargetType::timestamptz, TimeForm::epoch_seconds, "second"},
      {"(CAST(strftime('%s', 'now') AS INTEGER))", TargetType::timestamptz, TimeForm::epoch_seconds,
       "second"},
      {"(unixepoch())", TargetType::timestamptz, TimeForm::epoch_seconds, "second"},
  };
  for (const Now& now : defaults) {
    CAPTURE(now.value);
    const CreateTable parsed = table_with("TEXT", now.value);
    const Column column = default_column("INTEGER", now.type, now.form);
    const auto translated = translate_default(*find_rule<Default>(parsed.columns[0]), column);
    if (const auto* refusal = std::get_if<Untranslatable>(&translated)) {
      FAIL_CHECK(refusal->reason);
      continue;
    }
    const std::string sql = std::get<Translation>(translated).sql;
    CAPTURE(sql);
    engines.run_postgresql("CREATE TABLE t(c " + std::string(to_sql(now.type)) + " DEFAULT " + sql +
                           "); INSERT INTO t DEFAULT VALUES");
    // The server's zone is far from UTC, so that a default of the zone's own day or hour is found out.
    const std::string utc = now.type == TargetType::timestamptz ? "c AT TIME ZONE 'UTC'" : "c::timestamp";
    const std::string age =
        "abs(extract(epoch from (clock_timestamp() AT TIME ZONE 'UTC') - " + utc + ")) < ";
    std::string query = "SELECT date_trunc('" + now.unit + "', " + utc;
    query.append(") = ").append(utc).append(", ").append(age);
    query += now.unit == "day" ? "86400 FROM t" : "60 FROM t";
    const auto found = engines.query_postgresql(query, {TargetType::boolean, TargetType::boolean});
    CHECK(found.error.empty());
    CHECK(found.rows.at(0) == std::vector<std::string>{"number 1", "number 1"});
    engines.run_postgresql("DROP TABLE t");
  }
  const CreateTable texts = table_with("TEXT", "CURRENT_TIMESTAMP");
  const Column text = default_column("TEXT", TargetType::text, TimeForm::unknown);
  const auto translated = translate_default(*find_rule<Default>(texts.columns[0]), text);
  REQUIRE(std::holds_alternative<Translation>(translated));
  CHECK(std::get<Translation>(translated).sql ==
        "to_char((statement_timestamp() AT TIME ZONE 'UTC'), 'YYYY-MM-DD HH24:MI:SS')");
}

TEST_CASE("a default that the column cannot hold as it is is refused") {
  for (const RefusedDefault& refused : refused_defaults) {
    CAPTURE(refused.declared);
    CAPTURE(refused.value);
    const CreateTable parsed = table_with(refused.declared, refused.value);
    const Column column = default_column(refused.declared, refused.type, refused.form);
    const auto translated = translate_default(*find_rule<Default>(parsed.columns[0]), column);
    if (const auto* translation = std::get_if<Translation>(&translated)) FAIL_CHECK(translation->sql);
  }
}

TEST_CASE("every keyword that PostgreSQL does not let stand bare is quoted") {
  if (nerve::test::is_without_postgresql()) return;
  const Engines engines("convert_sql_keywords");
  const auto words = engines.query_postgresql(
      "SELECT word FROM pg_get_keywords() WHERE catcode <> 'U' ORDER BY word", {TargetType::text});
  REQUIRE(words.error.empty());
  CHECK(words.rows.size() > 100);
  for (const auto& row : words.rows) {
    CAPTURE(row[0]);
    CHECK(is_postgresql_keyword(strip_kind(row[0])));
  }
  CHECK(quote_name("plain_1") == "plain_1");
  CHECK(quote_name("Mixed") == "\"Mixed\"");
  CHECK(quote_name("1st") == "\"1st\"");
  CHECK(quote_name("select") == "\"select\"");
  CHECK(quote_name("a\"b") == "\"a\"\"b\"");
  CHECK(quote_name("naïve") == "\"naïve\"");
  CHECK_THROWS(quote_name(""));
  CHECK_THROWS(quote_name(std::string_view("a\0", 2)));
  CHECK_THROWS(quote_literal(std::string_view("a\0", 2)));
  CHECK_THROWS(quote_literal("\xff"));
  CHECK(quote_literal("a\\'b") == "'a\\''b'");
}

}  // namespace
