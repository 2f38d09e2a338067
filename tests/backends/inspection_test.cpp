// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/inspection.h"

#include "backends/sqlite_database.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "support/test_data.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <algorithm>
#include <csignal>

using namespace nerve::sqlite;
using namespace nerve::test;
using ObjectNames = std::vector<std::string>;

namespace {

constexpr std::size_t page_size = 4096;

Damage quick(const std::filesystem::path& path) {
  Session session(path);
  return quick_check(session);
}

Damage deep(const std::filesystem::path& path) {
  Session session(path);
  return integrity_check(session);
}

Damage lenient(const std::filesystem::path& path) {
  Session session(path);
  return lenient_integrity_check(session);
}

bool is_named(const Damage& damage, const std::string& name) {
  return std::ranges::find(damage.tables, name) != damage.tables.end() ||
         std::ranges::find(damage.indexes, name) != damage.indexes.end();
}

/// A database whose index lacks rows of its table, as a fault of the file system or a wrong collation leaves
/// it. The index is made for a part of the rows, then the schema is edited to say that it is for all.
void make_incomplete_index(const std::filesystem::path& path) {
  SqliteDatabase database(path);
  database.execute(
      "CREATE TABLE t(a, b); INSERT INTO t SELECT value, value FROM json_each('[1,2,3,4,5]');"
      "CREATE INDEX t_a ON t(a) WHERE a > 3; CREATE INDEX t_b ON t(b)");
  database.edit_schema("UPDATE sqlite_schema SET sql = 'CREATE INDEX t_a ON t(a)' WHERE name = 't_a'");
}

}  // namespace

TEST_CASE("a sound database has no damage") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
  CHECK_FALSE(quick(folder / "a.db").is_found());
  CHECK_FALSE(deep(folder / "a.db").is_found());
  CHECK(quick(folder / "a.db").describe() == "no damage");
  write_bytes(folder / "empty.db", "");
  CHECK_FALSE(deep(folder / "empty.db").is_found());
}

TEST_CASE("an overwritten page is found and its table or index named, whatever it was overwritten with") {
  // Which table or index a page belongs to is SQLite's own word: the dbstat table of the sound database.
  const auto chinook = test_data("sqlite/chinook.sqlite");
  if (!chinook) {
    MESSAGE("skipped: chinook is not there");
    return;
  }
  const TempFolder folder;
  const std::string sound = bytes_of(*chinook);
  write_bytes(folder / "sound.db", sound);
  SqliteDatabase database(folder / "sound.db");
  const auto pages = static_cast<std::size_t>(database.integer("PRAGMA page_count"));
  for (std::size_t page = 2; page <= pages; page += 9) {
    const std::string owner = database.text("SELECT name FROM dbstat WHERE pageno = " + std::to_string(page));
    for (const std::string& content :
         {std::string(page_size, '\0'), std::string(page_size, '\xff'), random_bytes(page_size)}) {
      CAPTURE(page);
      CAPTURE(owner);
      write_bytes(folder / "a.db", sound);
      overwrite_page(folder / "a.db", page_size, page, content);
      CHECK(is_named(quick(folder / "a.db"), owner));
      const Damage damage = deep(folder / "a.db");
      CHECK(damage.tables.size() + damage.indexes.size() == 1);
      CHECK(is_named(damage, owner));
    }
  }
}

TEST_CASE("damage to the schema itself is found and named") {
  const TempFolder folder;
  std::string tables = "BEGIN;";
  for (int table = 0; table < 200; ++table)
    tables += "CREATE TABLE table_number_" + std::to_string(table) + "(a, b, c);";
  make_database(folder / "a.db", tables + "COMMIT");
  const auto page =
      SqliteDatabase(folder / "a.db")
          .integer("SELECT max(pageno) FROM dbstat WHERE name = 'sqlite_schema' AND pageno > 1");
  overwrite_page(folder / "a.db", page_size, static_cast<std::size_t>(page), random_bytes(page_size));
  CHECK(quick(folder / "a.db").tables == ObjectNames{"sqlite_schema"});
}

