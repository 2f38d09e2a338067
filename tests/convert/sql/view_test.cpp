// SPDX-License-Identifier: Apache-2.0
//
// Goal: a translated view gives SQLite's rows. Method: each view is made in both engines over the same
// tables, and its rows, the names of its columns and their types are compared; then the same for every view
// of the real databases.
#include "convert/sql/engines.h"
#include "sql/create_index.h"
#include "sql/create_table.h"
#include "sql/create_view.h"
#include "sql/postgresql/quote.h"
#include "sql/postgresql/translate.h"
#include "sql/tokens.h"
#include "support/test_data.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace nerve::convert::sql;
using nerve::test::Engines;
using nerve::test::Outcome;
using nerve::test::ValueRows;

const std::vector<std::string> exact_views = {
    "SELECT * FROM t",
    "SELECT id, a, a + 1, a > 0 AS positive, 'x', NULL AS empty, 5 FROM t WHERE id < 5",
    "SELECT t.*, w.name FROM t JOIN w ON w.t_id = t.id WHERE w.weight > 1",
    "SELECT s, count(*), sum(n), min(s), max(u COLLATE BINARY), avg(n), total(n) FROM t GROUP BY s",
    "SELECT f, count(DISTINCT u), count(DISTINCT n) FROM t GROUP BY f",
    "SELECT count(*), count(a), sum(n), min(n), max(n), avg(n), total(n), min(r), max(r) FROM t",
    "SELECT count(*) FROM t WHERE n > 1000",
    "SELECT sum(n), avg(n), total(n), min(s), max(f) FROM t WHERE n > 1000",
    "SELECT sum(f), sum(a > 0), count(*) FILTER (WHERE a > 0), sum(n) FILTER (WHERE f) FROM t",
    "SELECT n % 3 AS k, count(*) AS c FROM t GROUP BY k HAVING c > 1 ORDER BY c DESC, k",
    "SELECT n % 3, count(*) FROM t GROUP BY 1 HAVING count(*) > 1 ORDER BY 2, 1",
    "SELECT upper(s) AS su, max(n) + 1 FROM t GROUP BY upper(s) ORDER BY su",
    "SELECT DISTINCT f FROM t ORDER BY f",
    "SELECT DISTINCT n % 4 AS k, f FROM t ORDER BY k DESC, f",
    "SELECT s FROM t ORDER BY s",
    "SELECT s FROM t ORDER BY s DESC, id",
    "SELECT s, id FROM t ORDER BY s NULLS LAST, id",
    "SELECT s, id FROM t ORDER BY s DESC NULLS FIRST, id",
    "SELECT u, id FROM t ORDER BY u, id",
    "SELECT s AS name, id FROM t ORDER BY name COLLATE NOCASE DESC, id",
    "SELECT lower(s) || 'x' AS low, id FROM t ORDER BY low, id",
    "SELECT a, id FROM t ORDER BY a DESC, -id LIMIT 3",
    "SELECT id FROM t ORDER BY id LIMIT 3 OFFSET 2",
    "SELECT id FROM t ORDER BY id LIMIT 2, 3",
    "SELECT id FROM t ORDER BY id LIMIT -1 OFFSET 2",
    "SELECT id FROM t ORDER BY day, ts, tz, ep, g, id",
    "SELECT t.id, name, weight FROM t LEFT JOIN w ON t_id = t.id AND weight > 1 ORDER BY t.id, name",
    "SELECT t.id, w.name FROM w RIGHT JOIN t ON w.t_id = t.id ORDER BY t.id, w.name",
    "SELECT t.id, w.name FROM t, w WHERE w.t_id = t.id",
    "SELECT t.id, w.name, x.name FROM t CROSS JOIN w LEFT JOIN w AS x ON x.t_id = t.id WHERE w.t_id = t.id",
    "SELECT id, name, amount FROM t JOIN v USING (id)",
    "SELECT * FROM w JOIN v USING (name)",
    "SELECT * FROM w NATURAL JOIN v",
    "SELECT name, v.name, w.name FROM w LEFT JOIN v USING (name)",
    "SELECT a.name, b.name FROM w AS a JOIN w AS b ON a.t_id = b.t_id AND a.name < b.name",
    "SELECT t.id FROM t JOIN (w JOIN v USING (name)) ON t.id = w.t_id",
    "SELECT q.k, q.c FROM (SELECT n % 3 AS k, count(*) AS c FROM t GROUP BY n % 3) AS q WHERE q.c > 1",
    "SELECT * FROM (SELECT id, s FROM t) WHERE id > 3",
    "SELECT id, (SELECT max(weight) FROM w WHERE w.t_id = t.id) AS heaviest FROM t",
    "SELECT id FROM t WHERE EXISTS (SELECT 1 FROM w WHERE w.t_id = t.id)",
    "SELECT id FROM t WHERE NOT EXISTS (SELECT * FROM w WHERE t_id = id)",
    "SELECT id FROM t WHERE id IN (SELECT t_id FROM w) OR s NOT IN (SELECT name FROM w)",
    "SELECT id FROM t WHERE u IN (SELECT name FROM w)",
    "SELECT id FROM t WHERE n IN (SELECT id FROM v UNION SELECT 63)",
    "SELECT id FROM t WHERE n IN v_ids",
    "SELECT id, a FROM t UNION SELECT id, amount FROM v UNION ALL SELECT 1, NULL ORDER BY 1, 2",
    "SELECT n FROM t INTERSECT SELECT id FROM v UNION SELECT 100",
    "SELECT n FROM t UNION SELECT 100 INTERSECT SELECT id FROM v",
    "SELECT n FROM t EXCEPT SELECT id FROM v EXCEPT SELECT 2 ORDER BY n DESC",
    "SELECT s AS x FROM t UNION SELECT name FROM w ORDER BY x",
    "SELECT 'a' AS kind, id FROM t UNION ALL SELECT 'b', t_id FROM w",
    "SELECT f FROM t UNION SELECT 0",
    "VALUES (1, 'a'), (2, NULL), (NULL, 'c')",
    "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS q WHERE column1 > 1",
    "WITH big AS (SELECT n FROM t WHERE n > 3), other(k) AS (SELECT n FROM big) SELECT * FROM big, other",
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 10) SELECT i, i * i FROM c",
    "WITH RECURSIVE c AS (SELECT id k, s p FROM t UNION SELECT k+1, p||k FROM c WHERE k<4) SELECT * FROM c",
    "SELECT count(*) AS \"count(*)\", count(*), count( * ) FROM t",
    "SELECT a, a, a AS b, b FROM t",
    "SELECT a AS A, s AS \"S p\", [n] FROM t",
    "SELECT id AS \"select\", s AS \"user\" FROM t WHERE \"select\" > 2 AND user <> ''",
    "SELECT CASE WHEN f THEN s ELSE u END AS chosen, substr(s, 1, 2), length(s) FROM t",
    "SELECT strftime('%Y', ts) AS year, count(*) FROM t GROUP BY strftime('%Y', ts)",
    "SELECT min(p COLLATE BINARY), p AS q FROM t GROUP BY p COLLATE BINARY",
    "SELECT max(p COLLATE BINARY) AS m, min(s) FROM t",
    "SELECT p COLLATE BINARY AS q FROM t UNION SELECT s FROM t ORDER BY q",
    "SELECT t.rowid, w.rowid FROM t JOIN w ON w.t_id = t.rowid",
    "SELECT \"no column\" AS text, 'single' FROM w",
    "SELECT max(weight) FROM w LIMIT 1",
    "SELECT id FROM t WHERE ts BETWEEN datetime('1997-01-01') AND datetime('2021-01-01')",
    "SELECT t.s || '-' || w.name AS both FROM t JOIN w ON t.id = w.t_id GROUP BY t.s || '-' || w.name",
    "SELECT id FROM (SELECT id FROM t ORDER BY id DESC LIMIT 3) ORDER BY id",
};

