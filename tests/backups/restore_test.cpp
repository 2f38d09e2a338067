// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/restore.h"

#include "backups/child_process.h"
#include "backups/plain_copy.h"
#include "backups/scratch_database.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"

#include "nerve/backups/backup.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

namespace {

using namespace nerve::backups;
using nerve::test::bytes_of;
using nerve::test::content_of;
using nerve::test::IdleHolder;
using nerve::test::make_database;
using nerve::test::plain_copy;
using nerve::test::PlainSqlite;
using nerve::test::run_sql_and_die;
using nerve::test::TempFolder;
using nerve::test::WithoutRights;

/// A database, a backup of it, and what the database held then.
struct RestoreScene {
  explicit RestoreScene(const std::string& journal_mode = "wal", const std::string& name = "app.db")
      : database(folder / name) {
    make_database(database, 300, journal_mode);
    content = content_of(database);
    manifest = create_backup(database, repository, plain_copy, nerve::system_clock());
  }
  void change() const { PlainSqlite(database).run("DELETE FROM events; UPDATE users SET score = 0"); }
  RestoreResult restore(const RestoreOptions& options = {}) const {
    return restore_backup(repository, manifest, {database}, options, nerve::system_clock());
  }
  RestoreResult restore_to(const std::filesystem::path& path) const {
    return restore_backup(repository, manifest, {path, RestoreTarget::Mode::new_file}, {},
                          nerve::system_clock());
  }
  std::filesystem::path file_of(const BackupId& id, const std::string& name = "database.sqlite") const {
    return repository.folder_of(id) / name;
  }
  std::filesystem::path beside(const std::string& suffix) const { return database.string() + suffix; }
  bool is_alone() const {
    return !std::filesystem::exists(beside("-wal")) && !std::filesystem::exists(beside("-shm")) &&
           !std::filesystem::exists(beside("-journal"));
  }

  TempFolder folder;
  std::filesystem::path database;
  Repository repository = Repository::open_or_create(folder / "backups");
  std::string content;
  Manifest manifest;
};

/// Lets another process write to the database once the safety backup is copied: that is when its file is
/// hashed.
class WriterDuringRestore final : public nerve::ProgressSink {
 public:
  WriterDuringRestore(std::filesystem::path database, int writes_max)
      : database_(std::move(database)), writes_left_(writes_max) {}

  /// Hashing before this is that of the backup to restore.
  void begin() { is_begun_ = true; }

  void update(std::string_view phase, std::uint64_t done, std::uint64_t total) override {
    if (!is_begun_ || phase != "hashing" || done != total || writes_left_ == 0) return;
    --writes_left_;
    run_sql_and_die(database_, "INSERT INTO users(email) VALUES ('late' || random())");
  }

 private:
  std::filesystem::path database_;
  int writes_left_;
  bool is_begun_ = false;
};

}  // namespace

TEST_CASE("a restore brings the content back, and its safety backup holds what was there") {
  std::string mode;
  SUBCASE("in WAL mode") {
    mode = "wal";
  }
  SUBCASE("in rollback mode") {
    mode = "delete";
  }
  const RestoreScene scene(mode);
  scene.change();
  const std::string changed = content_of(scene.database);
  const RestoreResult result = scene.restore();
  CHECK(result.done);
  CHECK(result.notes.empty());
  CHECK(scene.is_alone());
  CHECK(PlainSqlite(scene.database).text("PRAGMA journal_mode") == mode);
  CHECK(content_of(scene.database) == scene.content);
  REQUIRE(result.safety.has_value());
  const Manifest safety = scene.repository.find(result.safety->to_string());
  CHECK(safety.kind == Kind::safety);
  CHECK(safety.state == State::good);
  CHECK(content_of(scene.file_of(safety.id)) == changed);
}

TEST_CASE(
    "restoring the latest backup twice brings the same content, not the safety backup of the first time") {
  RestoreScene scene;
  run_sql_and_die(scene.database, "DELETE FROM users");
  for (int round = 0; round < 2; ++round) {
    restore_backup(scene.repository, scene.repository.latest(scene.database), {scene.database}, {},
                   nerve::system_clock());
    CHECK(content_of(scene.database) == scene.content);
  }
  CHECK(scene.repository.latest(scene.database).id == scene.manifest.id);
}

