// SPDX-License-Identifier: Apache-2.0
#include "sql/create_index.h"
#include "sql/create_table.h"
#include "sql/create_view.h"
#include "sql/tokens.h"
#include "support/test_data.h"

#include "nerve/backends/sqlite/session.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace {

using namespace nerve::convert::sql;

template <typename Rule>
const Rule& rule(const CreateTable& table, std::size_t column) {
  const Rule* found = find_rule<Rule>(table.columns.at(column));
  REQUIRE(found != nullptr);
  return *found;
}

template <typename Work>
std::string failure(Work work) {
  try {
    work();
  } catch (const nerve::ValidationError& error) {
    return error.what();
  }
  return {};
}

TEST_CASE("tokens keep their place, and quotes come off") {
  const std::vector<Token> tokens = tokenize("a -- b\n\"c\"\"d\" [e] /* f");
  REQUIRE(tokens.size() == 4);
  CHECK(unquoted(tokens[1]) == "c\"d");
  CHECK(place_of("a -- b\n\"c\"\"d\" [e]", tokens[1].offset) == Place{2, 1});
}

TEST_CASE("the lexer takes what SQLite's takes") {
  struct Example {
    std::string text;
    TokenKind kind;
  };
  const std::vector<Example> examples = {
      {"0x1F", TokenKind::integer},      {"12", TokenKind::integer},         {"1.", TokenKind::real},
      {".5", TokenKind::real},           {"1e5", TokenKind::real},           {"1.5E-3", TokenKind::real},
      {"x'0aFF'", TokenKind::blob},      {"X''", TokenKind::blob},           {"'it''s'", TokenKind::string},
      {"[a b]", TokenKind::quoted_name}, {"`a``b`", TokenKind::quoted_name}, {"naïve$1", TokenKind::word},
      {"?", TokenKind::parameter},       {"?12", TokenKind::parameter},      {":name", TokenKind::parameter},
      {"->>", TokenKind::symbol},        {"->", TokenKind::symbol},          {"||", TokenKind::symbol},
      {"<>", TokenKind::symbol},         {"==", TokenKind::symbol},
  };
  for (const Example& example : examples) {
    CAPTURE(example.text);
    const std::vector<Token> tokens = tokenize(example.text);
    REQUIRE(tokens.size() == 2);
    CHECK(tokens[0].kind == example.kind);
    CHECK(tokens[0].text == example.text);
  }
}

TEST_CASE("what SQLite calls an unrecognized token is refused with its place") {
  CHECK(failure([] { tokenize("a\n  'b"); }) == "quote that is not closed at line 2, column 3");
  CHECK(failure([] { tokenize("[a"); }) == "bracket that is not closed at line 1, column 1");
  CHECK(failure([] { tokenize("x'123'"); }) == "malformed blob literal at line 1, column 1");
  CHECK(failure([] { tokenize("12ab"); }) == "number that runs into a name at line 1, column 3");
  CHECK(failure([] { tokenize("a ! b"); }) == "unknown character at line 1, column 3");
  CHECK(failure([] { tokenize(std::string_view("a\0b", 3)); }) == "NUL byte at line 1, column 2");
  CHECK_FALSE(failure([] { tokenize(std::string(statement_bytes_max + 1, ' ')); }).empty());
}