struct RefusedView {
  std::string select;
  std::string reason;
};

const std::vector<RefusedView> refused_views = {
    {"SELECT a, count(*) FROM t", "the column \"a\" is neither grouped nor aggregated"},
    {"SELECT a, s FROM t GROUP BY s", "the column \"a\" is neither grouped nor aggregated"},
    {"SELECT s FROM t GROUP BY s ORDER BY a", "the column \"a\" is neither grouped nor aggregated"},
    {"SELECT max(a), s FROM t", "the column \"s\" is neither grouped nor aggregated"},
    {"SELECT u FROM t GROUP BY u", "one of several texts"},
    {"SELECT DISTINCT u FROM t", "one of several texts"},
    {"SELECT u FROM t UNION SELECT 'x'", "one of several texts"},
    {"SELECT id FROM t LIMIT 1", "LIMIT without ORDER BY"},
    {"SELECT id FROM t ORDER BY id LIMIT 1 + 1", "a LIMIT that is no literal"},
    {"SELECT group_concat(s) FROM t", "the order of rows in group_concat()"},
    {"SELECT sum(r) FROM t", "sums of reals, which depend on the order of rows may differ"},
    {"SELECT avg(d) FROM t", "sums of reals, which depend on the order of rows may differ"},
    {"SELECT sum(s) FROM t", "arithmetic on a text"},
    {"SELECT max(x) FROM t", "PostgreSQL has no max() of bytea"},
    {"SELECT row_number() OVER () FROM t", "a window function"},
    {"SELECT * FROM json_each('[1]')", "the function json_each() that gives rows"},
    {"SELECT * FROM absent", "there is no table or translated view \"absent\""},
    {"SELECT id FROM t, t", "the name \"id\" stands for two columns"},
    {"SELECT id FROM t JOIN v", "the name \"id\" stands for two columns"},
    {"SELECT t.id FROM t FULL JOIN v ON t.id = v.id", "FULL JOIN"},
    {"SELECT a FROM t UNION SELECT s FROM t", "values of different types come out"},
    {"SELECT a FROM t UNION SELECT a, b FROM t", "parts of a compound query with different numbers"},
    {"SELECT DISTINCT a FROM t ORDER BY b", "ORDER BY of what is no result column"},
    {"SELECT a FROM t ORDER BY 2", "the number of a result column that is not there"},
    {"SELECT id FROM t WHERE count(*) > 1", "the aggregate count() outside"},
    {"SELECT sum(max(a)) FROM t", "the aggregate max() outside"},
    {"SELECT (SELECT a, b FROM t) FROM t", "a subquery of several columns as one value"},
    {"SELECT id FROM t WHERE u IN (SELECT s FROM t UNION SELECT name FROM w)", "IN with a compound subquery"},
};