TEST_CASE("a restore that is undone by restoring its safety backup brings the change back") {
  const RestoreScene scene;
  scene.change();
  const std::string changed = content_of(scene.database);
  const RestoreResult result = scene.restore();
  REQUIRE(result.safety.has_value());
  restore_backup(scene.repository, scene.repository.find(result.safety->short_text()), {scene.database}, {},
                 nerve::system_clock());
  CHECK(content_of(scene.database) == changed);
}

TEST_CASE("owner and mode of the replaced file are kept; a new file belongs to its owner alone") {
  const RestoreScene scene;
  std::filesystem::permissions(scene.database, std::filesystem::perms(0640));
  const bool is_root = ::geteuid() == 0;
  if (is_root) REQUIRE(::chown(scene.database.c_str(), 65534, 65534) == 0);
  scene.restore();
  struct stat status {};
  REQUIRE(::stat(scene.database.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0640);
  CHECK(status.st_uid == (is_root ? 65534 : ::geteuid()));
  scene.restore_to(scene.folder / "new.db");
  REQUIRE(::stat((scene.folder / "new.db").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0600);
}

TEST_CASE("a restore into a new file never replaces anything") {
  const RestoreScene scene;
  const auto target = scene.folder / "new.db";
  SUBCASE("a file") {
    std::ofstream(target) << "mine";
  }
  SUBCASE("a link to nowhere") {
    std::filesystem::create_symlink("/nowhere", target);
  }
  SUBCASE("a -wal of another database, which SQLite would read into it") {
    std::ofstream(target.string() + "-wal") << "x";
  }
  CHECK_THROWS_AS(scene.restore_to(target), nerve::ConflictError);
  CHECK((!std::filesystem::exists(target) || bytes_of(target) == "mine"));
}

TEST_CASE("a restore into a folder that is not there is refused") {
  const RestoreScene scene;
  CHECK_THROWS_AS(scene.restore_to(scene.folder / "none/new.db"), nerve::NotFoundError);
}

TEST_CASE("a restore is refused while another process has the database open, even an idle one") {
  std::string mode;
  SUBCASE("in WAL mode") {
    mode = "wal";
  }
  SUBCASE("in rollback mode, where an idle connection holds no lock") {
    mode = "delete";
  }
  const RestoreScene scene(mode);
  scene.change();
  const std::string changed = bytes_of(scene.database);
  {
    const IdleHolder holder(scene.database);
    try {
      scene.restore();
      FAIL("a database in use was replaced");
    } catch (const nerve::ConflictError& error) {
      CHECK(std::string(error.what()).find("(pid ") != std::string::npos);
      CHECK(error.hint().find("--to") != std::string::npos);
    }
    CHECK(bytes_of(scene.database) == changed);
    CHECK(scene.repository.list().size() == 1);
  }
  CHECK(scene.restore().done);
}

TEST_CASE("a process that opens the database after the plan was made is noticed before it is replaced") {
  const RestoreScene scene("delete");
  scene.change();
  const std::string changed = bytes_of(scene.database);
  std::optional<IdleHolder> holder;
  RestoreOptions options;
  options.confirm = [&](const RestorePlan&) {
    holder.emplace(scene.database);
    return true;
  };
  CHECK_THROWS_AS(scene.restore(options), nerve::ConflictError);
  CHECK(bytes_of(scene.database) == changed);
}

TEST_CASE(
    "what is written after the safety backup was made goes into another one before the database is "
    "replaced") {
  std::string mode;
  SUBCASE("in WAL mode") {
    mode = "wal";
  }
  SUBCASE("in rollback mode") {
    mode = "delete";
  }
  const RestoreScene scene(mode);
  const std::int64_t users = PlainSqlite(scene.database).number("SELECT count(*) FROM users");
  WriterDuringRestore writer(scene.database, 1);
  RestoreOptions options;
  options.confirm = [&](const RestorePlan&) {
    writer.begin();
    return true;
  };
  const RestoreResult result = restore_backup(scene.repository, scene.manifest, {scene.database}, options,
                                              nerve::system_clock(), &writer);
  CHECK(content_of(scene.database) == scene.content);
  CHECK(scene.repository.list().size() == 3);
  REQUIRE(result.safety.has_value());
  CHECK(PlainSqlite(scene.file_of(*result.safety)).number("SELECT count(*) FROM users") == users + 1);
}

TEST_CASE("a database that changes each time it is looked at is not replaced, and loses nothing") {
  const RestoreScene scene;
  const std::int64_t users = PlainSqlite(scene.database).number("SELECT count(*) FROM users");
  WriterDuringRestore writer(scene.database, 100);
  RestoreOptions options;
  options.confirm = [&](const RestorePlan&) {
    writer.begin();
    return true;
  };
  CHECK_THROWS_AS(restore_backup(scene.repository, scene.manifest, {scene.database}, options,
                                 nerve::system_clock(), &writer),
                  nerve::ConflictError);
  CHECK(PlainSqlite(scene.database).number("SELECT count(*) FROM users") == users + 3);
}

TEST_CASE("an interrupt before the change leaves the database as it was") {
  const RestoreScene scene;
  scene.change();
  const std::string changed = bytes_of(scene.database);
  {
    const nerve::InterruptGuard guard;
    RestoreOptions options;
    options.confirm = [](const RestorePlan&) {
      std::raise(SIGINT);
      return true;
    };
    CHECK_THROWS_AS(scene.restore(options), nerve::CancelledError);
  }
  const nerve::InterruptGuard forgets_the_signal;
  CHECK(bytes_of(scene.database) == changed);
  CHECK_FALSE(std::filesystem::exists(scene.folder / ".app.db.nerve-restore"));
}

TEST_CASE("a backup whose file was altered is not restored, and the database stays as it was") {
  const RestoreScene scene;
  scene.change();
  const std::string changed = bytes_of(scene.database);
  nerve::test::damage_page(scene.file_of(scene.manifest.id), 2);
  CHECK_THROWS_AS(scene.restore(), nerve::IntegrityError);
  CHECK(bytes_of(scene.database) == changed);
  CHECK(scene.repository.list().size() == 1);
}

TEST_CASE("a restore through a symbolic link replaces the file behind it and keeps the link") {
  const RestoreScene scene;
  scene.change();
  std::filesystem::create_symlink("app.db", scene.folder / "link.db");
  restore_backup(scene.repository, scene.manifest, {scene.folder / "link.db"}, {}, nerve::system_clock());
  CHECK(std::filesystem::is_symlink(scene.folder / "link.db"));
  CHECK(content_of(scene.database) == scene.content);
}

TEST_CASE("a link to a missing file is not followed into nowhere") {
  const RestoreScene scene;
  std::filesystem::create_symlink("missing.db", scene.folder / "link.db");
  CHECK_THROWS_AS(
      restore_backup(scene.repository, scene.manifest, {scene.folder / "link.db"}, {}, nerve::system_clock()),
      nerve::ConflictError);
}

TEST_CASE("a database that is missing or empty is restored without a safety backup") {
  const RestoreScene scene;
  std::filesystem::remove(scene.database);
  SUBCASE("missing") {}
  SUBCASE("empty") {
    std::ofstream(scene.database).flush();
  }
  const RestoreResult result = scene.restore();
  CHECK_FALSE(result.safety.has_value());
  CHECK(content_of(scene.database) == scene.content);
  CHECK(scene.repository.list().size() == 1);
}

TEST_CASE(
    "transactions that a dead process left in the -wal are kept in the safety backup and not in the result") {
  const RestoreScene scene;
  run_sql_and_die(
      scene.database,
      "PRAGMA wal_autocheckpoint=0; INSERT INTO users VALUES (1000, 'only-in-wal@example.org', 0)");
  REQUIRE(std::filesystem::file_size(scene.beside("-wal")) > 0);
  const RestoreResult result = scene.restore();
  CHECK(scene.is_alone());
  CHECK(content_of(scene.database) == scene.content);
  REQUIRE(result.safety.has_value());
  CHECK(PlainSqlite(scene.file_of(*result.safety)).number("SELECT count(*) FROM users WHERE id = 1000") == 1);
}

TEST_CASE(
    "the journal of a dead process is rolled back into the safety backup and does not touch the result") {
  const RestoreScene scene("delete");
  PlainSqlite(scene.database).run("UPDATE users SET score = 1");
  const std::string changed = content_of(scene.database);
  run_sql_and_die(scene.database, "PRAGMA cache_size=2; BEGIN; UPDATE events SET body = zeroblob(200);");
  REQUIRE(std::filesystem::file_size(scene.beside("-journal")) > 512);
  const RestoreResult result = scene.restore();
  CHECK(scene.is_alone());
  CHECK(content_of(scene.database) == scene.content);
  REQUIRE(result.safety.has_value());
  CHECK_FALSE(result.safety_is_damaged);
  CHECK(content_of(scene.file_of(*result.safety)) == changed);
  CHECK(scene.repository.list().size() == 2);
}

TEST_CASE("a damaged database is kept byte for byte, with its -wal, and is never latest") {
  const RestoreScene scene;
  run_sql_and_die(
      scene.database,
      "PRAGMA wal_autocheckpoint=0; INSERT INTO users VALUES (1000, 'only-in-wal@example.org', 0)");
  SUBCASE("a page inside") {
    nerve::test::damage_page(scene.database, 3);
  }
  SUBCASE("the first page, so that it is no database any more") {
    nerve::test::damage_page(scene.database, 1);
  }
  const std::string main_file = bytes_of(scene.database);
  const std::string wal = bytes_of(scene.beside("-wal"));
  const RestoreResult result = scene.restore();
  CHECK(content_of(scene.database) == scene.content);
  REQUIRE(result.safety.has_value());
  CHECK(result.safety_is_damaged);
  CHECK(bytes_of(scene.file_of(*result.safety)) == main_file);
  CHECK(bytes_of(scene.file_of(*result.safety, "database.sqlite-wal")) == wal);
  CHECK(scene.repository.latest().id == scene.manifest.id);
  CHECK_THROWS_AS(restore_backup(scene.repository, scene.repository.find(result.safety->to_string()),
                                 {scene.database}, {}, nerve::system_clock()),
                  nerve::IntegrityError);
}

TEST_CASE("a -wal whose main file is gone is kept before it is removed") {
  const RestoreScene scene;
  run_sql_and_die(scene.database, "PRAGMA wal_autocheckpoint=0; DELETE FROM events");
  std::filesystem::remove(scene.database);
  const std::string wal = bytes_of(scene.beside("-wal"));
  const RestoreResult result = scene.restore();
  REQUIRE(result.safety.has_value());
  CHECK(bytes_of(scene.file_of(*result.safety, "database.sqlite-wal")) == wal);
  CHECK(content_of(scene.database) == scene.content);
}

TEST_CASE("a dry run and a declined restore change nothing") {
  const RestoreScene scene;
  scene.change();
  const std::string changed = bytes_of(scene.database);
  RestoreOptions options;
  std::optional<RestorePlan> plan;
  SUBCASE("dry run") {
    options.dry_run = true;
    const RestoreResult result = scene.restore(options);
    CHECK_FALSE(result.done);
    plan = result.plan;
  }
  SUBCASE("declined") {
    options.confirm = [&](const RestorePlan& shown) {
      plan = shown;
      return false;
    };
    CHECK_THROWS_AS(scene.restore(options), nerve::CancelledError);
  }
  REQUIRE(plan.has_value());
  CHECK(plan->replaces);
  CHECK(plan->safety_backup);
  CHECK(plan->target == scene.database);
  CHECK(plan->restored_rows == 600);
  CHECK(bytes_of(scene.database) == changed);
  CHECK(scene.repository.list().size() == 1);
  CHECK_FALSE(std::filesystem::exists(scene.folder / ".app.db.nerve-restore"));
}

TEST_CASE("what a dead restore left beside the database is replaced, what a living one has is respected") {
  const RestoreScene scene;
  const auto staged = scene.folder / ".app.db.nerve-restore";
  std::ofstream(staged) << "half a database";
  const int living = ::open(staged.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(::flock(living, LOCK_EX) == 0);
  CHECK_THROWS_AS(scene.restore(), nerve::ConflictError);
  CHECK(bytes_of(staged) == "half a database");
  ::close(living);
  CHECK(scene.restore().done);
  CHECK_FALSE(std::filesystem::exists(staged));
}

TEST_CASE("a file that never was a database is not replaced by a slip of the path") {
  const RestoreScene scene;
  const auto letter = scene.folder / "letter.txt";
  std::ofstream(letter) << std::string(3000, 'x');
  CHECK_THROWS_AS(restore_backup(scene.repository, scene.manifest, {letter}, {}, nerve::system_clock()),
                  nerve::ConflictError);
  CHECK_THROWS_AS(
      restore_backup(scene.repository, scene.manifest, {scene.folder.path()}, {}, nerve::system_clock()),
      nerve::ValidationError);
  CHECK(bytes_of(letter) == std::string(3000, 'x'));
}

TEST_CASE("the file of a backup is no target of a restore") {
  const RestoreScene scene;
  const auto target = scene.file_of(scene.manifest.id);
  CHECK_THROWS_AS(restore_backup(scene.repository, scene.manifest, {target}, {}, nerve::system_clock()),
                  nerve::ConflictError);
  CHECK_THROWS_AS(scene.restore_to(scene.repository.path() / "new.db"), nerve::ConflictError);
}

TEST_CASE(
    "another database is only restored over where that is permitted, and the plan names whose backup it is") {
  const RestoreScene scene;
  const auto other = scene.folder / "other.db";
  make_database(other, 10, "wal");
  const std::string before = content_of(other);
  CHECK_THROWS_WITH_AS(restore_backup(scene.repository, scene.manifest, {other}, {}, nerve::system_clock()),
                       doctest::Contains(scene.database.c_str()), nerve::ConflictError);
  CHECK(content_of(other) == before);
  const RestoreResult plan =
      restore_backup(scene.repository, scene.manifest, {other}, {.dry_run = true, .may_replace_other = true},
                     nerve::system_clock());
  CHECK(plan.plan.other_database);
  CHECK(plan.plan.backup_source == source_name(scene.database));
  REQUIRE(plan.plan.notes.size() == 1);
  CHECK(plan.plan.notes.front().find("another database") != std::string::npos);
  restore_backup(scene.repository, scene.manifest, {other}, {.may_replace_other = true},
                 nerve::system_clock());
  CHECK(content_of(other) == scene.content);
}

TEST_CASE("a -wal whose database is gone counts as another database's content") {
  const RestoreScene scene;
  std::ofstream(scene.folder / "other.db-wal") << "something";
  CHECK_THROWS_AS(restore_backup(scene.repository, scene.manifest, {scene.folder / "other.db"}, {},
                                 nerve::system_clock()),
                  nerve::ConflictError);
  CHECK(bytes_of(scene.folder / "other.db-wal") == "something");
}

TEST_CASE("a restore waits for nobody who has open what is no database any more, and refuses") {
  const RestoreScene scene("delete");
  std::ofstream(scene.database) << "no database any more";
  const IdleHolder holder(scene.database);
  CHECK_THROWS_AS(scene.restore(), nerve::ConflictError);
  CHECK(bytes_of(scene.database) == "no database any more");
}

TEST_CASE("a path with spaces and the special characters of URIs is restored") {
  const RestoreScene scene("wal", "a b?c#d%41&'.db");
  scene.change();
  CHECK(scene.restore().done);
  CHECK(content_of(scene.database) == scene.content);
}

TEST_CASE("a restore where the folder may not be written is refused and changes nothing") {
  if (!WithoutRights::is_possible()) {
    MESSAGE("skipped: only root can lower its rights");
    return;
  }
  const RestoreScene scene("delete");
  REQUIRE(::chown(scene.database.c_str(), 65534, 65534) == 0);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(scene.repository.path())) {
    REQUIRE(::chown(entry.path().c_str(), 65534, 65534) == 0);
  }
  REQUIRE(::chown(scene.repository.path().c_str(), 65534, 65534) == 0);
  std::filesystem::permissions(scene.folder.path(), std::filesystem::perms(0755));
  const WithoutRights without_rights;
  CHECK_THROWS_AS(scene.restore(), nerve::DeniedError);
  CHECK_THROWS_AS(scene.restore_to(scene.folder / "new.db"), nerve::DeniedError);
}