TEST_CASE("columns, their types and constraints are read") {
  const CreateTable table = parse_create_table(
      "CREATE TABLE IF NOT EXISTS main.[my table] (\n"
      "  id INTEGER CONSTRAINT pk PRIMARY KEY DESC ON CONFLICT REPLACE AUTOINCREMENT,\n"
      "  \"a \"\"b\" double  precision NOT NULL ON CONFLICT IGNORE DEFAULT -1.5,\n"
      "  c DECIMAL ( 10 , -2 ) NULL UNIQUE ON CONFLICT FAIL COLLATE NOCASE,\n"
      "  d DEFAULT (1 + 2) CHECK (d > 0 AND c IS NOT NULL),\n"
      "  `e` TEXT DEFAULT 'x' REFERENCES parent (x) ON DELETE SET NULL ON UPDATE CASCADE MATCH FULL "
      "DEFERRABLE INITIALLY DEFERRED,\n"
      "  f INT GENERATED ALWAYS AS (id * 2) STORED,\n"
      "  g AS (id + 1),\n"
      "  h BOOLEAN DEFAULT TRUE, i DEFAULT word, j DEFAULT \"quoted\", k DEFAULT CURRENT_TIMESTAMP, l "
      "DEFAULT NULL)");
  CHECK(table.name.text == "my table");
  REQUIRE(table.columns.size() == 12);
  const auto& key = rule<PrimaryKey>(table, 0);
  CHECK(key.is_descending);
  CHECK(key.is_autoincrement);
  CHECK(key.conflict == ConflictClause::replace);
  CHECK(table.columns[0].constraints[0].name.text == "pk");
  CHECK(table.columns[1].name.text == "a \"b");
  CHECK(table.columns[1].type == "double precision");
  CHECK(rule<NotNull>(table, 1).conflict == ConflictClause::ignore);
  CHECK(rule<Default>(table, 1).text == "-1.5");
  CHECK(table.columns[2].type == "DECIMAL(10, -2)");
  CHECK(rule<Unique>(table, 2).conflict == ConflictClause::fail);
  CHECK(rule<ColumnCollation>(table, 2).collation.text == "NOCASE");
  CHECK(table.columns[3].type.empty());
  CHECK(rule<Default>(table, 3).is_parenthesised);
  CHECK(rule<Check>(table, 3).text == "d > 0 AND c IS NOT NULL");
  const Reference& reference = rule<ForeignKey>(table, 4).reference;
  CHECK(reference.table.text == "parent");
  CHECK(reference.columns.at(0).text == "x");
  CHECK(reference.on_delete == ReferenceAction::set_null);
  CHECK(reference.on_update == ReferenceAction::cascade);
  CHECK(reference.deferral == Deferral::initially_deferred);
  CHECK(table.columns[5].type == "INT");
  CHECK(rule<Generated>(table, 5).is_stored);
  CHECK(table.columns[6].type.empty());
  CHECK_FALSE(rule<Generated>(table, 6).is_stored);
  CHECK(render(*rule<Default>(table, 7).value) == "TRUE");
  CHECK(render(*rule<Default>(table, 8).value) == "word");
  CHECK(render(*rule<Default>(table, 9).value) == "\"quoted\"");
  CHECK(render(*rule<Default>(table, 10).value) == "CURRENT_TIMESTAMP");
  CHECK(render(*rule<Default>(table, 11).value) == "NULL");
}

TEST_CASE("table constraints are read, also without commas between them") {
  const CreateTable table = parse_create_table(
      "CREATE TABLE t(a, b, c, CONSTRAINT k PRIMARY KEY (a COLLATE nocase DESC, b) ON CONFLICT ABORT\n"
      "UNIQUE (b, c), CHECK (a <> b) CONSTRAINT f FOREIGN KEY (b, c) REFERENCES p (x, y) ON DELETE NO ACTION "
      "NOT DEFERRABLE INITIALLY IMMEDIATE, FOREIGN KEY (a) REFERENCES t) WITHOUT ROWID, STRICT;");
  CHECK(table.columns.size() == 3);
  REQUIRE(table.constraints.size() == 5);
  const auto& key = std::get<PrimaryKey>(table.constraints[0].rule);
  CHECK(table.constraints[0].name.text == "k");
  REQUIRE(key.terms.size() == 2);
  CHECK(key.terms[0].is_descending);
  CHECK(render(*key.terms[0].expression) == "(a COLLATE nocase)");
  CHECK(std::get<Unique>(table.constraints[1].rule).terms.size() == 2);
  const auto& foreign = std::get<ForeignKey>(table.constraints[3].rule);
  CHECK(foreign.columns.at(1).text == "c");
  CHECK(foreign.reference.deferral == Deferral::not_deferrable);
  CHECK(std::get<ForeignKey>(table.constraints[4].rule).reference.columns.empty());
  CHECK(table.is_without_rowid);
  CHECK(table.is_strict);
}

TEST_CASE("indexes are read with their expressions, order and condition") {
  const CreateIndex index = parse_create_index(
      "CREATE UNIQUE INDEX IF NOT EXISTS main.i ON t (a, lower(b) DESC, c COLLATE NOCASE ASC) WHERE a NOT "
      "NULL");
  CHECK(index.is_unique);
  CHECK(index.table.text == "t");
  REQUIRE(index.terms.size() == 3);
  CHECK(index.terms[1].is_descending);
  CHECK(render(*index.terms[2].expression) == "(c COLLATE NOCASE)");
  CHECK(render(*index.where) == "(a NOTNULL)");
}

