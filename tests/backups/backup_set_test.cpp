// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/backup_set.h"

#include "backups/hostile_hand.h"
#include "backups/scratch_database.h"
#include "support/effort.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"

#include "nerve/backups/latest_set.h"
#include "nerve/backups/restore.h"
#include "nerve/backups/retention.h"
#include "nerve/backups/verify.h"
#include "nerve/core/bytes.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::PlainSqlite;
using test::TempFolder;

namespace {

struct SetScene {
  explicit SetScene(const std::string& journal_mode = "wal") {
    test::make_database(core, 200, journal_mode);
    test::make_database(secure, 100, journal_mode);
  }
  std::vector<SetMember> members(BackupOptions options = {}) const {
    BackupOptions sealed = options;
    sealed.key = &key;
    return {{core, "core", options}, {secure, "secure", sealed}};
  }
  std::filesystem::path restored(const Manifest& manifest) {
    std::filesystem::path path = folder / fmt::format("restored-{}", ++restored_count);
    RestoreOptions options;
    options.key = &key;
    restore_backup(repository, manifest, {path, RestoreTarget::Mode::new_file}, options, clock);
    return path;
  }

  TempFolder folder;
  std::filesystem::path core = folder / "core.db";
  std::filesystem::path secure = folder / "secure.db";
  Repository repository = Repository::open_or_create(folder / "backups");
  ManualClock clock{Timestamp::parse("2026-05-01T00:00:00Z")};
  BackupKey key = test::key_of_file();
  int restored_count = 0;
};

/// Overwrites the first 16 bytes, by which a database is told.
void overwrite_header(const std::filesystem::path& database) {
  std::fstream file(database, std::ios::in | std::ios::out | std::ios::binary);
  file << "no SQLite at all";
}

/// The newest backup of a database, whatever its state.
Manifest newest_entry(const Repository& repository, const std::filesystem::path& database) {
  std::optional<Manifest> newest;
  for (const Entry& entry : repository.list()) {
    if (entry.manifest && entry.manifest->source.path == source_name(database)) newest = entry.manifest;
  }
  REQUIRE(newest);
  return *newest;
}

}  // namespace

TEST_CASE("a set holds each database as a backup of its own, under its own key") {
  SetScene scene;
  const std::vector<Manifest> first =
      create_backup_set(scene.members(), scene.repository, scene.clock).stored;
  REQUIRE(first.size() == 2);
  CHECK(first[0].set->id == first[1].set->id);
  CHECK(first[0].set->role == "core");
  CHECK(first[1].set->role == "secure");
  CHECK(first[1].set->roles == std::vector<std::string>{"core", "secure"});
  CHECK_FALSE(first[0].is_encrypted());
  CHECK(first[1].is_encrypted());
  CHECK(first[0].created_at == first[1].created_at);
  const std::vector<Manifest> second =
      create_backup_set(scene.members(), scene.repository, scene.clock).stored;
  CHECK(second[0].container->parent == first[0].id);
  CHECK(second[1].container->parent == first[1].id);
  const auto found = find_set(scene.repository, scene.repository.read(first[1].id));
  REQUIRE(found);
  CHECK(found->front().id == first[0].id);
  CHECK(found->back().id == first[1].id);
  CHECK(test::content_of(scene.restored(second[0])) == test::content_of(scene.core));
  CHECK(test::content_of(scene.restored(second[1])) == test::content_of(scene.secure));
  // With a member gone it is no set any more.
  std::filesystem::remove_all(scene.repository.folder_of(second[0].id));
  CHECK_FALSE(find_set(scene.repository, second[1]));
}

TEST_CASE("both databases are stored in the state of one moment, whatever is written to them") {
  for (const std::string mode : {"wal", "delete"}) {
    CAPTURE(mode);
    SetScene scene(mode);
    for (const auto& path : {scene.core, scene.secure}) {
      PlainSqlite(path).run("CREATE TABLE counter (value INTEGER); INSERT INTO counter VALUES (0)");
    }
    std::atomic<bool> is_done = false;
    // It adds to the first, and then to the second what it added to the first: at any moment the first is as
    // far as the second or one further.
    std::thread writer([&] {
      PlainSqlite core(scene.core);
      PlainSqlite secure(scene.secure);
      core.run("PRAGMA busy_timeout = 20000; PRAGMA synchronous = OFF");
      secure.run("PRAGMA busy_timeout = 20000; PRAGMA synchronous = OFF");
      while (!is_done) {
        core.run("UPDATE counter SET value = value + 1");
        secure.run("UPDATE counter SET value = value + 1");
      }
    });
    for (int round = 0; round < test::scaled(2, 10); ++round) {
      const std::vector<Manifest> set =
          create_backup_set(scene.members(), scene.repository, scene.clock).stored;
      const auto value_in = [&](const Manifest& manifest) {
        return PlainSqlite(scene.restored(manifest)).number("SELECT value FROM counter");
      };
      const std::int64_t ahead = value_in(set[0]) - value_in(set[1]);
      CHECK(ahead >= 0);
      CHECK(ahead <= 1);
    }
    is_done = true;
    writer.join();
  }
}

