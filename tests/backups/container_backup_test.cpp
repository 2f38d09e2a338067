// SPDX-License-Identifier: Apache-2.0
// Backups that are containers, from the database to the restored file.
#include "backups/container_scene.h"
#include "backups/hostile_hand.h"
#include "backups/scratch_database.h"
#include "partial_backup.h"
#include "support/file_bytes.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/consolidation.h"
#include "nerve/backups/restore.h"
#include "nerve/backups/retention.h"
#include "nerve/backups/verify.h"
#include "nerve/core/bytes.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::bytes_of;
using test::ContainerScene;
using test::content_of;
using test::make_database;
using test::PlainSqlite;

namespace {

BackupKey passphrase(std::string_view text) {
  return BackupKey::of_passphrase(Secret::copy_of(as_bytes(text)));
}

}  // namespace

TEST_CASE("the first container is a full, the next ones are deltas, and each restores byte for byte") {
  for (const std::string mode : {"wal", "delete"}) {
    CAPTURE(mode);
    ContainerScene scene(mode);
    const Manifest full = scene.back_up();
    const std::string first = bytes_of(scene.database);
    REQUIRE(full.container);
    CHECK_FALSE(full.container->parent);
    CHECK(full.file.size_bytes < first.size());
    CHECK(full.database_bytes() == first.size());
    CHECK(full.rows_total() == 600);
    scene.change(7);
    const Manifest delta = scene.back_up();
    REQUIRE(delta.container);
    CHECK(delta.container->parent == full.id);
    CHECK(delta.container->stored_pages <= 3);
    CHECK(bytes_of(scene.restored(delta)) == bytes_of(scene.database));
    CHECK(bytes_of(scene.restored(full)) == first);
    CHECK(scene.back_up({.form = Form::full}).container->generation != full.id);
    CHECK(scene.notes.empty());
  }
}

TEST_CASE("encrypted backups need the key to be made, verified and restored") {
  ContainerScene scene;
  const BackupKey right = passphrase("correct horse battery staple");
  const BackupKey wrong = passphrase("incorrect horse");
  const Manifest full = scene.back_up({.key = &right});
  CHECK(full.container->is_encrypted);
  CHECK(full.file.name == "pages.sealed");
  CHECK(full.tables.empty());
  CHECK(full.sqlite.schema_sha256.empty());
  CHECK_FALSE(full.rows_total());
  scene.change(3);
  CHECK_THROWS_WITH_AS(scene.back_up(),
                       doctest::Contains("are encrypted, and no key is given for the next one"), DeniedError);
  CHECK_THROWS_WITH_AS(scene.back_up({.key = &wrong}),
                       doctest::Contains("is encrypted with another passphrase"), DeniedError);
  CHECK_THROWS_AS(scene.back_up({.form = Form::full, .key = &wrong}), DeniedError);
  const Manifest delta = scene.back_up({.key = &right});
  CHECK(delta.container->parent == full.id);
  CHECK_THROWS_AS(scene.restored(delta), DeniedError);
  CHECK_THROWS_WITH_AS(scene.restored(delta, &wrong), doctest::Contains("authenticated with another key"),
                       IntegrityError);
  CHECK(bytes_of(scene.restored(delta, &right)) == bytes_of(scene.database));
  CHECK_THROWS_AS(verify_backup(scene.repository, delta, {}), DeniedError);
  CHECK(verify_backup(scene.repository, delta, {.key = &right}).ok());
  CHECK_THROWS_AS(verify_backup(scene.repository, delta, {.deep = true, .key = &right}), ValidationError);
  const VerifyReport deep =
      verify_backup(scene.repository, delta, {.deep = true, .key = &right, .scratch = scene.folder.path()});
  CHECK(deep.ok());
  CHECK(deep.rows == 600);
}