TEST_CASE("queries are read and written back to the same query") {
  const std::vector<std::string> queries = {
      "SELECT 1",
      "SELECT DISTINCT a.*, *, b AS c, d e, f 'g' FROM a, main.b AS x LEFT OUTER JOIN c USING (i, j)",
      "SELECT a FROM (SELECT b FROM c) AS d NATURAL JOIN e CROSS JOIN f ON e.x = f.x WHERE a > 1",
      "SELECT a FROM t GROUP BY a, b HAVING count(*) > 1",
      "SELECT a UNION ALL SELECT b UNION SELECT c INTERSECT SELECT d EXCEPT SELECT e ORDER BY 1 DESC",
      "SELECT a FROM t ORDER BY a NULLS LAST, b ASC NULLS FIRST LIMIT 5 OFFSET 2",
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n), m AS (SELECT 2) SELECT * FROM n, m",
      "VALUES (1, 'a'), (2, 'b')",
      "SELECT (SELECT max(x) FROM t), EXISTS (SELECT 1), a IN (SELECT b FROM c), d IN e, f NOT IN (1, 2)",
      "SELECT sum(DISTINCT a) FILTER (WHERE b > 0), row_number() OVER (PARTITION BY a ORDER BY b) FROM t",
      "SELECT rank() OVER w FROM t WINDOW w AS (ORDER BY a)",
      "SELECT a FROM t LIMIT 2, 5",
      "SELECT * FROM a JOIN (b JOIN c ON b.x = c.x) ON a.x = b.x",
      "SELECT value FROM json_each('[1]') AS j",
      "SELECT * FROM t INDEXED BY i WHERE x ORDER BY y COLLATE NOCASE",
      "SELECT a FROM t NOT INDEXED",
  };
  for (const std::string& query : queries) {
    CAPTURE(query);
    const std::string once = render(*parse_select(query));
    CHECK(render(*parse_select(once)) == once);
  }
}

TEST_CASE("a statement of another kind, or a wrong one, is refused with its place") {
  CHECK(failure([] { parse_create_table("CREATE VIRTUAL TABLE t USING fts5(a)"); }) ==
        "TABLE expected, but \"VIRTUAL\" found at line 1, column 8");
  CHECK(failure([] { parse_create_table("CREATE TABLE t(a,\n b x y (1,2,3))"); }) ==
        "argument of a type expected, but \"3\" found at line 2, column 13");
  CHECK(failure([] { parse_create_table("CREATE TABLE t(a) extra"); }) ==
        "STRICT or WITHOUT ROWID expected, but \"extra\" found at line 1, column 19");
  CHECK(failure([] { parse_create_index("CREATE INDEX i ON t()"); }) ==
        "expression expected, but \")\" found at line 1, column 21");
  CHECK(failure([] { parse_create_view("CREATE VIEW v AS SELECT"); }) ==
        "expression expected, but the end found at line 1, column 24");
  CHECK(failure([] { parse_expression("1 +"); }) ==
        "expression expected, but the end found at line 1, column 4");
  CHECK(failure([] { parse_expression("a b"); }) ==
        "end of the statement expected, but \"b\" found at line 1, column 3");
}

TEST_CASE("every statement of the real databases is read") {
  const auto folder = nerve::test::test_data("sqlite");
  if (!folder) {
    MESSAGE("skipped: the real databases are not there");
    return;
  }
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
    if (entry.path().extension() == ".md") continue;
    nerve::sqlite::Session session(entry.path(), {.mode = nerve::sqlite::OpenMode::immutable});
    session.each("SELECT type, sql FROM sqlite_schema WHERE sql IS NOT NULL AND type <> 'trigger'",
                 [&](const nerve::sqlite::Row& row) {
                   const std::string type(row.text(0));
                   const std::string sql(row.text(1));
                   CAPTURE(sql);
                   if (sql.starts_with("CREATE VIRTUAL")) return;
                   ++count;
                   if (type == "table") CHECK_NOTHROW(parse_create_table(sql));
                   if (type == "index") CHECK_NOTHROW(parse_create_index(sql));
                   if (type == "view") {
                     const CreateView view = parse_create_view(sql);
                     const std::string once = render(*view.select);
                     CHECK(render(*parse_select(once)) == once);
                   }
                 });
  }
  CHECK(count > 150);
}

}  // namespace