TEST_CASE(
    "a chain of overflow pages that leads beyond the file is damage of its table, not a want of space") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(20000))");
  const auto page = SqliteDatabase(folder / "a.db")
                        .integer("SELECT min(pageno) FROM dbstat WHERE name = 't' AND pagetype = 'overflow'");
  overwrite_page(folder / "a.db", page_size, static_cast<std::size_t>(page), std::string(page_size, '\xff'));
  CHECK(quick(folder / "a.db").tables == ObjectNames{"t"});
  CHECK(deep(folder / "a.db").tables == ObjectNames{"t"});
}

TEST_CASE("rows that an index lacks are found by the deep check alone, and blamed on the index") {
  const TempFolder folder;
  make_incomplete_index(folder / "a.db");
  CHECK_FALSE(quick(folder / "a.db").is_found());
  const Damage damage = deep(folder / "a.db");
  CHECK(damage.indexes == ObjectNames{"t_a"});
  CHECK(damage.tables.empty());
  CHECK(damage.is_only_in_indexes());
  CHECK(damage.describe().find("index t_a") != std::string::npos);
}

TEST_CASE("damage to the free list belongs to no table") {
  const TempFolder folder;
  {
    SqliteDatabase database(folder / "a.db");
    database.execute("CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(100000)); DELETE FROM t");
    REQUIRE(database.integer("PRAGMA freelist_count") > 10);
  }
  std::string bytes = bytes_of(folder / "a.db");
  bytes[39] = static_cast<char>(bytes[39] - 1);  // the header's count of free pages
  write_bytes(folder / "a.db", bytes);
  const Damage damage = quick(folder / "a.db");
  REQUIRE(damage.is_found());
  CHECK(damage.is_elsewhere);
  CHECK(damage.tables.empty());
  CHECK(damage.indexes.empty());
  CHECK_FALSE(damage.is_only_in_indexes());
}

TEST_CASE("messages are bounded and say so") {
  const TempFolder folder;
  {
    SqliteDatabase database(folder / "a.db");
    database.execute(
        "CREATE TABLE t(a); INSERT INTO t SELECT NULL FROM json_each('[' || "
        "substr(replace(hex(zeroblob(300)), "
        "'00', ',1'), 2) || ']')");
    database.edit_schema("UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a NOT NULL)'");
  }
  const Damage damage = quick(folder / "a.db");
  CHECK(damage.messages.size() == Damage::messages_max);
  CHECK(damage.is_truncated);
  CHECK(damage.tables == ObjectNames{"t"});
}

TEST_CASE("a CHECK constraint with a function of another program does not stop the check") {
  const TempFolder folder;
  {
    SqliteDatabase database(folder / "a.db");
    const auto always = [](sqlite3_context* context, int, sqlite3_value**) {
      ::sqlite3_result_int(context, 1);
    };
    REQUIRE(::sqlite3_create_function(database.handle(), "theirs", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                      nullptr, always, nullptr, nullptr) == SQLITE_OK);
    database.execute("CREATE TABLE t(a CHECK (theirs(a))); INSERT INTO t VALUES (1)");
  }
  CHECK_FALSE(quick(folder / "a.db").is_found());
  CHECK_FALSE(deep(folder / "a.db").is_found());
  overwrite_page(folder / "a.db", page_size, 2, random_bytes(page_size));
  CHECK(quick(folder / "a.db").tables == ObjectNames{"t"});
}

TEST_CASE("the lenient check finds what lost rows leave in an index, and no rows that break rules") {
  const TempFolder folder;
  make_incomplete_index(folder / "index.db");
  CHECK(lenient(folder / "index.db").indexes == ObjectNames{"t_a"});
  {
    SqliteDatabase database(folder / "rules.db");
    // More than the findings that are kept.
    database.execute(
        "CREATE TABLE t(a, b); INSERT INTO t(a) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM "
        "n "
        "WHERE i < 200) SELECT i FROM n; CREATE TABLE u(a, b); INSERT INTO u VALUES (1, 2); CREATE INDEX u_a "
        "ON "
        "u(a) WHERE a > 1");
    database.edit_schema(
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a CHECK (a < 0), b NOT NULL)' "
        "WHERE name = 't'");
  }
  CHECK(deep(folder / "rules.db").messages.size() == Damage::messages_max);
  CHECK_FALSE(lenient(folder / "rules.db").is_found());
  SqliteDatabase(folder / "rules.db")
      .edit_schema("UPDATE sqlite_schema SET sql = 'CREATE INDEX u_a ON u(a)' WHERE name = 'u_a'");
  const Damage damage = lenient(folder / "rules.db");
  CHECK(damage.indexes == ObjectNames{"u_a"});
  CHECK(damage.tables.empty());
}

