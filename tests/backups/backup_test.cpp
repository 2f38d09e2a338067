// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/backup.h"

#include "backups/child_process.h"
#include "backups/plain_copy.h"
#include "backups/scratch_database.h"
#include "support/temp_folder.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

namespace {

using nerve::backups::BackupOptions;
using nerve::backups::create_backup;
using nerve::backups::Manifest;
using nerve::backups::Repository;
using nerve::test::ChildProcess;
using nerve::test::content_of;
using nerve::test::integrity_of;
using nerve::test::make_database;
using nerve::test::plain_copy;
using nerve::test::PlainSqlite;
using nerve::test::run_sql_and_die;
using nerve::test::TempFolder;
using nerve::test::WithoutRights;

/// A folder for a database and a repository beside it.
struct BackupScene {
  Manifest back_up(const BackupOptions& options = plain_copy) const {
    return create_backup(database, repository, options, nerve::system_clock());
  }
  std::filesystem::path copy_of(const Manifest& manifest) const {
    return repository.folder_of(manifest.id) / "database.sqlite";
  }
  /// Whether the repository was left as if the backup had never been tried.
  bool is_repository_clean() const {
    if (!std::filesystem::exists(repository.path())) return true;
    std::size_t others = 0;
    for (const auto& entry : std::filesystem::directory_iterator(repository.path())) {
      if (entry.path().filename() != "nerve-repository.json") ++others;
    }
    return others == 0;
  }

  TempFolder folder;
  std::filesystem::path database = folder / "app.db";
  Repository repository = Repository::open_or_create(folder / "backups");
};

/// Commits a row every two milliseconds until it is killed.
void commit_500_times_a_second(const std::filesystem::path& path) {
  PlainSqlite database(path);
  database.run("PRAGMA synchronous=OFF");
  auto next = std::chrono::steady_clock::now();
  for (;;) {
    database.run("INSERT INTO events(user_id, body) VALUES (1, zeroblob(100))");
    next += std::chrono::milliseconds(2);
    std::this_thread::sleep_until(next);
  }
}

/// Leaves the journal of a transaction that was cut off after it had written into the database.
void leave_hot_journal(const std::filesystem::path& path) {
  run_sql_and_die(
      path,
      "PRAGMA journal_mode=DELETE; PRAGMA cache_size=5; BEGIN; UPDATE events SET body = zeroblob(200);");
}

}  // namespace

TEST_CASE("the copy holds what the database holds, and the manifest what SQLite says of it") {
  const BackupScene scene;
  std::string mode;
  SUBCASE("in WAL mode") {
    mode = "wal";
  }
  SUBCASE("in rollback mode") {
    mode = "delete";
  }
  make_database(scene.database, 500, mode);
  PlainSqlite(scene.database).run("PRAGMA user_version=7; PRAGMA application_id=77");
  const std::string content = content_of(scene.database);
  const Manifest manifest = scene.back_up();
  PlainSqlite copy(scene.copy_of(manifest), PlainSqlite::Access::immutable);
  CHECK(manifest.sqlite.page_count == copy.number("PRAGMA page_count"));
  CHECK(manifest.sqlite.page_size_bytes == 4096);
  CHECK(manifest.sqlite.user_version == 7);
  CHECK(manifest.sqlite.application_id == 77);
  CHECK(manifest.rows_total() == 1000);
  CHECK(manifest.source.path == scene.database);
  CHECK(manifest.source.journal_mode == (mode == "wal" ? "wal" : "rollback"));
  CHECK(content_of(scene.copy_of(manifest)) == content);
}

