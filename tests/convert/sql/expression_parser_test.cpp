// SPDX-License-Identifier: Apache-2.0
//
// Goal: an expression is read with SQLite's precedence. Method: SQLite evaluates random expressions as they
// are written and as they were read, with parentheses around every operation; the values must be the same.
#include "convert/sql/dice.h"
#include "sql/expression.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace nerve::convert::sql;
using nerve::test::Dice;

struct Close {
  void operator()(sqlite3* database) const noexcept { sqlite3_close(database); }
};

/// The value of an expression over one row, with its type; or SQLite's message.
std::string evaluated(sqlite3* database, const std::string& expression) {
  const std::string query = "WITH t(a, b, s) AS (VALUES (3, -2, 'Ab')) SELECT " + expression + " FROM t";
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database, query.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    return sqlite3_errmsg(database);
  }
  std::string value = "no row";
  if (sqlite3_step(statement) == SQLITE_ROW) {
    const unsigned char* text = sqlite3_column_text(statement, 0);
    value = std::to_string(sqlite3_column_type(statement, 0)) + ':' +
            (text != nullptr ? reinterpret_cast<const char*>(text) : "NULL");
  }
  sqlite3_finalize(statement);
  return value;
}

std::string random_expression(Dice& dice, int operations) {
  constexpr std::array<std::string_view, 12> operands = {"a",   "b",    "s",     "NULL", "0",   "1",
                                                         "2.5", "'ab'", "x'41'", "-1",   "(a)", "length(s)"};
  constexpr std::array<std::string_view, 29> infixes = {" OR ",
                                                        " AND ",
                                                        " = ",
                                                        " == ",
                                                        " <> ",
                                                        " IS ",
                                                        " IS NOT ",
                                                        " LIKE ",
                                                        " GLOB ",
                                                        " < ",
                                                        " <= ",
                                                        " > ",
                                                        " >= ",
                                                        " & ",
                                                        " | ",
                                                        " << ",
                                                        " >> ",
                                                        " + ",
                                                        " - ",
                                                        " * ",
                                                        " / ",
                                                        " % ",
                                                        " || ",
                                                        "=",
                                                        " NOT LIKE ",
                                                        " BETWEEN 0 AND ",
                                                        " NOT BETWEEN b AND ",
                                                        " IS DISTINCT FROM ",
                                                        " IS NOT DISTINCT FROM "};
  constexpr std::array<std::string_view, 6> prefixes = {"NOT ", "- ", "+ ", "~ ", "", ""};
  constexpr std::array<std::string_view, 8> postfixes = {
      " COLLATE NOCASE", " ISNULL", " NOTNULL", " NOT NULL", " IN (1, 3)", "", "", ""};
  std::string text;
  for (int i = 0; i <= operations; ++i) {
    if (i > 0) text += dice.pick(infixes);
    text += dice.pick(prefixes);
    text += dice.pick(operands);
    text += dice.pick(postfixes);
  }
  return text;
}

TEST_CASE("an expression is read with SQLite's precedence") {
  sqlite3* opened = nullptr;
  REQUIRE(sqlite3_open(":memory:", &opened) == SQLITE_OK);
  const std::unique_ptr<sqlite3, Close> database(opened);
  Dice dice;
  INFO("seed ", Dice::seed);
  int evaluated_count = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::string text = random_expression(dice, 1 + i % 6);
    CAPTURE(text);
    const std::string expected = evaluated(opened, text);
    if (expected.find("syntax error") != std::string::npos) {
      CHECK_THROWS(parse_expression(text));
      continue;
    }
    const std::string rendered = render(*parse_expression(text));
    CAPTURE(rendered);
    CHECK(evaluated(opened, rendered) == expected);
    CHECK(render(*parse_expression(rendered)) == rendered);
    ++evaluated_count;
  }
  CHECK(evaluated_count > 4000);
}

TEST_CASE("operators bind as SQLite's grammar says") {
  struct Example {
    std::string text;
    std::string rendered;
  };
  const std::vector<Example> examples = {
      {"a OR b AND c", "(a OR (b AND c))"},
      {"NOT a = b", "(NOT (a = b))"},
      {"a = NOT b = c", "(a = (NOT (b = c)))"},
      {"a < b = c < d", "((a < b) = (c < d))"},
      {"-a || b", "((- a) || b)"},
      {"-a COLLATE nocase", "((- a) COLLATE nocase)"},
      {"a || b COLLATE nocase", "(a || (b COLLATE nocase))"},
      {"a BETWEEN b AND c AND d", "((a BETWEEN b AND c) AND d)"},
      {"a BETWEEN b = c AND d", "(a BETWEEN (b = c) AND d)"},
      {"a NOT LIKE b ESCAPE c OR d", "((a NOT LIKE b ESCAPE c) OR d)"},
      {"a NOT NULL = 1", "((a NOTNULL) = 1)"},
      {"a IS NOT DISTINCT FROM b", "(a IS b)"},
      {"a IS DISTINCT FROM b", "(a IS NOT b)"},
      {"a -> 'x' ->> 'y'", "((a -> 'x') ->> 'y')"},
      {"a << 1 + 2", "(a << (1 + 2))"},
      {"CASE a WHEN 1 THEN 2 ELSE 3 END + 1", "(CASE a WHEN 1 THEN 2 ELSE 3 END + 1)"},
      {"count(*) FILTER (WHERE a) OVER (ORDER BY b) > 1",
       "(count(*) FILTER (WHERE a) OVER (ORDER BY b) > 1)"},
      {"main.t.\"c d\" IN t2", "(main.t.\"c d\" IN (SELECT * FROM t2))"},
      {"replace(a, 'x', 'y') GLOB [b c]", "(replace(a, 'x', 'y') GLOB `b c`)"},
      {"x'0aFF'", "x'0aff'"},
  };
  for (const Example& example : examples) CHECK(render(*parse_expression(example.text)) == example.rendered);
}

}  // namespace
