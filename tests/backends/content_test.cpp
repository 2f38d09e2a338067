// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/content.h"

#include "backends/sqlite_database.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "support/test_data.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace nerve::sqlite;
using namespace nerve::test;

namespace {

constexpr const char* every_kind = R"(
CREATE TABLE kinds(a INTEGER PRIMARY KEY, b);
INSERT INTO kinds VALUES (1, NULL), (2, -1), (3, 9223372036854775807), (4, 0.5), (5, 'grüße'), (6, x'00ff'), (7, ''), (8, x''), (9, CAST(x'610062' AS TEXT)), (10, CAST(x'ff' AS TEXT)), (-5, 1e308);
CREATE TABLE keyed(k TEXT COLLATE NOCASE, n INT, v, PRIMARY KEY(n, k)) WITHOUT ROWID;
INSERT INTO keyed VALUES ('b', 1, 'x'), ('A', 1, 'y'), ('C', 1, 'z'), ('a', 0, NULL);
CREATE TABLE aliases(rowid, _rowid_, oid);
INSERT INTO aliases VALUES (1, 'x', NULL), (1.0, 'x', NULL), ('1', 'x', NULL), (x'31', 'a', NULL), (1, 'x', NULL);
CREATE TABLE computed(a INT, b AS (a + 1), c AS (a * 2) STORED);
INSERT INTO computed(a) VALUES (20), (10);
CREATE TABLE "odd ""name"""(x);
)";

std::vector<TableDigest> digests_of(const std::filesystem::path& path) {
  Session session(path);
  return digest_content(session);
}

std::string digest_of_table(const std::string& script) {
  const TempFolder folder;
  make_database(folder / "a.db", script);
  return digests_of(folder / "a.db").back().sha256;
}

}  // namespace

TEST_CASE("digests are those of docs/content_digest.md") {
  // Computed by tests/data/content_digest.py, which was written from that page.
  const TempFolder folder;
  make_database(folder / "a.db", every_kind);
  const std::vector<TableDigest> expected = {
      {"sqlite_schema", 5, "6b62aad3193ff567c593725ee8cf5ed078a086eed591a200e58430d45ecd086a"},
      {"aliases", 5, "bf4e906b695f336fc2e8a6e0f19e334412d851c96cafc69746fa3a35b76c69f1"},
      {"computed", 2, "bfd6a3a557882bd679af10977d30ea9e9a77daf2aec17012ed80e3bf52253bf1"},
      {"keyed", 4, "0884fa7b8556ce8827ff1d2f514e0b3f4786ccb166e1b30bcadfd01abb5fbe6d"},
      {"kinds", 11, "248efda6d78c5bc7a2b391e8ec05cd90cb0d39fc24c1ad714a77d345b1a03c32"},
      {"odd \"name\"", 0, "0f331b5204442ffa3f5f87ff081b308458928a44997318bede4aa842894f2cb2"},
  };
  const auto digests = digests_of(folder / "a.db");
  CHECK(digests == expected);
  CHECK(combine_digests(digests) == "b3d883295864f4fc2585e8d10345f7739e7889b61667d8507fb0a0c5112dd447");
}

TEST_CASE("the digest does not depend on how pages lie") {
  const TempFolder folder;
  make_database(folder / "a.db", every_kind);
  make_database(folder / "b.db",
                std::string("PRAGMA page_size=512;") + every_kind +
                    "DELETE FROM kinds WHERE a > 3; DELETE FROM keyed;"
                    "INSERT INTO kinds VALUES (10, CAST(x'ff' AS TEXT)), (9, CAST(x'610062' AS TEXT)), (8, "
                    "x''), (7, ''), (6, x'00ff'), (5, 'grüße'), (4, 0.5);"
                    "INSERT INTO keyed VALUES ('a', 0, NULL), ('C', 1, 'z'), ('A', 1, 'y'), ('b', 1, 'x');"
                    "VACUUM");
  CHECK(bytes_of(folder / "a.db") != bytes_of(folder / "b.db"));
  CHECK(digests_of(folder / "a.db") == digests_of(folder / "b.db"));
}

TEST_CASE("the digest of a table with a rowid does not depend on the encoding") {
  const char* script = "CREATE TABLE t(a); INSERT INTO t VALUES ('grüße'), ('\U0001F512'), (1)";
  CHECK(digest_of_table(script) == digest_of_table(std::string("PRAGMA encoding='UTF-16le';") + script));
}