/// Rows in an order that both engines share.
ValueRows sorted(ValueRows rows) {
  std::ranges::sort(rows);
  return rows;
}

/// What both hold of a view, by the names that SQLite gives its columns.
struct ViewScene {
  Engines engines;
  std::map<std::string, Table> tables;

  Schema schema() const {
    Schema schema;
    schema.find = [this](std::string_view name) -> const Table* {
      const auto found = tables.find(folded(name));
      return found == tables.end() ? nullptr : &found->second;
    };
    return schema;
  }

  void plan(const std::string& create) {
    const CreateTable parsed = parse_create_table(create);
    Table table = engines.planned_table(parsed);
    for (std::size_t i = 0; i < parsed.columns.size(); ++i) {
      const bool is_key = find_rule<PrimaryKey>(parsed.columns[i]) != nullptr;
      table.columns[i].is_rowid = is_key && equals_folded(parsed.columns[i].type, "integer");
    }
    engines.copy_table(table);
    tables.insert_or_assign(folded(table.name), std::move(table));
  }
};

/// Makes the scene's own tables: the sample, w with names and v with keys.
void fill(ViewScene& scene) {
  scene.tables.emplace("t", make_sample(scene.engines));
  const std::vector<std::string> creates = {
      "CREATE TABLE w(id INTEGER PRIMARY KEY, t_id INTEGER, name TEXT, weight REAL)",
      "CREATE TABLE v(id INTEGER NOT NULL, name TEXT, amount INTEGER)", "CREATE TABLE v_ids(k INTEGER)"};
  for (const std::string& create : creates) scene.engines.run_sqlite(create);
  scene.engines.run_sqlite(
      "INSERT INTO w VALUES (1, 2, 'abc', 1.5), (2, 3, 'ABC', 2.5), (3, 3, 'z', 0.5), (4, 99, 'lost', 4.5), "
      "(5, NULL, 'none', 5.5); INSERT INTO v VALUES (2, 'abc', 7), (3, 'z', NULL), (10, 'new', 9); "
      "INSERT INTO v_ids VALUES (1), (2), (63)");
  for (const std::string& create : creates) scene.plan(create);
}