TEST_CASE("a writer of both databases that holds one and waits for the other is let pass") {
  SetScene scene("delete");
  PlainSqlite writer(scene.secure);
  writer.run(
      fmt::format("PRAGMA busy_timeout = 5000; ATTACH '{}' AS core; BEGIN IMMEDIATE", scene.core.string()));
  std::thread backup([&] { create_backup_set(scene.members(), scene.repository, scene.clock); });
  // BEGIN IMMEDIATE has both; while the backup waits, both are written and given back.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  writer.run("UPDATE core.users SET score = 1; UPDATE main.users SET score = 1; COMMIT");
  backup.join();
  CHECK(scene.repository.list().size() == 2);
}

TEST_CASE("a set whose databases are held beyond the timeout is not begun") {
  SetScene scene;
  PlainSqlite writer(scene.secure);
  writer.run("BEGIN IMMEDIATE");
  CHECK_THROWS_AS(create_backup_set(scene.members({.busy_timeout = std::chrono::milliseconds(100)}),
                                    scene.repository, scene.clock),
                  ConnectionError);
  CHECK(scene.repository.list().empty());
}

TEST_CASE("a damaged member is told, and the other one is stored all the same") {
  SetScene scene("delete");
  test::damage_page(scene.core, 3);
  const SetBackup made =
      create_backup_set(scene.members({.keep_damaged = true}), scene.repository, scene.clock);
  REQUIRE(made.stored.size() == 1);
  CHECK(made.stored.front().set->role == "secure");
  REQUIRE(made.failures.size() == 1);
  CHECK(made.failures.front().kind() == ErrorKind::integrity);
  CHECK(scene.repository.list().size() == 2);
  CHECK_FALSE(find_set(scene.repository, scene.repository.latest(scene.secure)));
}

TEST_CASE(
    "a member that is no database any more is told and kept, and the other one is stored all the same") {
  for (const bool was_backed_up : {false, true}) {
    CAPTURE(was_backed_up);
    SetScene scene;
    if (was_backed_up) create_backup_set(scene.members(), scene.repository, scene.clock);
    const std::size_t before = scene.repository.list().size();
    overwrite_header(scene.core);
    const SetBackup made =
        create_backup_set(scene.members({.keep_damaged = true}), scene.repository, scene.clock);
    REQUIRE(made.stored.size() == 1);
    CHECK(test::content_of(scene.restored(made.stored.front())) == test::content_of(scene.secure));
    REQUIRE(made.failures.size() == 1);
    CHECK(std::string(made.failures.front().what()).find("core.db is not an SQLite database") !=
          std::string::npos);
    CHECK((made.failures.front().hint().find("nerve-db restore") != std::string::npos) == was_backed_up);
    const Manifest kept = newest_entry(scene.repository, scene.core);
    CHECK(kept.state == State::damaged);
    CHECK(test::bytes_of(scene.repository.folder_of(kept.id) / kept.file.name) == test::bytes_of(scene.core));
    CHECK(scene.repository.list().size() == before + 2);
    create_backup_set(scene.members({.keep_damaged = true}), scene.repository, scene.clock);
    CHECK(scene.repository.list().size() == before + 3);
  }
}

TEST_CASE("an encrypted member that is no database any more is not kept in the clear") {
  SetScene scene;
  overwrite_header(scene.secure);
  const SetBackup made =
      create_backup_set(scene.members({.keep_damaged = true}), scene.repository, scene.clock);
  REQUIRE(made.stored.size() == 1);
  CHECK(test::content_of(scene.restored(made.stored.front())) == test::content_of(scene.core));
  CHECK(made.failures.size() == 1);
  CHECK(scene.repository.list().size() == 1);
}

TEST_CASE(
    "a member that is missing, or whose key is another one, does not keep the other from being stored") {
  SetScene scene;
  create_backup_set(scene.members(), scene.repository, scene.clock);
  std::vector<SetMember> members = scene.members();
  const BackupKey other = test::key_of_file(std::byte{2});
  ErrorKind expected = ErrorKind::denied;
  SUBCASE("another key") {
    members.back().options.key = &other;
  }
  SUBCASE("no file") {
    std::filesystem::remove(scene.secure);
    expected = ErrorKind::not_found;
  }
  const SetBackup made = create_backup_set(members, scene.repository, scene.clock);
  REQUIRE(made.stored.size() == 1);
  CHECK(made.stored.front().set->role == "core");
  REQUIRE(made.failures.size() == 1);
  CHECK(made.failures.front().kind() == expected);
  CHECK(scene.repository.list().size() == 3);
}