TEST_CASE("a database whose backups were not encrypted begins a new generation with a key") {
  ContainerScene scene;
  scene.back_up();
  const BackupKey key = test::key_of_file();
  const Manifest sealed = scene.back_up({.key = &key});
  CHECK_FALSE(sealed.container->parent);
  REQUIRE(scene.notes.size() == 1);
  CHECK(scene.notes.front() == "this is the first encrypted backup of the database, so it is a full");
}

TEST_CASE("a restore in place keeps the state before as a delta, encrypted where backups are") {
  ContainerScene scene;
  const BackupKey key = test::key_of_file();
  const Manifest before = scene.back_up({.key = &key});
  const std::string content = content_of(scene.database);
  scene.change(5);
  RestoreOptions options;
  options.key = &key;
  const RestoreResult result =
      restore_backup(scene.repository, before, {scene.database}, options, scene.clock);
  CHECK(content_of(scene.database) == content);
  REQUIRE(result.safety);
  const Manifest safety = scene.repository.find(result.safety->to_string());
  REQUIRE(safety.container);
  CHECK(safety.container->is_encrypted);
  CHECK(safety.container->parent == before.id);
  CHECK(scene.repository.latest().id == before.id);
}

TEST_CASE("a delta whose parent is gone or damaged is not trusted, and the next backup is a full") {
  ContainerScene scene;
  const Manifest full = scene.back_up();
  scene.change(1);
  const Manifest middle = scene.back_up();
  scene.change(2);
  const Manifest last = scene.back_up();
  std::filesystem::remove_all(scene.repository.folder_of(middle.id));
  const std::vector<Entry> entries = scene.repository.list();
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].manifest);
  CHECK(entries[1].is_gone);
  CHECK_FALSE(entries[2].manifest);
  CHECK(entries[2].problem ==
        fmt::format("the backup that it is a delta to, {}, is gone or damaged", middle.id.to_string()));
  CHECK_THROWS_AS(scene.repository.latest(), IntegrityError);
  CHECK_THROWS_AS(scene.restored(last), NotFoundError);
  // Known damage ends the generation, although the full could still be built on.
  const Manifest next = scene.back_up();
  CHECK_FALSE(next.container->parent);
  CHECK(next.line == full.line);
  CHECK(bytes_of(scene.restored(next)) == bytes_of(scene.database));
}

TEST_CASE("where the newest container is damaged the next backup is a full and says why") {
  ContainerScene scene;
  const Manifest full = scene.back_up();
  scene.alter(full, 40);
  scene.change(1);
  CHECK_FALSE(verify_backup(scene.repository, full, {}).ok());
  CHECK_FALSE(scene.back_up().container->parent);
  REQUIRE(scene.notes.size() == 1);
  CHECK(scene.notes.front().find("this is a full: the newest backup, " + full.id.to_string()) == 0);
  CHECK(scene.notes.front().find("damage was found in it at ") != std::string::npos);
  CHECK_THROWS_AS(scene.restored(full), IntegrityError);
}

TEST_CASE("when the deltas weigh more than their full, a new full is made") {
  ContainerScene scene;
  scene.back_up();
  std::int64_t deltas = 0;
  while (scene.notes.empty() && deltas < 100) {
    PlainSqlite(scene.database).run("UPDATE events SET body = randomblob(200) WHERE id % 2 = 0");
    deltas += scene.back_up().container->parent ? 1 : 0;
  }
  REQUIRE(scene.notes.size() == 1);
  CHECK(scene.notes.front() == "this is a full: the deltas since the last full weigh more than it does");
  CHECK(deltas >= 1);
}

TEST_CASE("VACUUM to another page size begins with a full, for no page is the same") {
  ContainerScene scene("delete");
  scene.back_up();
  PlainSqlite(scene.database).run("PRAGMA page_size = 8192; VACUUM");
  const Manifest manifest = scene.back_up();
  CHECK_FALSE(manifest.container->parent);
  CHECK(bytes_of(scene.restored(manifest)) == bytes_of(scene.database));
}

