// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/repository.h"

#include "backups/plain_copy.h"
#include "backups/scratch_database.h"
#include "support/temp_folder.h"

#include "nerve/backups/backup.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace {

using nerve::backups::create_backup;
using nerve::backups::Manifest;
using nerve::backups::Repository;
using nerve::test::make_database;
using nerve::test::plain_copy;
using nerve::test::TempFolder;

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

unsigned int mode_of(const std::filesystem::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777U;
}

Manifest back_up(const std::filesystem::path& database, const Repository& repository,
                 const nerve::Clock& clock) {
  return create_backup(database, repository, plain_copy, clock);
}

}  // namespace

TEST_CASE("a repository is made by its first backup, for its owner only") {
  const TempFolder folder;
  make_database(folder / "app.db", 10, "wal");
  const Repository repository = Repository::open_or_create(folder / "a/b/backups");
  CHECK_FALSE(std::filesystem::exists(folder / "a"));
  const ::mode_t umask_before = ::umask(0);
  const Manifest manifest = back_up(folder / "app.db", repository, nerve::system_clock());
  ::umask(umask_before);
  const auto backup = repository.folder_of(manifest.id);
  CHECK(mode_of(folder / "a/b/backups") == 0700);
  CHECK(mode_of(backup) == 0700);
  CHECK(mode_of(backup / "database.sqlite") == 0600);
  CHECK(mode_of(backup / "manifest.json") == 0600);
}

TEST_CASE("a folder that holds other files is not taken for a repository") {
  const TempFolder folder;
  write_text(folder / "letter.txt", "dear");
  CHECK_THROWS_AS(Repository::open_or_create(folder.path()), nerve::ConflictError);
  CHECK_THROWS_AS(Repository::open(folder.path()), nerve::NotFoundError);
  CHECK_THROWS_AS(Repository::open_or_create(folder / "letter.txt"), nerve::ConflictError);
  CHECK_FALSE(std::filesystem::exists(folder / "nerve-repository.json"));
}

TEST_CASE("a repository whose making was cut off is made again") {
  const TempFolder folder;
  make_database(folder / "app.db", 10, "wal");
  std::filesystem::create_directory(folder / "backups");
  write_text(folder / "backups/.nerve-repository.json.partial", "{\"form");
  const Repository repository = Repository::open_or_create(folder / "backups");
  const Manifest manifest = back_up(folder / "app.db", repository, nerve::system_clock());
  CHECK(Repository::open(folder / "backups").find(manifest.id.to_string()).id == manifest.id);
  CHECK_FALSE(std::filesystem::exists(folder / "backups/.nerve-repository.json.partial"));
}

TEST_CASE("a repository of a later format is refused as unsupported, one with a damaged marker as damaged") {
  const TempFolder folder;
  write_text(folder / "nerve-repository.json", "{\"format\": 2}\n");
  CHECK_THROWS_AS(Repository::open(folder.path()), nerve::UnsupportedError);
  CHECK_THROWS_AS(Repository::open_or_create(folder.path()), nerve::UnsupportedError);
  write_text(folder / "nerve-repository.json", "{\"for");
  CHECK_THROWS_AS(Repository::open(folder.path()), nerve::IntegrityError);
}

TEST_CASE("a backup is found by its id and by the end of it, in either case") {
  const TempFolder folder;
  make_database(folder / "app.db", 10, "wal");
  const Repository repository = Repository::open_or_create(folder / "backups");
  const Manifest manifest = back_up(folder / "app.db", repository, nerve::system_clock());
  std::string upper = manifest.id.short_text();
  for (char& character : upper) character = static_cast<char>(std::toupper(character));
  CHECK(repository.find(manifest.id.to_string()).id == manifest.id);
  CHECK(repository.find(manifest.id.short_text()).id == manifest.id);
  CHECK(repository.find(upper).id == manifest.id);
  CHECK_THROWS_AS(repository.find("00000000"), nerve::NotFoundError);
  CHECK_THROWS_AS(repository.find(manifest.id.short_text().substr(1)), nerve::ValidationError);
  CHECK_THROWS_AS(repository.find("../../../etc"), nerve::ValidationError);
}

