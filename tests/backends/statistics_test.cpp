// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/statistics.h"

#include "backends/sqlite_database.h"
#include "support/temp_folder.h"
#include "support/test_data.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

using namespace nerve::sqlite;
using namespace nerve::test;

namespace {

Statistics statistics_of(const std::filesystem::path& path, OpenMode mode = OpenMode::read_only) {
  Session session(path, {.mode = mode});
  return collect_statistics(session);
}

}  // namespace

TEST_CASE("statistics are those that SQLite gives one by one") {
  const TempFolder folder;
  SqliteDatabase database(folder / "a.db");
  database.execute(R"(
    PRAGMA page_size=1024;
    CREATE TABLE big(id INTEGER PRIMARY KEY, body TEXT); CREATE INDEX big_body ON big(body);
    INSERT INTO big SELECT NULL, hex(zeroblob(200)) FROM json_each('[1,2,3,4,5,6,7,8,9,10]');
    CREATE TABLE small(a); CREATE VIEW seen AS SELECT * FROM small;
    CREATE TRIGGER grown AFTER INSERT ON small BEGIN SELECT 1; END;
    CREATE TABLE gone(a); INSERT INTO gone VALUES (zeroblob(9000)); DROP TABLE gone)");
  const Statistics statistics = statistics_of(folder / "a.db");
  CHECK(statistics.page_size_bytes == 1024);
  CHECK(statistics.page_count == database.integer("PRAGMA page_count"));
  CHECK(statistics.free_page_count == database.integer("PRAGMA freelist_count"));
  CHECK(statistics.size_bytes == std::filesystem::file_size(folder / "a.db"));
  CHECK(statistics.journal_mode == "delete");
  CHECK(statistics.encoding == "UTF-8");
  CHECK(statistics.view_count == 1);
  CHECK(statistics.trigger_count == 1);
  CHECK(statistics.rows() == 10);
  REQUIRE(statistics.tables.size() == 2);
  const TableStatistics& big = statistics.tables[0];
  CHECK(big.name == "big");
  CHECK(big.rows == 10);
  CHECK(big.size_bytes == database.integer("SELECT sum(pgsize) FROM dbstat WHERE name = 'big'"));
  CHECK(big.indexes_bytes() == database.integer("SELECT sum(pgsize) FROM dbstat WHERE name = 'big_body'"));
  CHECK(*big.average_row_bytes() ==
        doctest::Approx(
            static_cast<double>(database.integer("SELECT sum(payload) FROM dbstat WHERE name = 'big'")) /
            10.0));
  CHECK(statistics.tables[1].name == "small");
  CHECK_FALSE(statistics.tables[1].average_row_bytes());
}

TEST_CASE("every page of a real database is accounted for") {
  const auto data = test_data("sqlite");
  if (!data) {
    MESSAGE("skipped: the real databases are not there");
    return;
  }
  for (const auto& entry : std::filesystem::directory_iterator(*data)) {
    if (entry.path().extension() == ".md") continue;
    CAPTURE(entry.path());
    const Statistics statistics = statistics_of(entry.path(), OpenMode::immutable);
    // The pages of the schema belong to no table of the list.
    Session session(entry.path(), {.mode = OpenMode::immutable});
    auto accounted = static_cast<std::uint64_t>(
        session.integer("SELECT sum(pgsize) FROM dbstat WHERE name IN ('sqlite_schema', 'sqlite_master')"));
    accounted += static_cast<std::uint64_t>(statistics.free_page_count) * statistics.page_size_bytes;
    for (const TableStatistics& table : statistics.tables) {
      accounted += table.size_bytes.value_or(0) + table.indexes_bytes().value_or(0);
    }
    CHECK(accounted == std::filesystem::file_size(entry.path()));
  }
}

TEST_CASE("tables come in the order of their size with their indexes") {
  const TempFolder folder;
  make_database(folder / "a.db", R"(
    CREATE TABLE a(x); CREATE TABLE b(x); INSERT INTO b VALUES (zeroblob(20000));
    CREATE TABLE c(x); INSERT INTO c VALUES (zeroblob(15000)); CREATE INDEX c_x ON c(x))");
  const Statistics statistics = statistics_of(folder / "a.db");
  REQUIRE(statistics.tables.size() == 3);
  CHECK(statistics.tables[0].name == "c");
  CHECK(statistics.tables[1].name == "b");
  CHECK(statistics.tables[2].name == "a");
}

TEST_CASE("statistics as JSON have a field for each fact, null where it is unknown") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a)");
  const nerve::Json json = statistics_of(folder / "a.db").to_json();
  CHECK(json["page_count"] == 2);
  CHECK(json["tables"][0]["name"] == "t");
  CHECK(json["tables"][0]["kind"] == "table");
  CHECK(json["tables"][0]["average_row_bytes"].is_null());
}

TEST_CASE("damage that stands in the way is an integrity error") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a); INSERT INTO t VALUES (1)");
  overwrite_page(folder / "a.db", 4096, 2, random_bytes(4096));
  CHECK_THROWS_AS(statistics_of(folder / "a.db"), nerve::IntegrityError);
}