TEST_CASE("a database that has become another file is kept where it was backed up before") {
  SetScene scene;
  BackupOptions options;
  options.keep_damaged = true;
  overwrite_header(scene.core);
  CHECK_THROWS_AS(create_backup(scene.core, scene.repository, options, scene.clock), IntegrityError);
  CHECK(scene.repository.list().empty());
  create_backup(scene.secure, scene.repository, options, scene.clock);
  overwrite_header(scene.secure);
  for (int i = 0; i < 2; ++i) {
    CHECK_THROWS_AS(create_backup(scene.secure, scene.repository, options, scene.clock), DamagedSourceError);
    CHECK(scene.repository.list().size() == 2);
  }
  CHECK(newest_entry(scene.repository, scene.secure).state == State::damaged);
}

TEST_CASE("a plain copy is no member of a set") {
  SetScene scene;
  std::vector<SetMember> members = {{scene.core, "core", {.form = Form::plain}},
                                    {scene.secure, "secure", {}}};
  CHECK_THROWS_AS(create_backup_set(members, scene.repository, scene.clock), ValidationError);
}

TEST_CASE("a prune keeps sets whole") {
  SetScene scene;
  std::vector<Manifest> first = create_backup_set(scene.members(), scene.repository, scene.clock).stored;
  for (int i = 0; i < 3; ++i) {
    scene.clock.advance(std::chrono::hours(1));
    create_backup_set(scene.members(), scene.repository, scene.clock);
  }
  // The secure store has one more, so that each would keep others by itself.
  scene.clock.advance(std::chrono::hours(1));
  create_backup(scene.secure, scene.repository, scene.members().back().options, scene.clock);
  prune(scene.repository, {.policy = {.last = 2}, .key = &scene.key}, scene.clock);
  for (const Entry& entry : scene.repository.list()) {
    REQUIRE(entry.manifest);
    if (entry.manifest->set) CHECK(find_set(scene.repository, *entry.manifest));
  }
}

TEST_CASE("one keyring opens the backups of several keys") {
  SetScene scene;
  std::vector<SetMember> members = scene.members();
  const BackupKey other = test::key_of_file(std::byte{2});
  members.front().options.key = &other;
  const std::vector<Manifest> set = create_backup_set(members, scene.repository, scene.clock).stored;
  const std::vector<VerifyReport> of_one = verify_all(scene.repository, {.key = &scene.key});
  CHECK(std::ranges::count_if(of_one, &VerifyReport::ok) == 1);
  CHECK(std::ranges::count_if(of_one, [](const VerifyReport& one) {
          return !one.ok() &&
                 one.problems.front().find("authenticated with another key") != std::string::npos;
        }) == 1);
  BackupKey both = test::key_of_file();
  both.also_try(test::key_of_file(std::byte{2}));
  const std::vector<VerifyReport> reports = verify_all(scene.repository, {.key = &both});
  REQUIRE(reports.size() == 2);
  CHECK(reports[0].ok());
  CHECK(reports[1].ok());
}

TEST_CASE("the latest set is of the databases that stand there, not of others that were called so") {
  SetScene scene("delete");
  const std::vector<std::filesystem::path> databases = {scene.core, scene.secure};
  const Repository keyed = scene.repository.authenticated_by(scene.key);
  const auto latest = [&] { return latest_set(keyed, databases, std::nullopt)->members; };
  const std::vector<Manifest> first =
      create_backup_set(scene.members(), scene.repository, scene.clock).stored;
  std::filesystem::rename(scene.core, scene.folder / "aside.db");
  PlainSqlite(scene.core)
      .run(
          "CREATE TABLE invoices(id INTEGER PRIMARY KEY, text);"
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)"
          "INSERT INTO invoices SELECT i, printf('%0900d', 1001 * i) FROM n");
  scene.clock.advance(std::chrono::minutes(1));
  const std::vector<Manifest> second =
      create_backup_set(scene.members(), scene.repository, scene.clock).stored;
  REQUIRE(second[0].line != first[0].line);
  CHECK(latest()[0].id == second[0].id);
  std::filesystem::rename(scene.core, scene.folder / "other.db");
  std::filesystem::rename(scene.folder / "aside.db", scene.core);
  CHECK(latest()[0].id == first[0].id);
}

TEST_CASE("no set is the latest of a repository that was put back to an earlier state") {
  SetScene scene;
  const Repository witnessed = scene.repository.witnessed_in(scene.folder / "state");
  create_backup_set(scene.members(), witnessed, scene.clock);
  test::put_back(witnessed.path(), scene.folder / "kept");
  create_backup_set(scene.members(), witnessed, scene.clock);
  const Repository keyed = witnessed.authenticated_by(scene.key);
  CHECK(latest_set(keyed, {scene.core, scene.secure}, std::nullopt));
  test::put_back(scene.folder / "kept", witnessed.path());
  CHECK_THROWS_WITH_AS(latest_set(keyed, {scene.core, scene.secure}, std::nullopt),
                       doctest::Contains("an earlier state of the repository was put back"), IntegrityError);
}