TEST_CASE("a file of no bytes is a container without pages") {
  ContainerScene scene;
  std::filesystem::resize_file(scene.database, 0);
  const Manifest manifest = scene.back_up();
  CHECK(manifest.container->stored_pages == 0);
  CHECK_FALSE(manifest.has_rows);
  CHECK(bytes_of(scene.restored(manifest)).empty());
}

TEST_CASE("latest is the one that was made last, also when the clock was set back a year") {
  ContainerScene scene;
  scene.back_up();
  scene.clock.set(Timestamp::parse("2025-05-01T08:00:00Z"));
  scene.change(4);
  const Manifest later = scene.back_up();
  CHECK(scene.repository.latest().id == later.id);
  CHECK(later.container->depth == 1);
}

TEST_CASE("at a time means the newest that was made by then") {
  ContainerScene scene;
  const Manifest first = scene.back_up();
  scene.clock.set(Timestamp::parse("2026-05-02T08:00:00Z"));
  scene.change(4);
  const Manifest second = scene.back_up();
  CHECK(scene.repository.at(Timestamp::parse("2026-05-02T07:59:59Z")).id == first.id);
  CHECK(scene.repository.at(Timestamp::parse("2026-05-02T08:00:00Z")).id == second.id);
  CHECK_THROWS_AS(scene.repository.at(Timestamp::parse("2026-04-30T08:00:00Z")), NotFoundError);
}

TEST_CASE("a damaged database is refused, and without a check it is stored and found by a deep look") {
  ContainerScene scene("delete");
  test::damage_page(scene.database, 3);
  CHECK_THROWS_AS(scene.back_up(), IntegrityError);
  CHECK(scene.repository.list().empty());
  const Manifest manifest = scene.back_up({.check = SourceCheck::none});
  CHECK(manifest.checks.source == "none");
  CHECK(verify_backup(scene.repository, manifest, {}).ok());
  CHECK_FALSE(verify_backup(scene.repository, manifest, {.deep = true}).ok());
  CHECK_THROWS_AS(scene.restored(manifest), IntegrityError);
}

TEST_CASE("the scratch file of a deep look is gone afterwards") {
  ContainerScene scene;
  const Manifest manifest = scene.back_up();
  CHECK(verify_backup(scene.repository, manifest, {.deep = true}).ok());
  for (const auto& entry : std::filesystem::directory_iterator(scene.repository.path())) {
    CHECK_FALSE(entry.path().filename().string().starts_with(".partial"));
  }
}

TEST_CASE("a plain copy takes neither a key nor the absence of a check") {
  ContainerScene scene;
  const BackupKey key = test::key_of_file();
  CHECK_THROWS_AS(scene.back_up({.form = Form::plain, .key = &key}), ValidationError);
  CHECK_THROWS_AS(scene.back_up({.form = Form::plain, .check = SourceCheck::none}), ValidationError);
}

TEST_CASE("a container in the place of another one is found, although the manifest was written anew") {
  ContainerScene scene;
  const Manifest older = scene.back_up({.form = Form::full});
  scene.change(1);
  Manifest newer = scene.back_up({.form = Form::full});
  std::filesystem::copy_file(scene.file_of(older), scene.file_of(newer),
                             std::filesystem::copy_options::overwrite_existing);
  newer.file.size_bytes = older.file.size_bytes;
  scene.write_manifest(newer);
  CHECK_THROWS_WITH_AS(scene.restored(scene.repository.read(newer.id)),
                       doctest::Contains("is not the container that the manifest is of"), IntegrityError);
  CHECK_FALSE(verify_backup(scene.repository, newer, {}).ok());
}

