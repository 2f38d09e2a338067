// SPDX-License-Identifier: Apache-2.0
// The findings of health that no damage causes: indexes, statistics, growth, the library and the file system.
// tests/cli/health.test.sh runs their fixes.
#include "backends/sqlite_database.h"
#include "sqlite/health_checks.h"
#include "sqlite/known_bugs.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"

#include "nerve/backends/postgresql/health.h"
#include "nerve/backends/sqlite/file_system.h"
#include "nerve/backends/sqlite/health.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>

using nerve::Timestamp;
using nerve::health::Check;
using nerve::health::Status;
using nerve::sqlite::check_health;
using nerve::sqlite::EarlierSize;
using nerve::sqlite::FileSystem;
using nerve::sqlite::HealthOptions;
using namespace nerve::test;

namespace {

Check check_one(const std::filesystem::path& path, std::string_view id, const HealthOptions& options = {}) {
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  const auto report = check_health(path, options);
  const auto found = std::ranges::find(report.checks, id, &Check::id);
  REQUIRE(found != report.checks.end());
  return *found;
}

std::vector<std::string_view> bugs_of(int version_number) {
  std::vector<std::string_view> names;
  for (const auto& bug : nerve::sqlite::find_known_bugs(version_number)) names.push_back(bug.name);
  return names;
}

using BugNames = std::vector<std::string_view>;

}  // namespace

TEST_CASE(
    "a foreign key is indexed by an index that begins with its columns in any order, and by the rowid") {
  const TempFolder folder;
  make_database(folder / "a.db",
                "CREATE TABLE p(a, b, id INTEGER PRIMARY KEY, UNIQUE (a, b));"
                "CREATE TABLE c1(x, y, FOREIGN KEY (x, y) REFERENCES p(a, b));"
                "CREATE INDEX c1_yx ON c1(Y, x, 1);"
                "CREATE TABLE c2(id INTEGER PRIMARY KEY REFERENCES p(id));"
                "CREATE TABLE c3(p PRIMARY KEY REFERENCES p(id)) WITHOUT ROWID;"
                "CREATE TABLE c4(p REFERENCES p(id)); CREATE INDEX c4_p ON c4(p) WHERE p IS NOT NULL;"
                "CREATE TABLE c5(p UNIQUE REFERENCES p(id))");
  const Check check = check_one(folder / "a.db", "sqlite.foreign_key_indexes");
  CHECK(check.message == "an index begins with the columns of each foreign key");
  CHECK(check.status == Status::ok);
}

TEST_CASE("a foreign key is not indexed by part of its columns, by a later column or by some of the rows") {
  const TempFolder folder;
  make_database(folder / "it's.db",
                "CREATE TABLE p(a, b, id INTEGER PRIMARY KEY, UNIQUE (a, b));"
                "CREATE TABLE half(x, y, FOREIGN KEY (x, y) REFERENCES p(a, b));"
                "CREATE INDEX half_x ON half(x);"
                "CREATE TABLE later(a, p REFERENCES p(id)); CREATE INDEX later_ap ON later(a, p);"
                "CREATE TABLE partial(p REFERENCES p(id), q REFERENCES p(id));"
                "CREATE INDEX partial_by_p ON partial(p) WHERE p > 5;"
                "CREATE TABLE \"odd \"\" name\"(\"a b\" TEXT PRIMARY KEY, c REFERENCES p(id), "
                "d REFERENCES p(id), FOREIGN KEY (c) REFERENCES p(id))");
  const Check check = check_one(folder / "it's.db", "sqlite.foreign_key_indexes");
  CHECK(check.status == Status::warning);
  CHECK(check.value == "6 without index");
  CHECK(check.message.find("half(x, y), later(p), ") != std::string::npos);
  // A name that is taken is not taken again.
  CHECK(check.fix.find("\"partial_by_p_2\" ON \"partial\"(\"p\")") != std::string::npos);
}

