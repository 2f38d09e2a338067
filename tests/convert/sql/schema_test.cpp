// SPDX-License-Identifier: Apache-2.0
//
// Goal: generated columns hold SQLite's values, and indexes and conditions are what they were. Method:
// generated columns are made in both engines over the same rows; the text of indexes is compared with what a
// person would write.
#include "convert/sql/engines.h"
#include "sql/create_index.h"
#include "sql/create_table.h"
#include "sql/postgresql/translate.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using namespace nerve::convert::sql;
using nerve::test::Engines;
using nerve::test::Outcome;

struct GeneratedColumn {
  std::string declared;
  std::string expression;
  TargetType type;
};

const std::vector<GeneratedColumn> generated_columns = {
    {"INTEGER", "n * 2", TargetType::bigint},
    {"INTEGER", "a IS NULL", TargetType::bigint},
    {"BOOLEAN", "a IS NULL", TargetType::boolean},
    {"BOOLEAN", "n > 2 AND f", TargetType::boolean},
    {"TEXT", "n", TargetType::text},
    {"TEXT", "n > 2", TargetType::text},
    {"TEXT", "s || '-' || id", TargetType::text},
    {"VARCHAR(20)", "lower(s)", TargetType::varchar},
    {"REAL", "n", TargetType::double_precision},
    {"REAL", "r * 2", TargetType::double_precision},
    {"NUMERIC", "n + 1", TargetType::numeric},
    {"TEXT", "strftime('%Y', ts)", TargetType::text},
    {"TEXT", "strftime('%Y-%m', tz)", TargetType::text},
    {"TEXT", "date(ts)", TargetType::text},
    {"DATE", "date(ts)", TargetType::text},
    {"INTEGER", "strftime('%s', ts)", TargetType::bigint},
    {"INTEGER", "unixepoch(tz)", TargetType::bigint},
    {"BLOB", "x", TargetType::bytea},
    {"INTEGER", "length(s)", TargetType::bigint},
    {"TEXT", "CASE WHEN n > 2 THEN 'many' ELSE 'few' END", TargetType::text},
    {"INTEGER", "'7'", TargetType::bigint},
};

const std::vector<GeneratedColumn> refused_columns = {
    {"INTEGER", "strftime('%Y', ts)", TargetType::bigint},  // a text that becomes a number
    {"INTEGER", "r", TargetType::bigint},
    {"TEXT", "r", TargetType::text},
    {"INTEGER", "s", TargetType::bigint},
    {"NUMERIC", "lower(s)", TargetType::text},
    {"TEXT", "date('now')", TargetType::text},
    {"TEXT", "x", TargetType::text},
};

TEST_CASE("a translated generated column holds SQLite's values") {
  if (nerve::test::is_without_postgresql()) return;
  const Engines engines("convert_sql_generated");
  const Table table = make_sample(engines);
  int number = 0;
  for (const GeneratedColumn& generated : generated_columns) {
    CAPTURE(generated.expression);
    Column column;
    column.name = column.target = "g" + std::to_string(++number);
    column.type = generated.type;
    column.affinity = affinity_of(generated.declared);
    const auto translated =
        translate_value(*parse_expression(generated.expression), table, column, {.is_immutable = true});
    if (const auto* refusal = std::get_if<Untranslatable>(&translated)) {
      FAIL_CHECK(refusal->reason);
      continue;
    }
    const std::string sql = std::get<Translation>(translated).sql;
    CAPTURE(sql);
    engines.run_sqlite("ALTER TABLE t ADD COLUMN " + column.name + ' ' + generated.declared + " AS (" +
                       generated.expression + ')');
    CHECK_NOTHROW(engines.run_postgresql("ALTER TABLE t ADD COLUMN " + column.target + ' ' +
                                         std::string(to_sql(column.type)) + " GENERATED ALWAYS AS (" + sql +
                                         ") STORED"));
    const Outcome expected = engines.query_sqlite("SELECT " + column.name + " FROM t ORDER BY t.id");
    const Outcome found =
        engines.query_postgresql("SELECT " + column.target + " FROM t ORDER BY t.id", {column.type});
    CHECK(found.error.empty());
    CHECK(nerve::test::as_lines(found.rows) == nerve::test::as_lines(expected.rows));
  }
}