TEST_CASE("a container without encryption does not pass for an encrypted one") {
  ContainerScene scene;
  const BackupKey key = test::key_of_file();
  Manifest manifest = scene.back_up();
  std::filesystem::rename(scene.file_of(manifest), scene.repository.folder_of(manifest.id) / "pages.sealed");
  manifest.file.name = "pages.sealed";
  manifest.container->is_encrypted = true;
  scene.write_manifest(manifest);
  CHECK_THROWS_AS(scene.restored(manifest, &key), IntegrityError);
  CHECK_FALSE(verify_backup(scene.repository, manifest, {.key = &key}).ok());
}

TEST_CASE("an altered list of pages makes the next backup a full and accuses no database") {
  ContainerScene scene;
  const Manifest full = scene.back_up();
  // Header, head of the record, its two counts, a page number for each page: then a hash.
  const auto place =
      static_cast<std::streamoff>(256 + 8 + 8 + 4 * std::min<std::int64_t>(64, full.sqlite.page_count));
  scene.alter(full, place);
  scene.change(1);
  CHECK_FALSE(scene.back_up().container->parent);
  REQUIRE(scene.notes.size() == 1);
  CHECK(scene.notes.front().find("page 1 is not the one that was stored") != std::string::npos);
}

TEST_CASE("where an encrypted backup cannot be read, nothing of the database is stored in the clear") {
  ContainerScene scene;
  const BackupKey key = test::key_of_file();
  const Manifest full = scene.back_up({.key = &key});
  SUBCASE("its container is cut off") {
    std::filesystem::resize_file(scene.file_of(full), full.file.size_bytes - 1);
  }
  SUBCASE("its manifest is gone") {
    std::filesystem::remove(scene.repository.folder_of(full.id) / "manifest.json");
  }
  CHECK_THROWS_AS(scene.back_up(), DeniedError);
  CHECK_THROWS_AS(scene.back_up({.form = Form::plain}), DeniedError);
  CHECK(scene.back_up({.key = &key}).is_encrypted());
}

TEST_CASE("a key that opens none of the encrypted backups of a database begins none") {
  ContainerScene scene;
  const BackupKey right = test::key_of_file(std::byte{1});
  const BackupKey wrong = test::key_of_file(std::byte{2});
  const Manifest full = scene.back_up({.key = &right});
  bool is_right_known = true;
  SUBCASE("its end is cut off") {
    std::filesystem::resize_file(scene.file_of(full), full.file.size_bytes - 1);
  }
  SUBCASE("its list of pages is altered") {
    scene.alter(full, 300);
  }
  SUBCASE("its manifest is gone") {
    std::filesystem::remove(scene.repository.folder_of(full.id) / "manifest.json");
  }
  SUBCASE("its manifest is altered") {
    std::ofstream(scene.repository.folder_of(full.id) / "manifest.json", std::ios::app) << "?";
  }
  SUBCASE("its header is altered") {
    scene.alter(full, 10);
    is_right_known = false;
  }
  SUBCASE("its container is gone") {
    std::filesystem::remove(scene.file_of(full));
    is_right_known = false;
  }
  SUBCASE("a container without encryption is in its place") {
    const Repository other = Repository::open_or_create(scene.folder / "other");
    const Manifest clear = create_backup(scene.database, other, {}, scene.clock);
    std::filesystem::copy_file(other.folder_of(clear.id) / clear.file.name, scene.file_of(full),
                               std::filesystem::copy_options::overwrite_existing);
    is_right_known = false;
  }
  for (const Form form : {Form::automatic, Form::full}) {
    try {
      scene.back_up({.form = form, .key = &wrong});
      FAIL("a backup was made");
    } catch (const DeniedError& error) {
      CHECK(std::string(error.what()).find("the key opens none of the encrypted backups of ") == 0);
      CHECK(error.hint().find("name a new folder with --repo") != std::string::npos);
    }
  }
  CHECK(scene.repository.list().size() == 1);
  CHECK_THROWS_AS(scene.back_up(), DeniedError);
  if (is_right_known) {
    CHECK(scene.back_up({.key = &right}).is_encrypted());
  } else {
    CHECK_THROWS_AS(scene.back_up({.key = &right}), DeniedError);
  }
}