TEST_CASE("what makes statistics and indexes a warning is what optimize tells") {
  const TempFolder folder;
  SqliteDatabase database(folder / "a.db");
  database.execute(
      "CREATE TABLE t(a, b); CREATE INDEX t_a ON t(a); CREATE INDEX t_ab ON t(a, b);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) INSERT INTO t SELECT i, "
      "i "
      "FROM n");
  const Check statistics = check_one(folder / "a.db", "sqlite.statistics");
  CHECK(statistics.status == Status::warning);
  CHECK(statistics.fix == "nerve-db optimize --apply --db " + (folder / "a.db").string());
  const Check indexes = check_one(folder / "a.db", "sqlite.indexes");
  CHECK(indexes.status == Status::warning);
  CHECK(indexes.message == "every search by index t_a of table t can use index t_ab");
  database.execute("ANALYZE; DROP INDEX t_a");
  CHECK(check_one(folder / "a.db", "sqlite.statistics").status == Status::ok);
  CHECK(check_one(folder / "a.db", "sqlite.indexes").status == Status::ok);
}

TEST_CASE("growth is measured against the earlier size, and a first run is in order") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(3000000))");
  const std::uint64_t size_bytes = std::filesystem::file_size(folder / "a.db");
  const auto judge = [&](std::uint64_t earlier_bytes, double percent) {
    HealthOptions options;
    options.growth_max_percent = percent;
    options.earlier_size = [&] {
      return EarlierSize{earlier_bytes, Timestamp::parse("2026-05-01T08:00:00Z"), "the last run"};
    };
    return check_one(folder / "a.db", "sqlite.growth", options);
  };
  CHECK(check_one(folder / "a.db", "sqlite.growth").value == "first run");
  CHECK(judge(size_bytes, 50).status == Status::ok);
  CHECK(judge(size_bytes * 2, 50).status == Status::ok);
  CHECK(judge(size_bytes * 2, 50).value.find("(-50.0 %)") != std::string::npos);
  CHECK(judge(size_bytes / 2, 50).status == Status::warning);
  CHECK(judge(size_bytes / 2, 150).status == Status::ok);
  CHECK(judge(size_bytes - 1'000'000, 1).status == Status::ok);  // too little to be told
  CHECK(judge(0, 50).status == Status::warning);
  const Check check = judge(size_bytes / 2, 50);
  CHECK(*check.number == static_cast<double>(size_bytes) / 2);
  CHECK(check.unit == "bytes");
  CHECK(check.message.find("since the last run (2026-05-01 08:00:00Z)") != std::string::npos);
  HealthOptions broken;
  broken.earlier_size = []() -> std::optional<EarlierSize> {
    throw nerve::ValidationError("not a state file", "Move it away.");
  };
  CHECK(check_one(folder / "a.db", "sqlite.growth", broken).status == Status::unknown);
}

TEST_CASE("a network file system is a warning, and critical for WAL mode") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a)");
  const auto judge = [&](FileSystem::Kind kind) {
    HealthOptions options;
    options.file_system = [kind](const std::filesystem::path&) { return FileSystem{kind, "some"}; };
    return check_one(folder / "a.db", "sqlite.file_system", options).status;
  };
  CHECK(judge(FileSystem::Kind::local) == Status::ok);
  CHECK(judge(FileSystem::Kind::user_space) == Status::warning);
  CHECK(judge(FileSystem::Kind::network) == Status::warning);
  SqliteDatabase(folder / "a.db").execute("PRAGMA journal_mode=WAL");
  CHECK(judge(FileSystem::Kind::network) == Status::critical);
  CHECK(check_one(folder / "a.db", "sqlite.file_system").status == Status::ok);
}

