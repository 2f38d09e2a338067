// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/maintenance.h"

#include "backends/sqlite_database.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"

#include "nerve/backends/sqlite/content.h"
#include "nerve/backends/sqlite/inspection.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

using namespace nerve::sqlite;
using namespace nerve::test;

namespace {

std::string rows(int count) {
  return "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(count) +
         ")";
}

std::vector<Proposal> proposals_for(const std::filesystem::path& path,
                                    const MaintenanceOptions& options = {}) {
  Session session(path);
  return propose(session, options);
}

std::vector<Task> tasks_for(const std::filesystem::path& path, const MaintenanceOptions& options = {}) {
  std::vector<Task> tasks;
  for (const Proposal& proposal : proposals_for(path, options)) tasks.push_back(proposal.task);
  return tasks;
}

std::vector<Applied> apply_all(const std::filesystem::path& path, const MaintenanceOptions& options = {}) {
  Session session(path, {.mode = OpenMode::read_write, .busy_timeout_ms = 50});
  return nerve::sqlite::apply(session, propose(session, options));
}

void make_half_empty(const std::filesystem::path& path, const std::string& before = "") {
  make_database(path, before + "CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t " + rows(4000) +
                          "SELECT i, zeroblob(1000) FROM n; DELETE FROM t WHERE id > 1000");
}

using Tasks = std::vector<Task>;

}  // namespace

TEST_CASE("a database in order needs nothing") {
  const TempFolder folder;
  make_database(folder / "a.db",
                "CREATE TABLE t(a PRIMARY KEY); INSERT INTO t " + rows(1000) + "SELECT i FROM n; ANALYZE");
  CHECK(tasks_for(folder / "a.db", {.is_deep = true}).empty());
  write_bytes(folder / "empty.db", "");
  CHECK(tasks_for(folder / "empty.db").empty());
}

TEST_CASE("ANALYZE is proposed where a table with an index was never measured or has changed by a quarter") {
  const TempFolder folder;
  SqliteDatabase database(folder / "a.db");
  database.execute("CREATE TABLE t(a); INSERT INTO t " + rows(1000) + "SELECT i FROM n");
  CHECK(tasks_for(folder / "a.db").empty());  // no index: no plan to choose
  database.execute("CREATE INDEX t_a ON t(a)");
  CHECK(tasks_for(folder / "a.db") == Tasks{Task::analyze});
  const auto applied = apply_all(folder / "a.db");
  REQUIRE(applied.size() == 1);
  CHECK(applied[0].outcome == Outcome::done);
  CHECK(database.text("SELECT stat FROM sqlite_stat1") == "1000 1");
  CHECK(tasks_for(folder / "a.db").empty());
  database.execute("INSERT INTO t " + rows(240) + "SELECT i FROM n");
  CHECK(tasks_for(folder / "a.db").empty());
  database.execute("INSERT INTO t " + rows(20) + "SELECT i FROM n");
  CHECK(tasks_for(folder / "a.db") == Tasks{Task::analyze});
}

