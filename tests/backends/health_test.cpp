// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/health.h"

#include "backends/sqlite_database.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "support/test_data.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>

using nerve::health::Check;
using nerve::health::Report;
using nerve::health::Status;
using nerve::sqlite::check_health;
using nerve::sqlite::HealthOptions;
using namespace nerve::test;

namespace {

using Ids = std::vector<std::string>;

Ids ids_of(const Report& report) {
  Ids ids;
  for (const Check& check : report.checks) ids.push_back(check.id);
  return ids;
}

const Check& find_check(const Report& report, const std::string& id) {
  const auto found = std::ranges::find(report.checks, id, &Check::id);
  REQUIRE(found != report.checks.end());
  return *found;
}

/// A database that is in order in every respect.
void make_sound(const std::filesystem::path& path,
                const std::string& script = "CREATE TABLE t(a); INSERT INTO t VALUES (1)") {
  make_database(path, script);
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
}

/// What names a file or a database in the folder, and the content of the database: all that health must leave
/// alone.
std::string state_of(const TempFolder& folder) {
  Ids names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    names.push_back(entry.path().filename());
  std::ranges::sort(names);
  std::string state;
  for (const std::string& name : names) {
    // Readers mark their place in the -shm; it holds no data.
    state += name + ":" + (name.ends_with("-shm") ? "" : bytes_of(folder / name)) + "\n";
  }
  return state;
}

}  // namespace

TEST_CASE("a sound database is ok in each check") {
  const TempFolder folder;
  make_sound(folder / "a.db");
  const Report report = check_health(folder / "a.db");
  CHECK(report.target == std::filesystem::canonical(folder / "a.db"));
  CHECK(ids_of(report) == Ids{"sqlite.file", "sqlite.permissions", "sqlite.file_system", "sqlite.free_disk",
                              "sqlite.growth", "sqlite.version", "sqlite.pages", "sqlite.open",
                              "sqlite.schema", "sqlite.integrity", "sqlite.free_list", "sqlite.statistics",
                              "sqlite.indexes", "sqlite.foreign_key_indexes", "sqlite.wal",
                              "sqlite.journal_mode"});
  for (const Check& check : report.checks) {
    CAPTURE(check.id);
    CAPTURE(check.message);
    CHECK(check.status == Status::ok);
    CHECK(check.fix.empty());
    CHECK_FALSE(check.value.empty());
    CHECK_FALSE(check.message.empty());
  }
}

TEST_CASE("foreign keys are checked, and listed, with deep alone") {
  const TempFolder folder;
  make_sound(
      folder / "a.db",
      "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(p REFERENCES p(id)); CREATE INDEX c_p ON c(p);"
      "INSERT INTO c VALUES (1), (2)");
  CHECK(check_health(folder / "a.db").status() == Status::ok);
  const Report deep = check_health(folder / "a.db", {.is_deep = true});
  const Check& check = find_check(deep, "sqlite.foreign_keys");
  CHECK(check.status == Status::warning);
  CHECK(check.value == "2 rows without parent");
  CHECK(check.message == "2 of c refer to missing rows of p");
}

TEST_CASE("zero bytes are a warning: an empty database") {
  const TempFolder folder;
  write_bytes(folder / "a.db", "");
  ::chmod((folder / "a.db").c_str(), 0600);
  const Report report = check_health(folder / "a.db");
  CHECK(report.status() == Status::warning);
  CHECK(find_check(report, "sqlite.file").status == Status::warning);
  CHECK(find_check(report, "sqlite.integrity").status == Status::ok);
  CHECK(std::filesystem::file_size(folder / "a.db") == 0);
}

TEST_CASE("what is not a readable database is critical, and what could not be checked then is unknown") {
  const TempFolder folder;
  write_bytes(folder / "text", "no database");
  write_bytes(folder / "cipher.db", random_bytes(8192));
  for (const auto& path : {folder / "none.db", folder.path(), folder / "text", folder / "cipher.db"}) {
    CAPTURE(path);
    const Report report = check_health(path, {.is_deep = true});
    CHECK(report.status() == Status::critical);
    CHECK(report.exit_code() == 2);
    for (const Check& check : report.checks) {
      CAPTURE(check.id);
      const bool is_judged = check.id == "sqlite.file" || check.id == "sqlite.version";
      CHECK((check.status == Status::unknown) == !is_judged);
      if (!is_judged) CHECK(check.message.starts_with("could not be checked: "));
    }
    CHECK(ids_of(report).size() == nerve::sqlite::health_check_ids().size());
    CHECK_FALSE(find_check(report, "sqlite.file").fix.empty());
  }
  CHECK(find_check(check_health(folder / "cipher.db"), "sqlite.file").message.find("may be encrypted") !=
        std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "none.db"));
}