TEST_CASE(
    "an encrypted backup whose manifest is damaged does not keep other databases from being backed up") {
  ContainerScene scene;
  const BackupKey key = test::key_of_file();
  const std::filesystem::path other = scene.folder / "other.db";
  make_database(other, 10, "wal");
  create_backup(other, scene.repository, {}, scene.clock);
  const Manifest sealed = scene.back_up({.key = &key});
  std::ofstream(scene.repository.folder_of(sealed.id) / "manifest.json", std::ios::app) << "?";
  SUBCASE("where the catalogue knows whose it is") {
    CHECK_FALSE(has_encrypted_backup(scene.repository, other));
    CHECK_FALSE(create_backup(other, scene.repository, {}, scene.clock).is_encrypted());
  }
  SUBCASE("but does where nobody knows") {
    std::filesystem::remove(scene.repository.path() / "catalogue.jsonl");
    CHECK_THROWS_AS(create_backup(other, scene.repository, {}, scene.clock), DeniedError);
  }
  CHECK(has_encrypted_backup(scene.repository, scene.database));
  CHECK_THROWS_AS(scene.back_up(), DeniedError);
}

TEST_CASE("an older generation proves a key where the newest cannot be read") {
  ContainerScene scene;
  const BackupKey right = test::key_of_file(std::byte{1});
  const BackupKey wrong = test::key_of_file(std::byte{2});
  scene.back_up({.key = &right});
  const Manifest newest = scene.back_up({.form = Form::full, .key = &right});
  scene.alter(newest, 10);
  CHECK_THROWS_AS(scene.back_up({.key = &wrong}), DeniedError);
  CHECK_FALSE(scene.back_up({.key = &right}).container->parent);
}

TEST_CASE("whether a key opens the encrypted backups is told for one database and for all") {
  ContainerScene scene;
  const BackupKey one = test::key_of_file(std::byte{1});
  const BackupKey two = test::key_of_file(std::byte{2});
  const std::filesystem::path other = scene.folder / "other.db";
  make_database(other, 10, "wal");
  CHECK(opens_encrypted_backups(scene.repository, std::nullopt, one));
  scene.back_up({.key = &one});
  create_backup(other, scene.repository, {.key = &two}, scene.clock);
  CHECK(opens_encrypted_backups(scene.repository, scene.database, one));
  CHECK_FALSE(opens_encrypted_backups(scene.repository, scene.database, two));
  CHECK_FALSE(opens_encrypted_backups(scene.repository, std::nullopt, one));
  BackupKey both = test::key_of_file(std::byte{1});
  both.also_try(test::key_of_file(std::byte{2}));
  CHECK(opens_encrypted_backups(scene.repository, std::nullopt, both));
}

TEST_CASE("a damaged database whose backups are encrypted is not kept in the clear by a restore") {
  ContainerScene scene("delete");
  const BackupKey key = test::key_of_file();
  const Manifest full = scene.back_up({.key = &key});
  SUBCASE("its pages are kept encrypted where SQLite can tell them") {
    test::damage_page(scene.database, 3);
    RestoreOptions options;
    options.key = &key;
    const RestoreResult result =
        restore_backup(scene.repository, full, {scene.database}, options, scene.clock);
    CHECK(result.safety_is_damaged);
    REQUIRE(result.safety);
    const Manifest kept = scene.repository.read(*result.safety);
    CHECK(kept.state == State::damaged);
    CHECK(kept.is_encrypted());
    return;
  }
  // Of half of its pages SQLite tells nothing.
  std::filesystem::resize_file(scene.database, std::filesystem::file_size(scene.database) / 2);
  const std::string before = test::bytes_of(scene.database);
  RestoreOptions options;
  options.key = &key;
  CHECK_THROWS_WITH_AS(restore_backup(scene.repository, full, {scene.database}, options, scene.clock),
                       doctest::Contains("would leave them in the clear"), DeniedError);
  CHECK(test::bytes_of(scene.database) == before);
  CHECK(scene.repository.list().size() == 1);
}