/// Numbers that differ in their last digits only are the same where a remark says that they may.
bool are_near(const std::string& left, const std::string& right) {
  if (left == right) return true;
  if (!left.starts_with("number ") || !right.starts_with("number ")) return false;
  const double a = std::stod(left.substr(7));
  const double b = std::stod(right.substr(7));
  return std::fabs(a - b) <= 1e-11 * std::max(std::fabs(a), std::fabs(b));
}

bool are_same(const ValueRows& left, const ValueRows& right, bool is_rounded) {
  return std::ranges::equal(left, right, [&](const auto& a, const auto& b) {
    return std::ranges::equal(a, b, [&](const std::string& x, const std::string& y) {
      return is_rounded ? are_near(x, y) : x == y;
    });
  });
}

/// Times are compared as the texts that the source holds.
std::string as_source(const Column& column) {
  const std::string utc =
      column.type == TargetType::timestamptz ? column.target + " AT TIME ZONE 'UTC'" : column.target;
  switch (column.time_form) {
    case TimeForm::datetime:
      return "to_char(" + utc + ", 'YYYY-MM-DD HH24:MI:SS')";
    case TimeForm::datetime_tz:
      return "to_char(" + utc + ", 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
    case TimeForm::epoch_seconds:
      return "extract(epoch from " + column.target + ")::bigint";
    default:
      return column.target;
  }
}

/// Makes the view in PostgreSQL and compares it with SQLite's of the same name. Returns the view as a table.
Table compare_view(const Engines& engines, const std::string& name, const TranslatedView& view,
                   bool is_ordered) {
  const std::string target = quote_name(name);
  CHECK_NOTHROW(engines.run_postgresql("CREATE VIEW " + target + " AS " + view.select));
  std::string names;
  std::vector<TargetType> types;
  for (const Column& column : view.columns) {
    names += (names.empty() ? "" : ", ") + as_source(column);
    const bool is_epoch = column.time_form == TimeForm::epoch_seconds;
    types.push_back(is_epoch ? TargetType::bigint : column.type);
  }
  const Outcome expected = engines.query_sqlite("SELECT * FROM \"" + name + '"');
  const Outcome found = engines.query_postgresql("SELECT " + names + " FROM " + target, types);
  CHECK_MESSAGE(expected.error.empty(), expected.error);
  CHECK_MESSAGE(found.error.empty(), found.error);
  CHECK(expected.rows.size() == found.rows.size());
  const bool is_rounded = !view.remarks.empty();
  if (is_ordered) {
    CHECK(are_same(expected.rows, found.rows, is_rounded));
  } else {
    CHECK(are_same(sorted(expected.rows), sorted(found.rows), is_rounded));
  }
  const Outcome source_names = engines.query_sqlite("SELECT name FROM pragma_table_info('" + name + "')");
  for (std::size_t i = 0; i < view.columns.size(); ++i) {
    CHECK("text " + view.columns[i].name == source_names.rows.at(i).at(0));
    if (types[i] != TargetType::unknown && !is_time(types[i])) CHECK(found.types.at(i) == to_sql(types[i]));
    for (const auto& row : found.rows) CHECK_FALSE((view.columns[i].is_not_null && row.at(i) == "null"));
  }
  return Table{name, target, view.columns};
}