TEST_CASE("VACUUM is proposed for a file with many free pages, and makes it as small as it can be") {
  const TempFolder folder;
  make_half_empty(folder / "a.db");
  CHECK(tasks_for(folder / "a.db") == Tasks{Task::vacuum});
  CHECK(tasks_for(folder / "a.db", {.free_list_max_percent = 90}).empty());
  CHECK(tasks_for(folder / "a.db", {.free_list_ignored_bytes = 1'000'000'000}).empty());
  Session before(folder / "a.db");
  const auto digests = digest_content(before);
  const std::uint64_t gain_bytes = proposals_for(folder / "a.db")[0].gain_bytes;
  const auto applied = apply_all(folder / "a.db");
  REQUIRE(applied.size() == 1);
  CHECK(applied[0].outcome == Outcome::done);
  CHECK(applied[0].size_bytes_before - applied[0].size_bytes_after >= gain_bytes);
  CHECK(applied[0].size_bytes_after == std::filesystem::file_size(folder / "a.db"));
  CHECK(SqliteDatabase(folder / "a.db").integer("PRAGMA freelist_count") == 0);
  Session after(folder / "a.db");
  CHECK(digest_content(after) == digests);
}

TEST_CASE("VACUUM shrinks a file in WAL mode too") {
  const TempFolder folder;
  make_half_empty(folder / "a.db", "PRAGMA journal_mode=WAL;");
  const auto applied = apply_all(folder / "a.db");
  REQUIRE(applied.size() == 1);
  CHECK(applied[0].outcome == Outcome::done);
  CHECK(applied[0].size_bytes_after * 2 < applied[0].size_bytes_before);
}

TEST_CASE("a file prepared for it gets an incremental vacuum") {
  const TempFolder folder;
  make_half_empty(folder / "a.db", "PRAGMA auto_vacuum=INCREMENTAL;");
  CHECK(tasks_for(folder / "a.db") == Tasks{Task::incremental_vacuum});
  CHECK(apply_all(folder / "a.db")[0].outcome == Outcome::done);
  CHECK(SqliteDatabase(folder / "a.db").integer("PRAGMA freelist_count") == 0);
}

TEST_CASE("tables whose rowids VACUUM may change are named") {
  const TempFolder folder;
  make_half_empty(folder / "a.db", "CREATE TABLE keyless(a); CREATE TABLE indexed(a UNIQUE);");
  const std::string reason = proposals_for(folder / "a.db")[0].reason;
  CHECK(reason.find("keyless") != std::string::npos);
  CHECK(reason.find("indexed") == std::string::npos);
}

TEST_CASE("a large -wal is cut, unless a reader keeps it") {
  const TempFolder folder;
  SqliteDatabase writer(folder / "a.db");
  writer.execute(
      "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(id INTEGER PRIMARY KEY, a)");
  writer.execute("INSERT INTO t " + rows(500) + "SELECT i, zeroblob(1000) FROM n");
  const MaintenanceOptions options{.wal_bytes_max = 100'000};
  REQUIRE(tasks_for(folder / "a.db", options) == Tasks{Task::checkpoint});
  CHECK(tasks_for(folder / "a.db").empty());
  {
    SqliteDatabase reader(folder / "a.db");
    reader.execute("BEGIN; SELECT * FROM t");
    writer.execute("INSERT INTO t VALUES (-1, 0)");
    CHECK(apply_all(folder / "a.db", options)[0].outcome == Outcome::failed);
  }
  const auto applied = apply_all(folder / "a.db", options);
  CHECK(applied[0].outcome == Outcome::done);
  CHECK(std::filesystem::file_size(folder / "a.db-wal") == 0);
  CHECK(writer.integer("SELECT count(*) FROM t") == 501);
}

TEST_CASE("an index that does not hold what its table holds is rebuilt") {
  const TempFolder folder;
  {
    SqliteDatabase database(folder / "a.db");
    database.execute(
        "CREATE TABLE t(a); INSERT INTO t VALUES (1), (2), (5); CREATE INDEX t_a ON t(a) WHERE a > 3");
    database.edit_schema("UPDATE sqlite_schema SET sql = 'CREATE INDEX t_a ON t(a)' WHERE name = 't_a'");
  }
  CHECK(tasks_for(folder / "a.db").empty());
  CHECK(tasks_for(folder / "a.db", {.is_deep = true}) == Tasks{Task::reindex});
  CHECK(apply_all(folder / "a.db", {.is_deep = true})[0].outcome == Outcome::done);
  CHECK(SqliteDatabase(folder / "a.db").text("PRAGMA integrity_check") == "ok");
}

TEST_CASE("an index that another one makes superfluous is told and never dropped") {
  const TempFolder folder;
  make_database(folder / "a.db", R"(
    CREATE TABLE t(a, b, c, PRIMARY KEY(a, b));
    CREATE INDEX prefix_of_key ON t(a);
    CREATE INDEX other_order ON t(b, a);
    CREATE INDEX descending ON t(a DESC);
    CREATE INDEX nocase ON t(a COLLATE NOCASE);
    CREATE INDEX part ON t(a) WHERE b > 0;
    CREATE INDEX expression ON t(lower(a));
    CREATE UNIQUE INDEX a_rule ON t(b);
    CREATE INDEX twin_1 ON t(c);
    CREATE INDEX twin_2 ON t(c))");
  std::vector<std::string> told;
  for (const Proposal& proposal : proposals_for(folder / "a.db")) {
    CHECK(proposal.task == Task::redundant_index);
    told.push_back(proposal.statement);
  }
  CHECK(told == std::vector<std::string>{"DROP INDEX \"prefix_of_key\"", "DROP INDEX \"twin_2\""});
  for (const Applied& applied : apply_all(folder / "a.db")) {
    CHECK(applied.outcome == Outcome::skipped);
    CHECK_FALSE(applied.message.empty());
  }
  CHECK(SqliteDatabase(folder / "a.db").integer("SELECT count(*) FROM sqlite_schema WHERE type = 'index'") ==
        10);
}

TEST_CASE("nothing is done to a damaged database") {
  const TempFolder folder;
  make_half_empty(folder / "a.db");
  overwrite_page(folder / "a.db", 4096, 3, random_bytes(4096));
  const std::string before = bytes_of(folder / "a.db");
  const std::vector<Proposal> proposals = {{.task = Task::vacuum, .statement = "VACUUM"}};
  {
    Session session(folder / "a.db", {.mode = OpenMode::read_write});
    CHECK_THROWS_AS(nerve::sqlite::apply(session, proposals), nerve::IntegrityError);
    CHECK_THROWS_AS(propose(session, {.is_deep = true}), nerve::IntegrityError);
  }
  CHECK(bytes_of(folder / "a.db") == before);
}

TEST_CASE("a task that fails does not stop the next") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a); CREATE INDEX t_a ON t(a); INSERT INTO t VALUES (1)");
  const std::vector<Proposal> proposals = {{.task = Task::reindex, .statement = "REINDEX gone"},
                                           {.task = Task::analyze, .statement = "ANALYZE"}};
  Session session(folder / "a.db", {.mode = OpenMode::read_write});
  const auto applied = nerve::sqlite::apply(session, proposals);
  REQUIRE(applied.size() == 2);
  CHECK(applied[0].outcome == Outcome::failed);
  CHECK_FALSE(applied[0].message.empty());
  CHECK(applied[1].outcome == Outcome::done);
  CHECK(applied[1].to_json()["outcome"] == "done");
}