TEST_CASE("a damaged database is kept to salvage from, and is never latest nor built on") {
  ContainerScene scene("delete");
  const Manifest good = scene.back_up();
  const std::string sound = bytes_of(scene.database);
  test::damage_page(scene.database, 3);
  const std::string damaged = bytes_of(scene.database);
  CHECK_THROWS_AS(scene.back_up(), IntegrityError);
  CHECK(scene.repository.list().size() == 1);
  std::optional<BackupId> kept;
  try {
    scene.back_up({.keep_damaged = true});
  } catch (const DamagedSourceError& error) {
    kept = error.kept();
    CHECK(std::string(error.what()).find("which counts as damaged") != std::string::npos);
    CHECK(error.hint().find(good.id.short_text()) != std::string::npos);
  }
  REQUIRE(kept);
  const Manifest manifest = scene.repository.read(*kept);
  CHECK(manifest.state == State::damaged);
  CHECK(manifest.container->parent == good.id);
  CHECK(scene.repository.latest().id == good.id);
  CHECK(verify_backup(scene.repository, manifest, {.deep = true}).ok());
  CHECK(bytes_of(scene.restored(manifest)) == damaged);
  CHECK_THROWS_AS(restore_backup(scene.repository, manifest, {scene.database}, {}, scene.clock),
                  IntegrityError);
  CHECK(bytes_of(scene.database) == damaged);
  // A timer does not fill the disk with it: once a day is enough.
  CHECK_THROWS_AS(scene.back_up({.form = Form::full, .keep_damaged = true}), DamagedSourceError);
  CHECK(scene.repository.list().size() == 2);
  scene.clock.advance(std::chrono::hours(25));
  CHECK_THROWS_AS(scene.back_up({.keep_damaged = true}), DamagedSourceError);
  CHECK(scene.repository.list().size() == 3);
  std::ofstream(scene.database, std::ios::binary | std::ios::trunc) << sound;
  scene.change(1);
  CHECK(scene.back_up().container->parent == good.id);
}

TEST_CASE("files of which SQLite can tell no pages are kept as they are, and only once") {
  ContainerScene scene("delete");
  scene.back_up();
  std::filesystem::resize_file(scene.database, std::filesystem::file_size(scene.database) / 2);
  const std::string half = bytes_of(scene.database);
  for (const Form form : {Form::automatic, Form::plain, Form::full}) {
    CHECK_THROWS_AS(scene.back_up({.form = form, .keep_damaged = true}), DamagedSourceError);
    REQUIRE(scene.repository.list().size() == 2);
  }
  const Manifest kept = *scene.repository.list().back().manifest;
  CHECK(kept.state == State::damaged);
  CHECK(bytes_of(scene.repository.folder_of(kept.id) / kept.file.name) == half);
  CHECK_THROWS_AS(restore_backup(scene.repository, kept, {scene.folder / "x", RestoreTarget::Mode::new_file},
                                 {}, scene.clock),
                  IntegrityError);
}

TEST_CASE("nobody else has the repository from before the parent is looked for to the end") {
  class Intruder final : public ProgressSink {
   public:
    explicit Intruder(const Repository& repository) : repository_(repository) {}
    void update(std::string_view /*phase*/, std::uint64_t /*done*/, std::uint64_t /*total*/) override {
      ++tries;
      CHECK_THROWS_AS(RepositoryLock::exclusive(repository_), ConflictError);
    }
    int tries = 0;

   private:
    const Repository& repository_;
  };
  ContainerScene scene;
  scene.back_up();
  scene.change(1);
  Intruder intruder(scene.repository);
  create_backup(scene.database, scene.repository, {.check = SourceCheck::deep}, scene.clock, &intruder);
  CHECK(intruder.tries > 1);
}
