// SPDX-License-Identifier: Apache-2.0
//
// Goal: what is translated gives the same value in PostgreSQL as in SQLite, row by row. Method: each
// expression is evaluated by SQLite over a table of awkward values, translated, and evaluated by a real
// PostgreSQL over the same rows. The only difference allowed is an error of PostgreSQL where SQLite turns an
// integer that overflows into a real.
#include "convert/sql/engines.h"
#include "convert/sql/random_expression.h"
#include "convert/sql/sample_expressions.h"
#include "sql/expression.h"
#include "sql/postgresql/translate.h"
#include "sql/tokens.h"
#include "support/effort.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace nerve::convert::sql;
using nerve::test::at_most_in_ci;
using nerve::test::Dice;
using nerve::test::Engines;
using nerve::test::exact_expressions;
using nerve::test::Outcome;
using nerve::test::RandomExpression;
using nerve::test::refused_expressions;
using nerve::test::RefusedExpression;
using nerve::test::sequences_in_ci;

bool is_overflow(const std::string& error) {
  return error.starts_with("22003");
}

/// Compares one expression in both engines. Where PostgreSQL meets an overflow, the rows are asked one by
/// one, and `operation` must have become a real in SQLite.
void compare(const Engines& engines, const std::string& in_sqlite, const std::string& in_postgresql,
             TargetType type, const std::string& operation) {
  const Outcome expected = engines.query_sqlite("SELECT " + in_sqlite + " FROM t ORDER BY t.id");
  REQUIRE_MESSAGE(expected.error.empty(), expected.error);
  const Outcome found = engines.query_postgresql("SELECT " + in_postgresql + " FROM t ORDER BY t.id", {type});
  if (found.error.empty()) {
    CHECK(nerve::test::as_lines(found.rows) == nerve::test::as_lines(expected.rows));
    if (type != TargetType::unknown) CHECK(found.types.front() == to_sql(type));
    return;
  }
  REQUIRE_MESSAGE(is_overflow(found.error), found.error);
  for (std::size_t i = 0; i < expected.rows.size(); ++i) {
    const std::string where = " FROM t WHERE id = " + std::to_string(i + 1);
    const Outcome row =
        engines.query_postgresql(std::string("SELECT ").append(in_postgresql).append(where), {type});
    if (row.error.empty()) {
      CHECK(row.rows.front() == expected.rows[i]);
      continue;
    }
    REQUIRE_MESSAGE(is_overflow(row.error), row.error);
    const Outcome kind =
        engines.query_sqlite(std::string("SELECT typeof(").append(operation).append(")").append(where));
    CAPTURE(i + 1);
    CHECK(kind.rows.front().front() == "text real");
  }
}

/// The same where the overflow may lie inside of the expression, so that its own type tells nothing.
void compare_unless_overflow(const Engines& engines, const std::string& text,
                             const Translation& translation) {
  const Outcome expected = engines.query_sqlite("SELECT " + text + " FROM t ORDER BY t.id");
  REQUIRE_MESSAGE(expected.error.empty(), expected.error);
  const Outcome found =
      engines.query_postgresql("SELECT " + translation.sql + " FROM t ORDER BY t.id", {translation.type});
  if (!found.error.empty()) {
    CHECK_MESSAGE(is_overflow(found.error), found.error);
    return;
  }
  CHECK(nerve::test::as_lines(found.rows) == nerve::test::as_lines(expected.rows));
}

TEST_CASE("a translated expression gives SQLite's values in PostgreSQL") {
  if (nerve::test::is_without_postgresql()) return;
  const Engines engines("convert_sql_exact");
  const Table table = make_sample(engines);
  for (const std::string& text : exact_expressions()) {
    CAPTURE(text);
    const ExpressionPtr expression = parse_expression(text);
    const auto translated = translate_expression(*expression, table, {});
    if (const auto* refusal = std::get_if<Untranslatable>(&translated)) {
      FAIL_CHECK(refusal->reason);
      continue;
    }
    const auto& translation = std::get<Translation>(translated);
    CAPTURE(translation.sql);
    compare(engines, text, translation.sql, translation.type, text);
  }
}

TEST_CASE("a translated condition holds for the same rows in PostgreSQL") {
  if (nerve::test::is_without_postgresql()) return;
  const Engines engines("convert_sql_condition");
  const Table table = make_sample(engines);
  for (const std::string& text : exact_expressions()) {
    CAPTURE(text);
    const auto translated = translate_condition(*parse_expression(text), table, {});
    const auto* translation = std::get_if<Translation>(&translated);
    if (translation == nullptr) continue;
    CAPTURE(translation->sql);
    compare(engines, "NOT NOT (" + text + ')', translation->sql, TargetType::boolean, text);
  }
}

TEST_CASE("what is asked to be immutable is so to PostgreSQL") {
  if (nerve::test::is_without_postgresql()) return;
  const Engines engines("convert_sql_immutable");
  Table table = make_sample(engines);
  engines.run_postgresql("CREATE TABLE empty_rows (LIKE t)");
  std::size_t count = 0;
  for (const std::string& text : exact_expressions()) {
    CAPTURE(text);
    const auto translated = translate_expression(*parse_expression(text), table, {.is_immutable = true});
    const auto* translation = std::get_if<Translation>(&translated);
    if (translation == nullptr || translation->type == TargetType::unknown) continue;
    CAPTURE(translation->sql);
    CHECK_NOTHROW(engines.run_postgresql("CREATE INDEX ON empty_rows ((" + translation->sql + "))"));
    compare(engines, text, translation->sql, translation->type, text);
    ++count;
  }
  CHECK(count > exact_expressions().size() / 2);
}

TEST_CASE("random expressions that are translated give SQLite's values in PostgreSQL") {
  if (nerve::test::is_without_postgresql()) return;
  const Engines engines("convert_sql_random");
  const Table table = make_sample(engines);
  Dice dice;
  INFO("seed ", Dice::seed);
  const int wanted = at_most_in_ci(sequences_in_ci, 2'000);
  int compared = 0;
  for (int i = 0; i < 10 * wanted && compared < wanted; ++i) {
    const std::string text = RandomExpression(dice).any(1 + i % 3);
    CAPTURE(text);
    const auto translated = translate_expression(*parse_expression(text), table, {});
    const auto* translation = std::get_if<Translation>(&translated);
    // A time that is passed on is a time here and a text or a number there.
    if (translation == nullptr || is_time(translation->type)) continue;
    CAPTURE(translation->sql);
    compare_unless_overflow(engines, text, *translation);
    ++compared;
  }
  CHECK(compared == wanted);
}

TEST_CASE("what has no exact equal is refused with a reason and a place") {
  if (nerve::test::is_without_postgresql()) return;
  const Engines engines("convert_sql_refused");
  const Table table = make_sample(engines);
  for (const RefusedExpression& refused : refused_expressions()) {
    CAPTURE(refused.expression);
    const auto translated = translate_expression(*parse_expression(refused.expression), table, {});
    if (const auto* translation = std::get_if<Translation>(&translated)) {
      FAIL_CHECK(translation->sql);
      continue;
    }
    const auto& untranslatable = std::get<Untranslatable>(translated);
    CHECK_MESSAGE(untranslatable.reason.starts_with(refused.reason), untranslatable.reason);
    CHECK(untranslatable.offset < refused.expression.size());
  }
}

}  // namespace
