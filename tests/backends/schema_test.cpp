// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/schema.h"

#include "backends/sqlite_database.h"
#include "support/temp_folder.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace nerve::sqlite;
using namespace nerve::test;

namespace {

const Table& find_table(const std::vector<Table>& tables, const std::string& name) {
  const auto found = std::ranges::find(tables, name, &Table::name);
  REQUIRE(found != tables.end());
  return *found;
}

}  // namespace

TEST_CASE("any name comes through quoting unharmed") {
  const TempFolder folder;
  SqliteDatabase database(folder / "a.db");
  for (const std::string name : {"plain", "two words", "quo\"te", "it's", "\"", "select", "a;b--", "grüße"}) {
    CAPTURE(name);
    database.execute("CREATE TABLE " + quote_identifier(name) + "(a)");
    CHECK(database.integer("SELECT count(*) FROM sqlite_schema WHERE name = " + quote_text(name)) == 1);
  }
  CHECK_THROWS_AS(quote_identifier(std::string("a\0b", 3)), nerve::ValidationError);
  CHECK_THROWS_AS(quote_text(std::string("a\0b", 3)), nerve::ValidationError);
}

TEST_CASE("tables are listed with what they are, in the order of their names") {
  const TempFolder folder;
  make_database(folder / "a.db", R"(
    CREATE TABLE plain(id INTEGER PRIMARY KEY, name TEXT NOT NULL, twice AS (name || name), thrice AS (name) STORED);
    CREATE TABLE keyed(a, b, PRIMARY KEY(b, a)) WITHOUT ROWID;
    CREATE TABLE strict(a INT) STRICT;
    CREATE VIRTUAL TABLE found USING fts5(body);
    CREATE VIEW seen AS SELECT name FROM plain;
    CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT);)");
  Session session(folder / "a.db");
  const std::vector<Table> tables = list_tables(session);
  CHECK(std::ranges::is_sorted(tables, {}, &Table::name));
  CHECK(find_table(tables, "plain").kind == TableKind::table);
  CHECK(find_table(tables, "found").kind == TableKind::virtual_table);
  CHECK(find_table(tables, "found_content").kind == TableKind::shadow);
  CHECK(find_table(tables, "seen").kind == TableKind::view);
  CHECK(find_table(tables, "sqlite_sequence").kind == TableKind::table);
  CHECK(find_table(tables, "strict").is_strict);
  CHECK_FALSE(find_table(tables, "plain").is_strict);
  CHECK(find_table(tables, "keyed").is_without_rowid);
  CHECK(std::ranges::all_of(tables, [](const Table& table) { return table.unreadable.empty(); }));
  CHECK(std::ranges::find(tables, "sqlite_schema", &Table::name) == tables.end());

  const std::vector<Column>& plain = find_table(tables, "plain").columns;
  REQUIRE(plain.size() == 4);
  CHECK(plain[0].primary_key_position == 1);
  CHECK(plain[0].declared_type == "INTEGER");
  CHECK(plain[1].is_not_null);
  CHECK((plain[2].is_generated && !plain[2].is_stored));
  CHECK((plain[3].is_generated && plain[3].is_stored));
  const std::vector<Column>& keyed = find_table(tables, "keyed").columns;
  CHECK(keyed[0].primary_key_position == 2);
  CHECK(keyed[1].primary_key_position == 1);
}

TEST_CASE("a broken view and a virtual table without module are listed as unreadable and stop nothing") {
  const TempFolder folder;
  {
    SqliteDatabase database(folder / "a.db");
    database.execute(
        "CREATE TABLE t(a); CREATE VIEW broken AS SELECT gone FROM t; CREATE VIEW lost AS SELECT * FROM "
        "missing");
    database.edit_schema(
        "INSERT INTO sqlite_schema VALUES ('table', 'alien', 'alien', 0, 'CREATE VIRTUAL TABLE alien USING "
        "no_such(a)')");
  }
  Session session(folder / "a.db");
  const std::vector<Table> tables = list_tables(session);
  CHECK(find_table(tables, "broken").unreadable == "no such column: gone");
  CHECK(find_table(tables, "lost").unreadable == "no such table: main.missing");
  CHECK(find_table(tables, "alien").unreadable == "no such module: no_such");
  CHECK(find_table(tables, "t").unreadable.empty());
}

TEST_CASE("the rowid goes by a name that is not a column") {
  const TempFolder folder;
  make_database(folder / "a.db", R"(
    CREATE TABLE a(x); CREATE TABLE b(RowId); CREATE TABLE c(rowid, _ROWID_); CREATE TABLE d(rowid, _rowid_, oid);
    CREATE TABLE e(x PRIMARY KEY) WITHOUT ROWID)");
  Session session(folder / "a.db");
  const std::vector<Table> tables = list_tables(session);
  REQUIRE(tables.size() == 5);
  CHECK(rowid_name(tables[0]) == "rowid");
  CHECK(rowid_name(tables[1]) == "_rowid_");
  CHECK(rowid_name(tables[2]) == "oid");
  CHECK(rowid_name(tables[3]).empty());
  CHECK(rowid_name(tables[4]).empty());
}

TEST_CASE("a damaged schema is an integrity error") {
  const TempFolder folder;
  {
    SqliteDatabase database(folder / "a.db");
    database.execute("CREATE TABLE t(a)");
    database.edit_schema("UPDATE sqlite_schema SET sql = 'CREATE NONSENSE'");
  }
  Session session(folder / "a.db");
  CHECK_THROWS_AS(list_tables(session), nerve::IntegrityError);
}