TEST_CASE("an ending that two backups share is a conflict") {
  const TempFolder folder;
  make_database(folder / "app.db", 10, "wal");
  const Repository repository = Repository::open_or_create(folder / "backups");
  const Manifest manifest = back_up(folder / "app.db", repository, nerve::system_clock());
  std::string twin = manifest.id.to_string();
  twin[0] = twin[0] == '0' ? '1' : '0';
  std::filesystem::copy(repository.folder_of(manifest.id), repository.path() / twin);
  CHECK_THROWS_AS(repository.find(manifest.id.short_text()), nerve::ConflictError);
  // The twin's manifest belongs to another id.
  CHECK_THROWS_AS(repository.find(twin), nerve::IntegrityError);
}

TEST_CASE("latest is the newest good backup of the database that is meant") {
  const TempFolder folder;
  make_database(folder / "one.db", 10, "wal");
  make_database(folder / "two.db", 10, "delete");
  const Repository repository = Repository::open_or_create(folder / "backups");
  CHECK_THROWS_AS(repository.latest(), nerve::NotFoundError);
  nerve::ManualClock clock(nerve::Timestamp::parse("2026-01-01T00:00:00Z"));
  back_up(folder / "one.db", repository, clock);
  clock.advance(std::chrono::hours(1));
  const Manifest newer = back_up(folder / "one.db", repository, clock);
  CHECK(repository.latest().id == newer.id);
  const Manifest other = back_up(folder / "two.db", repository, clock);
  CHECK_THROWS_AS(repository.latest(), nerve::ConflictError);
  CHECK(repository.latest(folder / "one.db").id == newer.id);
  CHECK(repository.latest(folder / "two.db").id == other.id);
  CHECK_THROWS_AS(repository.latest(folder / "three.db"), nerve::NotFoundError);
  // A link names the database that it leads to, and a database keeps its name when the file is gone.
  std::filesystem::create_symlink(folder / "one.db", folder / "link.db");
  CHECK(repository.latest(folder / "link.db").id == newer.id);
  std::filesystem::remove(folder / "two.db");
  CHECK(repository.latest(folder / "two.db").id == other.id);
}

TEST_CASE("a backup with a damaged manifest is listed with its problem, and latest does not pass over it") {
  const TempFolder folder;
  make_database(folder / "app.db", 10, "wal");
  const Repository repository = Repository::open_or_create(folder / "backups");
  nerve::ManualClock clock(nerve::Timestamp::parse("2026-01-01T00:00:00Z"));
  const Manifest older = back_up(folder / "app.db", repository, clock);
  clock.advance(std::chrono::hours(1));
  const Manifest newer = back_up(folder / "app.db", repository, clock);
  write_text(repository.folder_of(newer.id) / "manifest.json", "{}");
  const auto entries = repository.list();
  REQUIRE(entries.size() == 2);
  CHECK(entries.at(0).manifest.has_value());
  CHECK_FALSE(entries.at(1).manifest.has_value());
  CHECK(entries.at(1).name == newer.id.to_string());
  CHECK(entries.at(1).problem.find("manifest.json") != std::string::npos);
  CHECK_THROWS_WITH_AS(repository.latest(), doctest::Contains(newer.id.to_string().c_str()),
                       nerve::IntegrityError);
  CHECK_THROWS_AS(repository.find(newer.id.short_text()), nerve::IntegrityError);
  CHECK(repository.find(older.id.short_text()).id == older.id);
}

TEST_CASE("a damaged backup that is older than the newest good one does not stand in its way") {
  const TempFolder folder;
  make_database(folder / "app.db", 10, "wal");
  const Repository repository = Repository::open_or_create(folder / "backups");
  const Manifest older = back_up(folder / "app.db", repository, nerve::system_clock());
  const Manifest newer = back_up(folder / "app.db", repository, nerve::system_clock());
  write_text(repository.folder_of(older.id) / "manifest.json", "{}");
  CHECK(repository.latest().id == newer.id);
}