TEST_CASE("a translated view gives SQLite's rows, names and order") {
  if (nerve::test::is_without_postgresql()) return;
  ViewScene scene{Engines("convert_sql_views"), {}};
  fill(scene);
  int number = 0;
  for (const std::string& select : exact_views) {
    CAPTURE(select);
    const std::string name = "view_" + std::to_string(++number);
    const std::string create = std::string("CREATE VIEW ").append(name).append(" AS ").append(select);
    scene.engines.run_sqlite(create);
    const auto translated = translate_view(parse_create_view(create), scene.schema(), {});
    if (const auto* refusal = std::get_if<Untranslatable>(&translated)) {
      FAIL_CHECK(refusal->reason);
      continue;
    }
    const auto& view = std::get<TranslatedView>(translated);
    CAPTURE(view.select);
    const bool is_ordered =
        select.find("ORDER BY") != std::string::npos && select.find("id DESC LIMIT") == std::string::npos;
    compare_view(scene.engines, name, view, is_ordered);
  }
}

TEST_CASE("a view that has no exact equal is refused with a reason") {
  if (nerve::test::is_without_postgresql()) return;
  ViewScene scene{Engines("convert_sql_refused_views"), {}};
  fill(scene);
  for (const RefusedView& refused : refused_views) {
    CAPTURE(refused.select);
    const auto translated =
        translate_view(parse_create_view("CREATE VIEW x AS " + refused.select), scene.schema(), {});
    if (const auto* view = std::get_if<TranslatedView>(&translated)) {
      FAIL_CHECK(view->select);
      continue;
    }
    const std::string& reason = std::get<Untranslatable>(translated).reason;
    CHECK_MESSAGE(reason.starts_with(refused.reason), reason);
  }
}

/// Translates what belongs to a table and makes it in PostgreSQL, which must take it.
void make_parts(const ViewScene& scene, const CreateTable& parsed, int& made) {
  const Table& table = scene.tables.at(folded(parsed.name.text));
  const auto check = [&](const Constraint& constraint) {
    const auto* rule = std::get_if<Check>(&constraint.rule);
    if (rule == nullptr) return;
    const auto translated = translate_condition(*rule->condition, table, {.is_immutable = true});
    if (const auto* refusal = std::get_if<Untranslatable>(&translated)) {
      MESSAGE("CHECK (" << rule->text << "): " << refusal->reason);
      return;
    }
    const std::string sql = std::get<Translation>(translated).sql;
    CAPTURE(sql);
    CHECK_NOTHROW(scene.engines.run_postgresql("ALTER TABLE " + table.target + " ADD CHECK (" + sql + ')'));
    ++made;
  };
  for (const Constraint& constraint : parsed.constraints) check(constraint);
  for (std::size_t i = 0; i < parsed.columns.size(); ++i) {
    for (const Constraint& constraint : parsed.columns[i].constraints) check(constraint);
    const auto* value = find_rule<Default>(parsed.columns[i]);
    if (value == nullptr) continue;
    const auto translated = translate_default(*value, table.columns[i]);
    if (const auto* refusal = std::get_if<Untranslatable>(&translated)) {
      MESSAGE(parsed.name.text << "." << table.columns[i].name << " DEFAULT " << value->text << ": "
                               << refusal->reason);
      continue;
    }
    CHECK_NOTHROW(scene.engines.run_postgresql("ALTER TABLE " + table.target + " ALTER " +
                                               table.columns[i].target + " SET DEFAULT " +
                                               std::get<Translation>(translated).sql));
    ++made;
  }
}