TEST_CASE("values that compare or print alike have different digests") {
  const std::string create = "CREATE TABLE t(a); INSERT INTO t VALUES ";
  const std::vector<std::string> rows = {"(1)",         "(1.0)",  "('1')",
                                         "(x'31')",     "(NULL)", "('')",
                                         "(x'')",       "('1 ')", "(CAST(x'310032' AS TEXT))",
                                         "('1'),(NULL)"};
  std::vector<std::string> digests;
  digests.reserve(rows.size());
  for (const std::string& row : rows) digests.push_back(digest_of_table(create + row));
  std::ranges::sort(digests);
  CHECK(std::ranges::adjacent_find(digests) == digests.end());
}

TEST_CASE("a changed rowid, a value in another column and another schema change a digest") {
  CHECK(digest_of_table("CREATE TABLE t(a); INSERT INTO t(rowid, a) VALUES (1, 'x')") !=
        digest_of_table("CREATE TABLE t(a); INSERT INTO t(rowid, a) VALUES (2, 'x')"));
  CHECK(digest_of_table("CREATE TABLE t(a, b); INSERT INTO t VALUES ('x', NULL)") !=
        digest_of_table("CREATE TABLE t(a, b); INSERT INTO t VALUES (NULL, 'x')"));
  CHECK(digest_of_table("CREATE TABLE t(a, b); INSERT INTO t VALUES ('x', 'y')") !=
        digest_of_table("CREATE TABLE t(b, a); INSERT INTO t VALUES ('x', 'y')"));
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a)");
  make_database(folder / "b.db", "CREATE TABLE t(a); CREATE INDEX i ON t(a)");
  CHECK(digests_of(folder / "a.db").front() != digests_of(folder / "b.db").front());
  CHECK(digests_of(folder / "a.db").back() == digests_of(folder / "b.db").back());
}

TEST_CASE("a virtual table is covered by its shadow tables, also where its module is not there") {
  const TempFolder folder;
  {
    SqliteDatabase database(folder / "a.db");
    database.execute("CREATE VIRTUAL TABLE notes USING fts5(body); INSERT INTO notes VALUES ('hello')");
    database.edit_schema(
        "INSERT INTO sqlite_schema VALUES ('table', 'alien', 'alien', 0, 'CREATE VIRTUAL TABLE alien USING "
        "no_such(a)')");
  }
  std::vector<std::string> names;
  for (const TableDigest& digest : digests_of(folder / "a.db")) names.push_back(digest.name);
  CHECK(names == std::vector<std::string>{"sqlite_schema", "notes_config", "notes_content", "notes_data",
                                          "notes_docsize", "notes_idx"});
}

TEST_CASE("rows are counted as SQLite counts them, in the order of names") {
  const TempFolder folder;
  make_database(folder / "a.db", every_kind);
  Session session(folder / "a.db");
  const std::vector<TableCount> expected = {
      {"aliases", 5}, {"computed", 2}, {"keyed", 4}, {"kinds", 11}, {"odd \"name\"", 0}};
  CHECK(count_rows(session) == expected);
}

TEST_CASE("damaged content is an integrity error, never a digest") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a); INSERT INTO t VALUES ('x')");
  overwrite_page(folder / "a.db", 4096, 2, random_bytes(4096));
  CHECK_THROWS_AS(digests_of(folder / "a.db"), nerve::IntegrityError);
}

TEST_CASE("every real database keeps its digests through VACUUM INTO") {
  const auto data = test_data("sqlite");
  if (!data) {
    MESSAGE("skipped: the real databases are not there");
    return;
  }
  const TempFolder folder;
  for (const auto& entry : std::filesystem::directory_iterator(*data)) {
    if (entry.path().extension() == ".md") continue;
    CAPTURE(entry.path());
    const auto copy = folder / "copy.db";
    const auto vacuumed = folder / "vacuumed.db";
    std::filesystem::remove(vacuumed);
    std::filesystem::copy_file(entry.path(), copy, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::permissions(copy,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    SqliteDatabase(copy).execute("VACUUM INTO '" + vacuumed.string() + "'");
    CHECK(digests_of(copy) == digests_of(vacuumed));
  }
}
