// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/consolidation.h"

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

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

using namespace nerve;
using namespace nerve::backups;
using test::bytes_of;
using test::PlainSqlite;
using test::TempFolder;

namespace {

struct ConsolidationScene {
  explicit ConsolidationScene(const BackupKey* the_key = nullptr) : key(the_key) {
    test::make_database(database, 400, "wal", 1000);
    // So that a full weighs more than some deltas.
    PlainSqlite(database).run("UPDATE events SET body = randomblob(900)");
  }

  Manifest back_up() {
    clock.advance(std::chrono::minutes(1));
    PlainSqlite(database).run(
        fmt::format("UPDATE events SET body = randomblob(900) WHERE id % 137 = {}; "
                    "DELETE FROM events WHERE id = {}; PRAGMA wal_checkpoint(TRUNCATE)",
                    changes, 100 + changes));
    ++changes;
    return create_backup(database, repository, {.key = key}, clock);
  }
  Manifest consolidate(const Manifest& delta) {
    clock.advance(std::chrono::minutes(1));
    return consolidate_backup(repository, delta, key, clock);
  }
  std::string restored(const Manifest& manifest) {
    const std::filesystem::path path = folder / fmt::format("restored-{}", ++restored_count);
    RestoreOptions options;
    options.key = key;
    restore_backup(repository, manifest, {path, RestoreTarget::Mode::new_file}, options, clock);
    return bytes_of(path);
  }

  TempFolder folder;
  std::filesystem::path database = folder / "app.db";
  Repository repository = Repository::open_or_create(folder / "backups");
  ManualClock clock{Timestamp::parse("2026-05-01T00:00:00Z")};
  const BackupKey* key;
  int changes = 0;
  int restored_count = 0;
};

}  // namespace

TEST_CASE("a delta becomes a full of the same state, on which the next one builds") {
  const BackupKey key = BackupKey::of_passphrase(Secret::copy_of(as_bytes("correct horse battery staple")));
  for (const BackupKey* const used : {static_cast<const BackupKey*>(nullptr), &key}) {
    CAPTURE(used != nullptr);
    ConsolidationScene scene(used);
    scene.back_up();
    for (int i = 0; i < 4; ++i) scene.back_up();
    const Manifest delta = scene.back_up();
    REQUIRE(delta.container->parent);
    const std::string state = scene.restored(delta);
    const Manifest full = scene.consolidate(delta);
    CHECK_FALSE(full.container->parent);
    CHECK(full.container->generation == full.id);
    CHECK(full.container->consolidated_from == delta.id);
    CHECK(full.container->stored_pages == full.sqlite.page_count);
    CHECK(full.is_encrypted() == (used != nullptr));
    CHECK(full.created_at == delta.created_at);
    CHECK(full.sequence == delta.sequence);
    CHECK(scene.repository.read(full.id).container->consolidated_from == delta.id);
    CHECK(scene.restored(full) == state);
    CHECK(verify_backup(scene.repository, full, {.key = used}).ok());
    CHECK(scene.repository.latest().id == full.id);
    CHECK(scene.back_up().container->parent == full.id);
    // The old generation is not needed any more.
    prune(scene.repository, {.policy = {.last = 1}, .key = used}, scene.clock);
    CHECK(scene.repository.list().size() == 2);
    CHECK(scene.repository.catalogue_problems().empty());
    CHECK(scene.restored(scene.repository.latest()) == bytes_of(scene.database));
  }
}

TEST_CASE("an older delta that is consolidated does not become latest") {
  ConsolidationScene scene;
  scene.back_up();
  const Manifest older = scene.back_up();
  const std::string state = scene.restored(older);
  const Manifest newest = scene.back_up();
  const Manifest full = scene.consolidate(older);
  CHECK(scene.repository.latest().id == newest.id);
  CHECK(scene.repository.at(older.created_at).id == full.id);
  CHECK(scene.restored(full) == state);
  CHECK(scene.back_up().container->parent == newest.id);
}

TEST_CASE("what is no delta is not consolidated, nor is one whose chain is damaged") {
  ConsolidationScene scene;
  const Manifest full = scene.back_up();
  CHECK_THROWS_AS(scene.consolidate(full), ConflictError);
  const Manifest plain = create_backup(scene.database, scene.repository, {.form = Form::plain}, scene.clock);
  CHECK_THROWS_AS(scene.consolidate(plain), ConflictError);
  const Manifest delta = scene.back_up();
  const std::size_t before = scene.repository.list().size();
  {
    std::fstream file(scene.repository.folder_of(full.id) / full.file.name,
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(full.file.size_bytes / 2));
    file.put('\x55');
    file.put('\x55');
  }
  CHECK_THROWS_AS(scene.consolidate(delta), IntegrityError);
  CHECK(scene.repository.list().size() == before);
}

TEST_CASE("a full that is made of a delta is sealed with the key of that delta, whichever key comes first") {
  const BackupKey key = BackupKey::of_passphrase(Secret::copy_of(as_bytes("correct horse battery staple")));
  ConsolidationScene scene(&key);
  scene.back_up();
  const Manifest delta = scene.back_up();
  BackupKey both = BackupKey::of_passphrase(Secret::copy_of(as_bytes("of another database")));
  both.also_try(BackupKey::of_passphrase(Secret::copy_of(as_bytes("correct horse battery staple"))));
  const Manifest full = consolidate_backup(scene.repository, delta, &both, scene.clock);
  CHECK(verify_backup(scene.repository, full, {.key = &key}).ok());
}