TEST_CASE("file systems are told by the numbers of statfs(2), FUSE by the type of the mount") {
  using nerve::sqlite::classify_file_system;
  for (const std::uint64_t magic : {0x6969ULL, 0xFF534D42ULL, 0xFE534D42ULL, 0x01021997ULL, 0x00C36400ULL}) {
    CHECK(classify_file_system(magic, "").kind == FileSystem::Kind::network);
  }
  for (const std::uint64_t magic : {0xEF53ULL, 0x9123683EULL, 0x58465342ULL, 0x01021994ULL, 0x2FC12FC1ULL}) {
    CHECK(classify_file_system(magic, "").kind == FileSystem::Kind::local);
  }
  constexpr std::uint64_t fuse = 0x65735546;
  CHECK(classify_file_system(fuse, "fuse.sshfs").kind == FileSystem::Kind::network);
  CHECK(classify_file_system(fuse, "fuseblk").kind == FileSystem::Kind::local);
  CHECK(classify_file_system(fuse, "fuse.something").kind == FileSystem::Kind::user_space);
  CHECK(classify_file_system(fuse, "").kind == FileSystem::Kind::user_space);
  CHECK(nerve::sqlite::find_file_system("/proc").name == "proc");
}

TEST_CASE("each release has the bugs that its notes tell of") {
  CHECK(bugs_of(3'037'001) == BugNames{"savepoint rollback", "WAL reset", "upsert", "page cache"});
  CHECK(bugs_of(3'037'002) == BugNames{"WAL reset", "upsert", "page cache"});
  CHECK(bugs_of(3'040'001) == BugNames{"WAL reset", "upsert"});
  CHECK(bugs_of(3'044'005) == BugNames{"WAL reset", "upsert"});
  CHECK(bugs_of(3'044'006) == BugNames{"upsert"});
  CHECK(bugs_of(3'045'002) == BugNames{"WAL reset"});
  CHECK(bugs_of(3'047'001) == BugNames{"text to number", "WAL reset"});
  CHECK(bugs_of(3'050'006) == BugNames{"WAL reset"});
  CHECK(bugs_of(3'050'007).empty());
  CHECK(bugs_of(3'051'002) == BugNames{"WAL reset"});
  CHECK(bugs_of(3'051'003).empty());
  CHECK(bugs_of(3'053'004).empty());
}

TEST_CASE("a bug of low severity is told and is no warning; one of high severity is") {
  CHECK(nerve::sqlite::check_version(3'040'001, "3.40.1").status == Status::ok);
  CHECK(nerve::sqlite::check_version(3'040'001, "3.40.1").message.find("WAL reset (low severity)") !=
        std::string::npos);
  const Check severe = nerve::sqlite::check_version(3'047'001, "3.47.1");
  CHECK(severe.status == Status::warning);
  CHECK(severe.fix.starts_with("Install a newer SQLite"));
}

TEST_CASE("what is left out is neither made nor told, and others do not miss it") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a)");
  const auto ids = nerve::sqlite::health_check_ids();
  for (const std::string_view id : ids) {
    const auto report = check_health(folder / "a.db", {.is_deep = true, .skip = {std::string(id)}});
    CHECK(report.checks.size() == ids.size() - 1);
    CHECK(std::ranges::find(report.checks, id, &Check::id) == report.checks.end());
  }
}

TEST_CASE("a fix that needs a backup is what brings the database back") {
  const TempFolder folder;
  write_bytes(folder / "a.db", "");
  HealthOptions options;
  options.way_back = [] { return std::string("nerve-db restore 12345678 --db a.db"); };
  CHECK(check_one(folder / "a.db", "sqlite.file", options)
            .fix.ends_with(": nerve-db restore 12345678 --db a.db"));
}

TEST_CASE("the documentation lists each check") {
  const std::string documentation = bytes_of(std::filesystem::path(NERVE_SOURCE_DIR) / "docs/health.md");
  for (const auto& ids : {nerve::sqlite::health_check_ids(), nerve::postgresql::health_check_ids()}) {
    for (const std::string_view id : ids) {
      CAPTURE(id);
      CHECK(documentation.find("| `" + std::string(id) + "` |") != std::string::npos);
    }
  }
}