TEST_CASE("a damaged page is critical and its table named, and the other checks are made all the same") {
  const auto chinook = test_data("sqlite/chinook.sqlite");
  if (!chinook) {
    MESSAGE("skipped: chinook is not there");
    return;
  }
  const TempFolder folder;
  write_bytes(folder / "a.db", bytes_of(*chinook));
  ::chmod((folder / "a.db").c_str(), 0600);
  CHECK(find_check(check_health(folder / "a.db", {.is_deep = true}), "sqlite.integrity").status ==
        Status::ok);
  overwrite_page(folder / "a.db", 4096, 50, random_bytes(4096));
  const Report report = check_health(folder / "a.db");
  CHECK(report.status() == Status::critical);
  const Check& check = find_check(report, "sqlite.integrity");
  CHECK(check.status == Status::critical);
  CHECK(check.message.find("table Track") != std::string::npos);
  CHECK(check.fix.find("nerve-db restore latest --db ") != std::string::npos);
  CHECK(find_check(report, "sqlite.schema").status == Status::ok);
  CHECK(find_check(report, "sqlite.pages").status == Status::ok);
}

TEST_CASE("a damaged schema is critical") {
  const TempFolder folder;
  make_sound(folder / "a.db");
  std::string bytes = bytes_of(folder / "a.db");
  std::fill(bytes.begin() + 100, bytes.begin() + 4096, '\xff');
  write_bytes(folder / "a.db", bytes);
  const Report report = check_health(folder / "a.db");
  CHECK(find_check(report, "sqlite.open").status == Status::ok);
  CHECK(find_check(report, "sqlite.schema").status == Status::critical);
  CHECK(find_check(report, "sqlite.integrity").status == Status::critical);
}

TEST_CASE("an index that lacks rows is found with deep, and REINDEX offered, not a restore") {
  const TempFolder folder;
  {
    SqliteDatabase database(folder / "a.db");
    database.execute(
        "CREATE TABLE t(a); INSERT INTO t VALUES (1), (5); CREATE INDEX t_a ON t(a) WHERE a > 3");
    database.edit_schema("UPDATE sqlite_schema SET sql = 'CREATE INDEX t_a ON t(a)' WHERE name = 't_a'");
  }
  CHECK(find_check(check_health(folder / "a.db"), "sqlite.integrity").status == Status::ok);
  const Report deep = check_health(folder / "a.db", {.is_deep = true});
  CHECK(find_check(deep, "sqlite.integrity").status == Status::critical);
  CHECK(find_check(deep, "sqlite.integrity").message.find("index t_a") != std::string::npos);
  CHECK(find_check(deep, "sqlite.integrity").fix.find("REINDEX") != std::string::npos);
}

TEST_CASE("a view that no longer fits is a warning; one that another program's function needs is not") {
  const TempFolder folder;
  make_sound(folder / "a.db", "CREATE TABLE t(a); CREATE VIEW theirs AS SELECT their_function(a) FROM t");
  CHECK(find_check(check_health(folder / "a.db"), "sqlite.schema").status == Status::ok);
  make_database(folder / "a.db", "CREATE VIEW broken AS SELECT gone FROM t");
  const Report report = check_health(folder / "a.db");
  const Check& check = find_check(report, "sqlite.schema");
  CHECK(check.status == Status::warning);
  CHECK(check.message.find("broken (no such column: gone)") != std::string::npos);
}

TEST_CASE("a file cut off is critical") {
  const TempFolder folder;
  make_sound(folder / "a.db", "CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(40000))");
  std::filesystem::resize_file(folder / "a.db", std::filesystem::file_size(folder / "a.db") - 4096);
  const Report report = check_health(folder / "a.db");
  const Check& check = find_check(report, "sqlite.pages");
  CHECK(check.status == Status::critical);
  CHECK(check.message == "the file is cut off: 4096 bytes are missing");
}

TEST_CASE("modes that let others in are told with the command that mends them") {
  const TempFolder folder;
  make_sound(folder / "it's.db");
  const auto judge = [&](mode_t file_mode, mode_t folder_mode) {
    REQUIRE(::chmod((folder / "it's.db").c_str(), file_mode) == 0);
    REQUIRE(::chmod(folder.path().c_str(), folder_mode) == 0);
    return find_check(check_health(folder / "it's.db"), "sqlite.permissions");
  };
  CHECK(judge(0600, 0700).status == Status::ok);
  CHECK(judge(0640, 0700).status == Status::warning);
  CHECK(judge(0604, 0700).status == Status::warning);
  CHECK(judge(0602, 0700).status == Status::critical);
  CHECK(judge(0600, 0777).status == Status::critical);
  CHECK(judge(0600, 0777).fix == "chmod o-w " + folder.path().string());
  CHECK(judge(0600, 01777).status == Status::ok);
  const Check check = judge(0644, 0700);
  CHECK(check.value == "0644 in folder 0700");
  REQUIRE(std::system(check.fix.c_str()) ==
          0);  // NOLINT(cert-env33-c): the fix is to work in a shell as it stands
  CHECK(find_check(check_health(folder / "it's.db"), "sqlite.permissions").status == Status::ok);
}

