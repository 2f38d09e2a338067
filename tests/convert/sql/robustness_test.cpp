// SPDX-License-Identifier: Apache-2.0
//
// Goal: whatever text is read, it gives a value or a ValidationError, and its translation gives a value or a
// reason. Method: each beginning of each statement, and each statement with each of its bytes replaced, is
// read as a table, an index, a view and an expression, and what was read is translated.
#include "sql/postgresql/translate.h"
#include "support/effort.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace nerve::convert::sql;

const std::vector<std::string> statements = {
    "CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT, b DEFAULT 'x' CHECK (b LIKE 'a%' ESCAPE '!'))",
    "CREATE TABLE [a b](\"c\" DECIMAL(10,2) NOT NULL ON CONFLICT FAIL, `d` AS (c * 2)) WITHOUT ROWID",
    "CREATE TABLE t(a REFERENCES p(x) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED, UNIQUE(a DESC))",
    "CREATE UNIQUE INDEX i ON t(a, lower(b) DESC, c COLLATE NOCASE) WHERE a BETWEEN 1 AND 2 OR b NOTNULL",
    "CREATE VIEW v(x, y) AS SELECT a, sum(b) FROM t JOIN u USING (a) GROUP BY a HAVING count(*) > 1",
    "CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT * FROM n",
    "CREATE VIEW v AS SELECT t.*, (SELECT max(a) FROM u WHERE u.a = t.a) m FROM t WHERE a IN (SELECT 1)",
    "CREATE VIEW v AS VALUES (1, x'00ff'), (-2.5e3, NULL) UNION SELECT CASE a WHEN 1 THEN 2 END, 3 FROM t",
    "CREATE VIEW v AS SELECT a FROM t ORDER BY a COLLATE NOCASE DESC NULLS LAST LIMIT 5 OFFSET 1",
    "a + b * -c / 2 % 3 || 'x' << 1 & ~d | e >= f AND NOT g OR h IS NOT DISTINCT FROM i",
    "strftime('%Y-%m-%d %H:%M:%f', a) GLOB '[^a-z]*?' COLLATE \"RTRIM\" NOT IN (1, .5, 0x1F, \"q\", @p)",
    "substr(trim(replace(b, 'a', char(65))), -2) = hex(x'0a') AND typeof(a) NOTNULL AND round(a, 0) ISNULL",
};

Table table_named(std::string_view name) {
  Table table{std::string(name), std::string(name), {}};
  const auto add = [&](const std::string& column, TargetType type, Affinity affinity) {
    Column added;
    added.name = added.target = column;
    added.type = type;
    added.affinity = affinity;
    table.columns.push_back(added);
  };
  add("a", TargetType::bigint, Affinity::integer);
  add("b", TargetType::text, Affinity::text);
  add("c", TargetType::double_precision, Affinity::real);
  add("d", TargetType::bigint, Affinity::integer);
  return table;
}

/// Reads a text in every way and translates what comes out.
void try_text(const std::string& text) {
  static const Table t = table_named("t");
  static const Table u = table_named("u");
  Schema schema;
  schema.find = [](std::string_view name) { return name == "t" ? &t : name == "u" ? &u : nullptr; };
  const auto tried = [](auto work) {
    try {
      work();
    } catch (const nerve::ValidationError& error) {
      CHECK_FALSE(std::string_view(error.what()).empty());
    }
  };
  tried([&] {
    for (const ColumnDefinition& column : parse_create_table(text).columns) {
      if (const auto* value = find_rule<Default>(column)) translate_default(*value, t.columns[1]);
      if (const auto* check = find_rule<Check>(column)) translate_condition(*check->condition, t, {});
    }
  });
  tried([&] { translate_index(parse_create_index(text), t); });
  tried([&] { translate_view(parse_create_view(text), schema, {.allows_rounding = true}); });
  tried([&] { translate_expression(*parse_expression(text), t, {}); });
}

TEST_CASE("every beginning of a statement is read or refused") {
  for (const std::string& statement : statements) {
    for (std::size_t size = 0; size <= statement.size(); ++size) try_text(statement.substr(0, size));
  }
}

TEST_CASE("every statement with one byte replaced is read or refused") {
  constexpr std::string_view bytes("\0'\"[(),.;*%x0 \xC3\xFF-/NE", 20);
  for (const std::string& statement : statements) {
    for (std::size_t i = 0; i < statement.size(); i += nerve::test::scaled<std::size_t>(3, 1)) {
      for (const char byte : bytes) {
        std::string changed = statement;
        changed[i] = byte;
        try_text(changed);
      }
    }
  }
}

TEST_CASE("nesting of any kind ends at the limit and not at the end of the stack") {
  const std::size_t count = nerve::test::scaled<std::size_t>(30'000, 100'000);
  const auto repeated = [count](std::string_view part) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += part;
    return text;
  };
  for (const std::string_view part :
       {"(", "NOT ", "- ", "~", "a+(", "f(", "CASE WHEN ", "CAST(", "1 AND ", "a||", "EXISTS(SELECT ",
        "(SELECT ", "a IN (", "a BETWEEN ", "x COLLATE y "}) {
    CAPTURE(part);
    try_text(repeated(part));
    try_text(repeated(part) + "1");
    CHECK_THROWS_AS(parse_expression(repeated(part) + "1"), nerve::ValidationError);
  }
  try_text("CREATE VIEW v AS SELECT 1 FROM " + repeated("(SELECT 1 FROM "));
  try_text("CREATE VIEW v AS SELECT 1 FROM " + repeated("("));
  try_text("CREATE VIEW v AS SELECT 1 FROM t" + repeated(", t"));
  try_text("CREATE VIEW v AS SELECT 1" + repeated(" UNION SELECT 1").substr(0, 60'000));
  try_text("CREATE TABLE t(a" + repeated(" NULL") + ")");
  try_text("CREATE TABLE t(a" + repeated(" CONSTRAINT c") + ")");
}

TEST_CASE("a translation that would grow without bound is refused") {
  std::string text = "a + 0.5";
  for (int i = 0; i < 30; ++i) text.insert(0, "round(").append(")");
  const auto translated = translate_expression(*parse_expression(text), table_named("t"), {});
  REQUIRE(std::holds_alternative<Untranslatable>(translated));
  CHECK(std::get<Untranslatable>(translated).reason == "a translation that is too long");
}

}  // namespace