TEST_CASE("a backup leaves the database and its folder as they were") {
  const BackupScene scene;
  std::string mode;
  SUBCASE("in WAL mode") {
    mode = "wal";
  }
  SUBCASE("in rollback mode") {
    mode = "delete";
  }
  make_database(scene.database, 500, mode);
  struct stat before {};
  struct stat after {};
  REQUIRE(::stat(scene.database.c_str(), &before) == 0);
  scene.back_up();
  REQUIRE(::stat(scene.database.c_str(), &after) == 0);
  CHECK(before.st_mtim.tv_sec == after.st_mtim.tv_sec);
  CHECK(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
  CHECK(before.st_ino == after.st_ino);
  CHECK_FALSE(std::filesystem::exists(scene.folder / "app.db-wal"));
  CHECK_FALSE(std::filesystem::exists(scene.folder / "app.db-shm"));
}

TEST_CASE("transactions that are only in the -wal are in the backup") {
  const BackupScene scene;
  make_database(scene.database, 10, "wal");
  run_sql_and_die(
      scene.database,
      "PRAGMA wal_autocheckpoint=0; INSERT INTO users VALUES (1000, 'only-in-wal@example.org', 0)");
  REQUIRE(std::filesystem::file_size(scene.folder / "app.db-wal") > 0);
  PlainSqlite copy(scene.copy_of(scene.back_up()), PlainSqlite::Access::immutable);
  CHECK(copy.number("SELECT count(*) FROM users WHERE id = 1000") == 1);
}

TEST_CASE("a transaction that was cut off with its journal left behind is not in the backup") {
  const BackupScene scene;
  make_database(scene.database, 2000, "delete");
  const std::string content = content_of(scene.database);
  leave_hot_journal(scene.database);
  REQUIRE(std::filesystem::file_size(scene.folder / "app.db-journal") > 512);
  CHECK(content_of(scene.copy_of(scene.back_up())) == content);
}

TEST_CASE("while a writer commits 500 times a second, a backup ends in one pass and its copy is sound") {
  const BackupScene scene;
  make_database(scene.database, 40'000, "wal");
  const std::int64_t rows_before = PlainSqlite(scene.database).number("SELECT count(*) FROM events");
  const auto started = std::chrono::steady_clock::now();
  ChildProcess writer([&] { commit_500_times_a_second(scene.database); });
  const Manifest manifest = scene.back_up();
  const auto elapsed = std::chrono::steady_clock::now() - started;
  writer.kill_and_wait();
  const std::int64_t rows_after = PlainSqlite(scene.database).number("SELECT count(*) FROM events");
  const std::int64_t rows_copied = PlainSqlite(scene.copy_of(manifest), PlainSqlite::Access::immutable)
                                       .number("SELECT count(*) FROM events");
  MESSAGE("commits during the backup: ", rows_after - rows_before);
  CHECK(elapsed < std::chrono::seconds(60));
  CHECK(rows_after > rows_copied);
  CHECK(rows_copied >= rows_before);
  CHECK(integrity_of(scene.copy_of(manifest)) == "ok");
}

TEST_CASE("a database with a damaged page is refused, the damage named, and nothing kept") {
  const BackupScene scene;
  make_database(scene.database, 2000, "wal");
  const std::int64_t page =
      PlainSqlite(scene.database).number("SELECT rootpage FROM sqlite_schema WHERE name='events'");
  nerve::test::damage_page(scene.database, page);
  try {
    scene.back_up();
    FAIL("a damaged database was backed up");
  } catch (const nerve::IntegrityError& error) {
    CHECK(std::string(error.what()).find("events") != std::string::npos);
    CHECK_FALSE(error.hint().empty());
  }
  CHECK(scene.is_repository_clean());
}

TEST_CASE("an index that lacks rows, which quick_check does not see, is found in the copy") {
  const BackupScene scene;
  make_database(scene.database, 100, "delete");
  {
    // While the index is not in the schema, a row is added past it.
    PlainSqlite database(scene.database);
    database.run(
        "PRAGMA writable_schema=ON; CREATE TEMP TABLE kept AS SELECT * FROM sqlite_schema "
        "WHERE name='events_by_user'; DELETE FROM sqlite_schema WHERE name='events_by_user'; "
        "PRAGMA writable_schema=RESET; INSERT INTO events VALUES (5000, 1, x'00'); "
        "PRAGMA writable_schema=ON; INSERT INTO sqlite_schema SELECT * FROM kept;");
  }
  REQUIRE(PlainSqlite(scene.database).text("PRAGMA quick_check") == "ok");
  REQUIRE(integrity_of(scene.database) != "ok");
  CHECK_THROWS_AS(scene.back_up(), nerve::IntegrityError);
  CHECK_THROWS_AS(
      scene.back_up({.form = nerve::backups::Form::plain, .check = nerve::backups::SourceCheck::deep}),
      nerve::IntegrityError);
  CHECK(scene.is_repository_clean());
}

TEST_CASE("what is not a database is refused before a repository is made") {
  const BackupScene scene;
  std::ofstream(scene.folder / "letter.txt") << std::string(5000, 'x');
  const auto back_up = [&](const char* name) {
    create_backup(scene.folder / name, scene.repository, plain_copy, nerve::system_clock());
  };
  CHECK_THROWS_AS(back_up("missing.db"), nerve::NotFoundError);
  CHECK_THROWS_AS(back_up("letter.txt"), nerve::IntegrityError);
  CHECK_THROWS_AS(back_up("."), nerve::ValidationError);
  CHECK_FALSE(std::filesystem::exists(scene.repository.path()));
}

TEST_CASE("a file of zero bytes is backed up as the empty database it is") {
  const BackupScene scene;
  std::ofstream(scene.database).flush();
  const Manifest manifest = scene.back_up();
  CHECK(manifest.rows_total() == 0);
  CHECK(integrity_of(scene.copy_of(manifest)) == "ok");
  CHECK(std::filesystem::file_size(scene.database) == 0);
}

TEST_CASE("paths with spaces and the special characters of URIs are backed up") {
  BackupScene scene;
  scene.database = scene.folder / "a b?c#d%41&'.db";
  make_database(scene.database, 10, "wal");
  const Manifest manifest = scene.back_up();
  CHECK(manifest.source.path == scene.database);
  CHECK(manifest.rows_total() == 20);
}

TEST_CASE("a backup through a symbolic link is one of the database behind it") {
  const BackupScene scene;
  make_database(scene.database, 10, "wal");
  std::filesystem::create_symlink(scene.database, scene.folder / "link.db");
  const Manifest manifest =
      create_backup(scene.folder / "link.db", scene.repository, plain_copy, nerve::system_clock());
  CHECK(manifest.source.path == scene.database);
}

TEST_CASE("an interrupt ends a backup and leaves nothing of it") {
  const BackupScene scene;
  make_database(scene.database, 2000, "wal");
  {
    const nerve::InterruptGuard guard;
    std::raise(SIGINT);
    CHECK_THROWS_AS(scene.back_up(), nerve::CancelledError);
  }
  const nerve::InterruptGuard forgets_the_signal;
  CHECK(scene.is_repository_clean());
}

TEST_CASE("a writer that holds a rollback-mode database locked makes a backup unavailable, not wrong") {
  const BackupScene scene;
  make_database(scene.database, 10, "delete");
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const ChildProcess writer([&] {
    PlainSqlite database(scene.database);
    database.run("BEGIN EXCLUSIVE; DELETE FROM events");
    if (::write(ready[1], "x", 1) != 1) return;
    for (;;) ::pause();
  });
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  try {
    scene.back_up({.busy_timeout = std::chrono::milliseconds(50)});
    FAIL("a locked database was backed up");
  } catch (const nerve::ConnectionError& error) {
    CHECK(error.kind() == nerve::ErrorKind::unavailable);
    CHECK(error.hint().find(std::to_string(writer.pid())) != std::string::npos);
  }
  CHECK(scene.is_repository_clean());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("a repository that may not be written is refused with a hint to name another") {
  if (!WithoutRights::is_possible()) {
    MESSAGE("skipped: only root can lower its rights");
    return;
  }
  const BackupScene scene;
  make_database(scene.database, 10, "delete");
  std::filesystem::permissions(scene.folder.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(scene.database, std::filesystem::perms(0644));
  const WithoutRights without_rights;
  try {
    scene.back_up();
    FAIL("a backup was written without the right to");
  } catch (const nerve::DeniedError& error) {
    CHECK(error.hint().find("--repo") != std::string::npos);
  }
}