TEST_CASE("a generated column that the type cannot hold as it is is refused") {
  if (nerve::test::is_without_postgresql()) return;
  const Engines engines("convert_sql_refused_generated");
  const Table table = make_sample(engines);
  for (const GeneratedColumn& generated : refused_columns) {
    CAPTURE(generated.expression);
    Column column;
    column.name = column.target = "g";
    column.type = generated.type;
    column.affinity = affinity_of(generated.declared);
    const auto translated =
        translate_value(*parse_expression(generated.expression), table, column, {.is_immutable = true});
    if (const auto* translation = std::get_if<Translation>(&translated)) FAIL_CHECK(translation->sql);
  }
}

TEST_CASE("an index is written as a person would write it, and PostgreSQL takes it") {
  if (nerve::test::is_without_postgresql()) return;
  const Engines engines("convert_sql_indexes");
  const Table table = make_sample(engines);
  struct Example {
    std::string terms;
    std::string expected;
  };
  const std::vector<Example> examples = {
      {"(a, b DESC)", "a, b DESC"},
      {"(u)", R"((lower(u COLLATE "C")))"},
      {"(u COLLATE BINARY)", "(u)"},
      {"(s COLLATE NOCASE DESC)", R"((lower(s COLLATE "C")) DESC)"},
      {"(p)", "(rtrim(p, ' '))"},
      {"(lower(s))", R"((lower(s COLLATE "C")))"},
      {"(n % 10, n + 1)", "((n % 10)), ((n + 1))"},
      {"(a) WHERE b IS NOT NULL", "a WHERE b IS NOT NULL"},
      {"(a) WHERE f = 1 AND s <> ''", "a WHERE f AND (s <> '')"},
      {"(a) WHERE a IN (1, 2) OR n BETWEEN 1 AND 5", "a WHERE (a IN (1, 2)) OR (n BETWEEN 1 AND 5)"},
      {"(a) WHERE s LIKE 'x%'", R"(a WHERE lower(s COLLATE "C") LIKE 'x%' ESCAPE '')"},
      {"(day DESC) WHERE day >= '2020-01-01'", "day DESC WHERE day >= '2020-01-01'::date"},
  };
  for (const Example& example : examples) {
    CAPTURE(example.terms);
    const auto translated =
        translate_index(parse_create_index("CREATE INDEX i ON t " + example.terms), table);
    if (const auto* refusal = std::get_if<Untranslatable>(&translated)) {
      FAIL_CHECK(refusal->reason);
      continue;
    }
    const auto& index = std::get<TranslatedIndex>(translated);
    std::string terms;
    for (const IndexTerm& term : index.terms) {
      terms += (terms.empty() ? "" : ", ") + term.sql + (term.is_descending ? " DESC" : "");
    }
    const std::string where = index.where.empty() ? "" : " WHERE " + index.where;
    CHECK(terms + where == example.expected);
    const std::string create = "CREATE INDEX ON t (" + terms + ')';
    CHECK_NOTHROW(engines.run_postgresql(create + where));
  }
  const auto key =
      translate_index(parse_create_index("CREATE UNIQUE INDEX i ON t (a DESC, s COLLATE NOCASE)"), table);
  REQUIRE(std::holds_alternative<TranslatedIndex>(key));
  CHECK(std::get<TranslatedIndex>(key).terms.at(0).is_column);
  CHECK(std::get<TranslatedIndex>(key).terms.at(0).is_descending);
  CHECK_FALSE(std::get<TranslatedIndex>(key).terms.at(1).is_column);
  CHECK(std::holds_alternative<Untranslatable>(
      translate_index(parse_create_index("CREATE INDEX i ON t (date('now'))"), table)));
  CHECK(std::holds_alternative<Untranslatable>(
      translate_index(parse_create_index("CREATE INDEX i ON t (soundex(s))"), table)));
}

}  // namespace