TEST_CASE("a table with a collation of another program is named as unchecked, and the others are checked") {
  const TempFolder folder;
  {
    SqliteDatabase database(folder / "a.db");
    database.execute(
        "CREATE TABLE t(a COLLATE NOCASE PRIMARY KEY); INSERT INTO t VALUES ('x');"
        "CREATE TABLE u(a); INSERT INTO u VALUES (1)");
    database.edit_schema("UPDATE sqlite_schema SET sql = replace(sql, 'NOCASE', 'theirs') WHERE name = 't'");
  }
  const Damage sound = lenient(folder / "a.db");
  CHECK_FALSE(sound.is_found());
  CHECK(sound.unchecked == ObjectNames{"t: no such collation sequence: theirs"});
  overwrite_page(folder / "a.db", page_size, 4, random_bytes(page_size));
  CHECK(lenient(folder / "a.db").tables == ObjectNames{"u"});
}

TEST_CASE("a check can be interrupted") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(50000000))");
  Session session(folder / "a.db");
  {
    const nerve::InterruptGuard guard;
    ::raise(SIGINT);
    CHECK_THROWS_AS(integrity_check(session), nerve::CancelledError);
  }
  const nerve::InterruptGuard forgets_the_interrupt;
  CHECK_FALSE(integrity_check(session).is_found());
}

TEST_CASE("rows without parent are counted and listed") {
  const TempFolder folder;
  make_database(folder / "a.db", R"(
    CREATE TABLE parent(id INTEGER PRIMARY KEY); INSERT INTO parent VALUES (1);
    CREATE TABLE child(id INTEGER PRIMARY KEY, parent_id REFERENCES parent(id));
    INSERT INTO child VALUES (10, 1), (11, 2), (12, NULL), (13, 3);
    CREATE TABLE keyed(k PRIMARY KEY, parent_id REFERENCES parent(id)) WITHOUT ROWID;
    INSERT INTO keyed VALUES ('a', 5))");
  Session session(folder / "a.db");
  const ForeignKeyCheck keys = check_foreign_keys(session);
  CHECK(keys.total() == 3);
  REQUIRE(keys.violations.size() == 3);
  CHECK(keys.violations[0].table == "child");
  CHECK(keys.violations[0].parent == "parent");
  CHECK(keys.violations[0].rowid == 11);
  CHECK(keys.violations[1].rowid == 13);
  CHECK_FALSE(keys.violations[2].rowid);
  REQUIRE(keys.counts.size() == 2);
  CHECK(keys.counts[0].violations == 2);
  CHECK(keys.unchecked.empty());
}

TEST_CASE("a foreign key that fits no key of its parent is told as unchecked, and the others are checked") {
  const TempFolder folder;
  make_database(folder / "a.db", R"(
    CREATE TABLE parent(id, name); CREATE TABLE odd(a REFERENCES parent(name)); INSERT INTO odd VALUES ('x');
    CREATE TABLE other(id INTEGER PRIMARY KEY, up REFERENCES other(id)); INSERT INTO other VALUES (1, 2))");
  Session session(folder / "a.db");
  const ForeignKeyCheck keys = check_foreign_keys(session);
  CHECK(keys.total() == 1);
  REQUIRE(keys.unchecked.size() == 1);
  CHECK(keys.unchecked[0].starts_with("odd: "));
}

TEST_CASE("every real database is sound") {
  const auto data = test_data("sqlite");
  if (!data) {
    MESSAGE("skipped: the real databases are not there");
    return;
  }
  for (const auto& entry : std::filesystem::directory_iterator(*data)) {
    if (entry.path().extension() == ".md") continue;
    CAPTURE(entry.path());
    Session session(entry.path(), {.mode = OpenMode::immutable});
    CHECK(integrity_check(session).describe() == "no damage");
  }
}
