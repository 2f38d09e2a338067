// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/health.h"

#include "backups/plain_copy.h"
#include "backups/scratch_database.h"
#include "support/temp_folder.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/restore.h"
#include "nerve/backups/verification.h"
#include "nerve/backups/verify.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace nerve::backups;
using nerve::ManualClock;
using nerve::Timestamp;
using nerve::health::Check;
using nerve::health::Report;
using nerve::health::Status;
using nerve::test::make_database;
using nerve::test::plain_copy;
using nerve::test::TempFolder;

namespace {

/// A database, a repository, and a clock that the test sets.
struct HealthScene {
  HealthScene() { make_database(folder / "app.db", 10, "wal"); }

  Manifest back_up() const { return create_backup(folder / "app.db", repository, plain_copy, clock); }
  std::vector<Check> check(const HealthOptions& options = {}) const {
    Report report;
    check_backups(folder / "app.db", repository.path(), options, clock, report);
    return report.checks;
  }

  TempFolder folder;
  Repository repository = Repository::open_or_create(folder / "backups");
  ManualClock clock{Timestamp::parse("2026-05-01T08:00:00Z")};
};

}  // namespace

TEST_CASE("a database without backup is one warning, whose fix makes one") {
  const HealthScene scene;
  const std::vector<Check> checks = scene.check({.names_repository = true});
  REQUIRE(checks.size() == 1);
  CHECK(checks[0].id == "backup.age");
  CHECK(checks[0].status == Status::warning);
  CHECK(checks[0].fix == "nerve-db backup --db " + (scene.folder / "app.db").string() + " --repo " +
                             scene.repository.path().string());
  CHECK(scene.check()[0].fix == "nerve-db backup --db " + (scene.folder / "app.db").string());
}

TEST_CASE("a backup of another database does not count") {
  const HealthScene scene;
  make_database(scene.folder / "other.db", 10, "wal");
  create_backup(scene.folder / "other.db", scene.repository, plain_copy, scene.clock);
  CHECK(scene.check()[0].value == "none");
}

TEST_CASE("age is measured from the newest backup that was asked for") {
  HealthScene scene;
  scene.back_up();
  scene.clock.advance(std::chrono::hours(36));
  CHECK(scene.check()[0].status == Status::ok);
  CHECK(*scene.check()[0].number == 36 * 3600);
  CHECK(scene.check()[0].unit == "seconds");
  scene.clock.advance(std::chrono::seconds(1));
  CHECK(scene.check()[0].status == Status::warning);
  CHECK(scene.check({.backup_age_max = std::chrono::hours(37)})[0].status == Status::ok);
  create_backup(scene.folder / "app.db", scene.repository,
                {.form = nerve::backups::Form::plain, .kind = Kind::safety}, scene.clock);
  CHECK(scene.check()[0].status == Status::warning);
  scene.back_up();
  CHECK(scene.check()[0].status == Status::ok);
  scene.clock.advance(std::chrono::hours(-100));  // set back: never a negative age
  CHECK(*scene.check()[0].number == 0);
}

TEST_CASE("a later backup that cannot be trusted is a warning until there is a newer good one") {
  HealthScene scene;
  scene.back_up();
  const Manifest damaged = scene.back_up();
  std::ofstream(scene.repository.folder_of(damaged.id) / "manifest.json") << "{}";
  CHECK(scene.check()[0].status == Status::warning);
  CHECK(scene.check()[0].message.find(damaged.id.to_string()) != std::string::npos);
  scene.back_up();
  CHECK(scene.check()[0].status == Status::ok);
}

TEST_CASE("a backup that was never proved is a warning, until one is, and when that is long ago") {
  HealthScene scene;
  const Manifest manifest = scene.back_up();
  REQUIRE(scene.check().size() == 2);
  CHECK(scene.check()[1].id == "backup.verified");
  CHECK(scene.check()[1].status == Status::warning);
  CHECK(scene.check()[1].value == "never");
  CHECK(scene.check()[1].fix ==
        "nerve-db backup verify latest --deep --db " + (scene.folder / "app.db").string());
  record_verification(scene.repository, manifest.id, Proof::deep, scene.clock);
  CHECK(scene.check()[1].status == Status::ok);
  scene.clock.advance(std::chrono::hours(720));
  scene.back_up();  // the proof of an older one counts
  CHECK(scene.check()[1].status == Status::ok);
  scene.clock.advance(std::chrono::seconds(1));
  CHECK(scene.check()[1].status == Status::warning);
  CHECK(scene.check({.skip = {"backup.verified"}}).size() == 1);
}

TEST_CASE("a restore notes that the backup was proved, and verification still finds nothing foreign") {
  const HealthScene scene;
  const Manifest manifest = scene.back_up();
  CHECK_FALSE(last_verification(scene.repository, manifest.id));
  const RestoreResult result = restore_backup(
      scene.repository, manifest, {scene.folder / "new.db", RestoreTarget::Mode::new_file}, {}, scene.clock);
  for (const std::string& note : result.notes) CHECK(note.find("could not be noted") == std::string::npos);
  const auto verification = last_verification(scene.repository, manifest.id);
  REQUIRE(verification);
  CHECK(verification->proof == Proof::restore);
  CHECK(verification->verified_at == scene.clock.now());
  CHECK(verify_backup(scene.repository, manifest, {.deep = true}).ok());
  struct stat status {};
  REQUIRE(::stat((scene.repository.folder_of(manifest.id) / "verified.json").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  for (const auto& entry : std::filesystem::directory_iterator(scene.repository.path())) {
    CHECK_FALSE(entry.path().filename().string().starts_with(".partial-"));
  }
}

TEST_CASE("a note that cannot be read, or is of another backup, proves nothing") {
  const HealthScene scene;
  const Manifest manifest = scene.back_up();
  const Manifest other = scene.back_up();
  record_verification(scene.repository, other.id, Proof::hashes, scene.clock);
  const auto note = scene.repository.folder_of(manifest.id) / "verified.json";
  std::filesystem::copy_file(scene.repository.folder_of(other.id) / "verified.json", note);
  CHECK_FALSE(last_verification(scene.repository, manifest.id));
  for (const char* text : {"", "{}", "[]", "{\"format\": 1}", "no JSON"}) {
    std::ofstream(note) << text;
    CAPTURE(text);
    CHECK_FALSE(last_verification(scene.repository, manifest.id));
  }
  CHECK(scene.check()[1].status == Status::ok);  // by the other one
}

TEST_CASE("a repository that cannot be looked into leaves both unknown") {
  const HealthScene scene;
  scene.back_up();
  std::ofstream(scene.repository.path() / "nerve-repository.json") << "{\"format\": 99}";
  const std::vector<Check> checks = scene.check();
  REQUIRE(checks.size() == 2);
  CHECK(checks[0].status == Status::unknown);
  CHECK(checks[1].status == Status::unknown);
  CHECK(checks[1].message.find("format 99") != std::string::npos);
}

TEST_CASE("where the database is damaged or gone no fix makes a backup of it") {
  HealthScene scene;
  scene.back_up();
  scene.clock.advance(std::chrono::hours(37));
  CHECK(scene.check()[0].fix.starts_with("nerve-db backup --db "));
  const std::string remedy = way_back(scene.folder / "app.db", scene.repository.path(), {});
  CHECK(remedy == "nerve-db restore latest --db " + (scene.folder / "app.db").string());
  CHECK(scene.check({.remedy = remedy})[0].fix == remedy);
}