TEST_CASE(
    "a backup whose file is missing or cut is listed with its problem, and latest does not pass over it") {
  const TempFolder folder;
  make_database(folder / "app.db", 10, "wal");
  const Repository repository = Repository::open_or_create(folder / "backups");
  const Manifest manifest = back_up(folder / "app.db", repository, nerve::system_clock());
  const auto file = repository.folder_of(manifest.id) / manifest.file.name;
  SUBCASE("cut") {
    std::filesystem::resize_file(file, 1000);
  }
  SUBCASE("missing") {
    std::filesystem::remove(file);
  }
  REQUIRE(repository.list().size() == 1);
  CHECK(repository.list().front().problem.find(manifest.file.name) != std::string::npos);
  CHECK_THROWS_AS(repository.latest(), nerve::IntegrityError);
}

TEST_CASE("what a dead backup left is removed by the next one, what a living one has is not") {
  const TempFolder folder;
  make_database(folder / "app.db", 10, "wal");
  const Repository repository = Repository::open_or_create(folder / "backups");
  back_up(folder / "app.db", repository, nerve::system_clock());
  const auto left_over = repository.path() / ".partial-01890a5d-ac96-774b-bcce-b302099a8057";
  std::filesystem::create_directory(left_over);
  write_text(left_over / "database.sqlite", "half");
  // flock() of another open file stands for another process: the lock belongs to the file's opening.
  const int living = ::open((repository.path() / "nerve-repository.json").c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(::flock(living, LOCK_SH) == 0);
  back_up(folder / "app.db", repository, nerve::system_clock());
  CHECK(std::filesystem::exists(left_over / "database.sqlite"));
  ::close(living);
  back_up(folder / "app.db", repository, nerve::system_clock());
  CHECK_FALSE(std::filesystem::exists(left_over));
  CHECK(repository.list().size() == 3);
}

TEST_CASE(
    "a backup without rows is marked where an earlier one of the same database holds some, and not latest") {
  const TempFolder folder;
  make_database(folder / "app.db", 10, "wal");
  make_database(folder / "other.db", 10, "wal");
  write_text(folder / "new.db", "");
  const Repository repository = Repository::open_or_create(folder / "backups");
  nerve::ManualClock clock(nerve::Timestamp::parse("2026-01-01T00:00:00Z"));
  const Manifest full = back_up(folder / "app.db", repository, clock);
  CHECK_FALSE(full.is_emptied);
  CHECK_FALSE(back_up(folder / "new.db", repository, clock).is_emptied);
  for (const char* const suffix : {"", "-wal", "-shm"}) {
    std::filesystem::remove((folder / "app.db").string() + suffix);
  }
  write_text(folder / "app.db", "");
  clock.advance(std::chrono::hours(1));
  const Manifest emptied = back_up(folder / "app.db", repository, clock);
  CHECK(emptied.is_emptied);
  CHECK(repository.find(emptied.id.to_string()).is_emptied);
  CHECK(repository.latest(folder / "app.db").id == full.id);
  CHECK(repository.newest_of(folder / "app.db")->id == full.id);
  // When the one with rows is gone, what is left by chance is still not what anybody means.
  std::filesystem::remove_all(repository.folder_of(full.id));
  CHECK_THROWS_AS(repository.latest(folder / "app.db"), nerve::IntegrityError);
  CHECK(Repository::repair(repository.path()).forgotten == std::vector<std::string>{full.id.to_string()});
  CHECK_THROWS_WITH_AS(repository.latest(folder / "app.db"), doctest::Contains("lost all its rows"),
                       nerve::NotFoundError);
}

TEST_CASE("a repair writes a damaged marker in place, because its file is the lock of whoever has it open") {
  const TempFolder folder;
  make_database(folder / "app.db", 10, "wal");
  const auto path = folder / "backups";
  back_up(folder / "app.db", Repository::open_or_create(path), nerve::system_clock());
  struct stat before {};
  REQUIRE(::stat((path / "nerve-repository.json").c_str(), &before) == 0);
  write_text(path / "nerve-repository.json", "{\"for");
  CHECK(Repository::repair(path).made_marker);
  CHECK_FALSE(Repository::repair(path).made_marker);
  struct stat after {};
  REQUIRE(::stat((path / "nerve-repository.json").c_str(), &after) == 0);
  CHECK(after.st_ino == before.st_ino);
  CHECK(Repository::open(path).list().size() == 1);
}