void make_index(const ViewScene& scene, const std::string& sql, int& made) {
  const CreateIndex index = parse_create_index(sql);
  const auto found = scene.tables.find(folded(index.table.text));
  if (found == scene.tables.end()) return;
  const auto translated = translate_index(index, found->second);
  if (const auto* refusal = std::get_if<Untranslatable>(&translated)) {
    MESSAGE(sql << ": " << refusal->reason);
    return;
  }
  const auto& translation = std::get<TranslatedIndex>(translated);
  std::string terms;
  for (const IndexTerm& term : translation.terms) {
    terms += (terms.empty() ? "" : ", ") + term.sql + (term.is_descending ? " DESC" : "");
  }
  const std::string where = translation.where.empty() ? "" : " WHERE " + translation.where;
  CHECK_NOTHROW(scene.engines.run_postgresql("CREATE " + std::string(index.is_unique ? "UNIQUE " : "") +
                                             "INDEX ON " + found->second.target + '(' + terms + ')' + where));
  ++made;
}

/// Views in the order of the schema, again and again, since one may read another that comes later.
int make_views(ViewScene& scene, std::vector<std::string> views) {
  int made = 0;
  for (bool has_grown = true; has_grown;) {
    has_grown = false;
    for (std::string& sql : views) {
      if (sql.empty()) continue;
      const CreateView parsed = parse_create_view(sql);
      const auto translated = translate_view(parsed, scene.schema(), {.allows_rounding = true});
      const auto* view = std::get_if<TranslatedView>(&translated);
      if (view == nullptr) continue;
      CAPTURE(view->select);
      Table table = compare_view(scene.engines, parsed.name.text, *view, false);
      scene.tables.insert_or_assign(folded(table.name), std::move(table));
      sql.clear();
      has_grown = true;
      ++made;
    }
  }
  for (const std::string& sql : views) {
    if (sql.empty()) continue;
    const CreateView parsed = parse_create_view(sql);
    const auto translated = translate_view(parsed, scene.schema(), {.allows_rounding = true});
    MESSAGE(parsed.name.text << ": " << std::get<Untranslatable>(translated).reason);
  }
  return made;
}

TEST_CASE("what the real databases define is the same in PostgreSQL") {
  if (nerve::test::is_without_postgresql()) return;
  const auto folder = nerve::test::test_data("sqlite");
  if (!folder) {
    MESSAGE("skipped: the real databases are not there");
    return;
  }
  int parts = 0;
  int views = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
    if (entry.path().extension() == ".md") continue;
    CAPTURE(entry.path().filename().string());
    const std::string name = "convert_sql_" + entry.path().stem().string();
    ViewScene scene{Engines(name, "file:" + entry.path().string() + "?immutable=1"), {}};
    const Outcome objects = scene.engines.query_sqlite(
        "SELECT type, sql FROM sqlite_schema WHERE sql IS NOT NULL AND sql NOT LIKE 'CREATE VIRTUAL%' "
        "AND name NOT LIKE 'sqlite_%' ORDER BY type <> 'table'");
    std::vector<std::string> selects;
    for (const auto& object : objects.rows) {
      const std::string sql = object[1].substr(object[1].find(' ') + 1);
      CAPTURE(sql);
      if (object[0] == "text table") {
        scene.plan(sql);
        make_parts(scene, parse_create_table(sql), parts);
      }
      if (object[0] == "text index") make_index(scene, sql, parts);
      if (object[0] == "text view") selects.push_back(sql);
    }
    views += make_views(scene, std::move(selects));
  }
  CHECK(parts > 80);
  CHECK(views > 20);
}

}  // namespace