TEST_CASE("free pages, the -wal, free disk and the time to open are measured against their thresholds") {
  const TempFolder folder;
  SqliteDatabase database(folder / "a.db");
  database.execute("CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(3000000)); DELETE FROM t");
  const auto judge = [&](const std::string& id, const HealthOptions& options) {
    return find_check(check_health(folder / "a.db", options), id);
  };
  CHECK(judge("sqlite.free_list", {}).status == Status::warning);
  CHECK(judge("sqlite.free_list", {}).fix == "nerve-db optimize --apply --db " + (folder / "a.db").string());
  CHECK(judge("sqlite.free_list", {.free_list_max_percent = 99.9}).status == Status::ok);
  CHECK(judge("sqlite.free_list", {.free_list_ignored_bytes = 4'000'000}).status == Status::ok);
  CHECK(judge("sqlite.free_disk", {.free_disk_min_percent = 100.0}).status == Status::warning);
  CHECK(judge("sqlite.free_disk", {.free_disk_min_sizes = 1e12}).status == Status::warning);
  CHECK(judge("sqlite.open", {.open_ms_max = -1}).status == Status::warning);
  database.execute("PRAGMA journal_mode=WAL; INSERT INTO t VALUES (1)");
  CHECK(judge("sqlite.wal", {}).status == Status::ok);
  CHECK(judge("sqlite.wal", {.wal_bytes_max = 100}).status == Status::warning);
  CHECK(judge("sqlite.journal_mode", {}).value == "wal");
}

TEST_CASE("a lock that another process holds is a warning, not a bad database") {
  const TempFolder folder;
  make_sound(folder / "a.db");
  const OtherProcess other = keep_open(folder / "a.db", "BEGIN EXCLUSIVE");
  const Report report = check_health(folder / "a.db", {.busy_timeout_ms = 50});
  CHECK(find_check(report, "sqlite.open").status == Status::warning);
  CHECK(find_check(report, "sqlite.integrity").status == Status::unknown);
  CHECK(report.status() == Status::unknown);
}

TEST_CASE("a transaction that was cut off is a warning, and what it hides is unknown") {
  const TempFolder folder;
  make_sound(folder / "a.db",
             "CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(100000)), (zeroblob(100000))");
  OtherProcess writer =
      keep_open(folder / "a.db", "PRAGMA cache_size=2; BEGIN; UPDATE t SET a = randomblob(100000)");
  writer.kill();
  const Report report = check_health(folder / "a.db");
  CHECK(find_check(report, "sqlite.journal_mode").status == Status::warning);
  CHECK(find_check(report, "sqlite.open").status == Status::unknown);
  CHECK(find_check(report, "sqlite.integrity").status == Status::unknown);
  CHECK(report.status() == Status::unknown);
}

TEST_CASE("the journal of a transaction that is under way is in order") {
  const TempFolder folder;
  make_sound(folder / "a.db", "CREATE TABLE t(a); INSERT INTO t VALUES (1)");
  const OtherProcess writer = keep_open(folder / "a.db", "BEGIN; UPDATE t SET a = 2");
  const Report report = check_health(folder / "a.db");
  CHECK(find_check(report, "sqlite.journal_mode").status == Status::ok);
  CHECK(find_check(report, "sqlite.integrity").status == Status::ok);
}

TEST_CASE("health changes nothing and leaves nothing behind") {
  const TempFolder folder;
  const HealthOptions deep{.is_deep = true};
  SUBCASE("in rollback mode") {
    make_sound(folder / "a.db");
  }
  SUBCASE("in WAL mode, closed in good order") {
    make_sound(folder / "a.db", "PRAGMA journal_mode=WAL; CREATE TABLE t(a)");
  }
  SUBCASE("in WAL mode, with the -wal of a dead process") {
    OtherProcess writer = keep_open(folder / "a.db", "PRAGMA journal_mode=WAL; CREATE TABLE t(a)");
    writer.kill();
  }
  SUBCASE("with a transaction that was cut off") {
    make_sound(folder / "a.db", "CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(100000))");
    OtherProcess writer =
        keep_open(folder / "a.db", "PRAGMA cache_size=2; BEGIN; UPDATE t SET a = randomblob(100000)");
    writer.kill();
  }
  SUBCASE("damaged") {
    make_sound(folder / "a.db");
    overwrite_page(folder / "a.db", 4096, 2, random_bytes(4096));
  }
  const std::string before = state_of(folder);
  check_health(folder / "a.db", deep);
  CHECK(state_of(folder) == before);
}
