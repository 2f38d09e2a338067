// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/replication.h"

#include "backups/scratch_database.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/restore.h"
#include "nerve/backups/retention.h"
#include "nerve/backups/verify.h"
#include "nerve/core/bytes.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::bytes_of;
using test::PlainSqlite;
using test::TempFolder;

namespace {

struct ReplicationScene {
  explicit ReplicationScene(const BackupKey* the_key = nullptr) : key(the_key) {
    test::make_database(database, 300, "wal");
    // So that a full weighs more than some deltas.
    PlainSqlite(database).run("UPDATE events SET body = randomblob(190)");
  }

  Manifest back_up(Form form = Form::automatic) {
    clock.advance(std::chrono::minutes(1));
    PlainSqlite(database).run(fmt::format("UPDATE users SET score = score + 1 WHERE id = {}", ++changes));
    Manifest manifest = create_backup(database, repository, {.form = form, .key = key}, clock);
    states[manifest.id] = bytes_of(database);
    return manifest;
  }
  ReplicationReport replicate() { return replicate_backups(repository, second, database, key, clock); }
  /// Whether each backup of the second repository is sound and restores to what the database was.
  bool is_second_right() {
    for (const VerifyReport& report : verify_all(second, {.key = key})) {
      if (!report.ok()) return false;
    }
    for (const Entry& entry : second.list()) {
      const std::filesystem::path path = folder / fmt::format("restored-{}", ++restored_count);
      RestoreOptions options;
      options.key = key;
      restore_backup(second, *entry.manifest, {path, RestoreTarget::Mode::new_file}, options, clock);
      if (bytes_of(path) != states.at(entry.manifest->id)) return false;
    }
    return true;
  }

  TempFolder folder;
  std::filesystem::path database = folder / "app.db";
  Repository repository = Repository::open_or_create(folder / "first");
  Repository second = Repository::open_or_create(folder / "second");
  ManualClock clock{Timestamp::parse("2026-05-01T00:00:00Z")};
  const BackupKey* key;
  std::map<BackupId, std::string> states;
  int changes = 0;
  int restored_count = 0;
};

}  // namespace

TEST_CASE("a second repository gets each backup, and what it missed") {
  const BackupKey key = BackupKey::of_passphrase(Secret::copy_of(as_bytes("correct horse battery staple")));
  for (const BackupKey* const used : {static_cast<const BackupKey*>(nullptr), &key}) {
    CAPTURE(used != nullptr);
    ReplicationScene scene(used);
    scene.back_up();
    CHECK(scene.replicate().copied.size() == 1);
    scene.back_up();
    scene.back_up();
    if (used == nullptr) scene.back_up(Form::plain);
    scene.back_up();
    const std::size_t missing = used == nullptr ? 4 : 3;
    const ReplicationReport report = scene.replicate();
    CHECK(report.copied.size() == missing);
    CHECK(report.bytes > 0);
    CHECK(scene.replicate().copied.empty());
    CHECK(scene.second.catalogue_problems().empty());
    CHECK(scene.second.latest().id == scene.repository.latest().id);
    CHECK(scene.is_second_right());
  }
}

TEST_CASE("what was pruned in the second repository does not come back, and both forms go on") {
  ReplicationScene scene;
  for (int i = 0; i < 6; ++i) scene.back_up();
  scene.replicate();
  prune(scene.second, {.policy = {.last = 1}}, scene.clock);
  const std::size_t left = scene.second.list().size();
  CHECK(left == 2);
  scene.back_up();
  prune(scene.repository, {.policy = {.last = 1}}, scene.clock);
  CHECK(scene.replicate().copied.size() == 1);
  CHECK(scene.second.list().size() == left + 1);
  CHECK(scene.is_second_right());
  scene.back_up();
  scene.replicate();
  CHECK(scene.is_second_right());
}

TEST_CASE("a second repository that knows more than the first tells that an earlier state was put back") {
  ReplicationScene scene;
  scene.back_up();
  scene.replicate();
  std::filesystem::copy(scene.repository.path(), scene.folder / "earlier",
                        std::filesystem::copy_options::recursive);
  const Manifest lost = scene.back_up();
  scene.replicate();
  std::filesystem::remove_all(scene.repository.path());
  std::filesystem::rename(scene.folder / "earlier", scene.repository.path());
  CHECK(scene.repository.catalogue_problems().empty());
  scene.back_up();
  const ReplicationReport report = scene.replicate();
  CHECK(report.unknown_here == std::vector<BackupId>{lost.id});
  CHECK(report.copied.size() == 1);
}

TEST_CASE("a second repository that was there and is not is told, and not made anew") {
  ReplicationScene scene;
  scene.back_up();
  CHECK(open_second_repository(scene.repository, scene.folder / "third").path() == scene.folder / "third");
  scene.replicate();
  CHECK(open_second_repository(scene.repository, scene.second.path()).path() == scene.second.path());
  // As a mount point is when its disk is away.
  std::filesystem::remove_all(scene.second.path());
  std::filesystem::create_directory(scene.second.path());
  CHECK_THROWS_AS(open_second_repository(scene.repository, scene.second.path()), NotFoundError);
  CHECK(std::filesystem::is_empty(scene.second.path()));
}

TEST_CASE("one damaged backup does not keep later ones from the second repository") {
  ReplicationScene scene;
  const Manifest full = scene.back_up();
  scene.back_up();
  const Manifest sound = scene.back_up(Form::full);
  {
    std::fstream file(scene.repository.folder_of(full.id) / full.file.name,
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(full.file.size_bytes / 2));
    file.put('\x55');
    file.put('\x55');
  }
  CHECK_THROWS_AS(scene.replicate(), IntegrityError);
  REQUIRE(scene.second.list().size() == 1);
  CHECK(scene.second.latest().id == sound.id);
}

TEST_CASE("what is damaged is not copied, and nothing is left of it") {
  ReplicationScene scene;
  const Manifest full = scene.back_up();
  {
    std::fstream file(scene.repository.folder_of(full.id) / full.file.name,
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(full.file.size_bytes / 2));
    file.put('\x55');
    file.put('\x55');
  }
  CHECK_THROWS_AS(scene.replicate(), IntegrityError);
  CHECK(scene.second.list().empty());
  for (const auto& entry : std::filesystem::directory_iterator(scene.second.path())) {
    CHECK_FALSE(entry.path().filename().string().starts_with(".partial-"));
  }
}

TEST_CASE("a repository is not copied into itself, nor with the backups of other databases") {
  ReplicationScene scene;
  scene.back_up();
  CHECK_THROWS_AS(replicate_backups(scene.repository, scene.repository, scene.database, nullptr, scene.clock),
                  ConflictError);
  const std::filesystem::path other = scene.folder / "other.db";
  test::make_database(other, 10, "wal");
  create_backup(other, scene.repository, {}, scene.clock);
  CHECK(scene.replicate().copied.size() == 1);
}
