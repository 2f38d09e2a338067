// SPDX-License-Identifier: Apache-2.0
// Backups that are containers, from the database to the restored file.
#include "backups/file_bytes.h"
#include "backups/scratch_database.h"
#include "partial_backup.h"
#include "support/temp_folder.h"
#include "support/test_data.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/consolidation.h"
#include "nerve/backups/restore.h"
#include "nerve/backups/retention.h"
#include "nerve/backups/verify.h"
#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/random.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::bytes_of;
using test::content_of;
using test::make_database;
using test::PlainSqlite;
using test::TempFolder;

namespace {

struct ContainerScene {
  explicit ContainerScene(const std::string& journal_mode = "wal") {
    make_database(database, 300, journal_mode);
  }

  Manifest back_up(BackupOptions options = {}) {
    options.on_note = [this](const std::string& note) { notes.push_back(note); };
    return create_backup(database, repository, options, clock);
  }
  std::filesystem::path restored(const Manifest& manifest, const BackupKey* key = nullptr) {
    std::filesystem::path path = folder / fmt::format("restored-{}", ++restored_count);
    RestoreOptions options;
    options.key = key;
    restore_backup(repository, manifest, {path, RestoreTarget::Mode::new_file}, options, clock);
    return path;
  }
  std::filesystem::path file_of(const Manifest& manifest) const {
    return repository.folder_of(manifest.id) / manifest.file.name;
  }
  /// Changes one byte of a backup's container.
  void alter(const Manifest& manifest, std::streamoff place) const {
    std::fstream file(file_of(manifest), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(place);
    const int octet = file.get();
    file.seekp(place);
    file.put(static_cast<char>(octet ^ 0x40));
  }
  /// As somebody would who may write to the repository.
  void write_manifest(const Manifest& manifest) const {
    std::ofstream(repository.folder_of(manifest.id) / "manifest.json", std::ios::trunc)
        << manifest_text(manifest);
  }
  void change(int id) const {
    PlainSqlite(database).run(fmt::format("UPDATE users SET score = score + 1 WHERE id = {}", id));
  }

  TempFolder folder;
  std::filesystem::path database = folder / "app.db";
  Repository repository = Repository::open_or_create(folder / "backups");
  ManualClock clock{Timestamp::parse("2026-05-01T08:00:00Z")};
  std::vector<std::string> notes;
  int restored_count = 0;
};

void write_at(const std::filesystem::path& file, std::uint64_t offset,
              const std::vector<std::uint32_t>& numbers) {
  std::string octets;
  for (const std::uint32_t number : numbers) {
    for (int shift = 24; shift >= 0; shift -= 8)
      octets += static_cast<char>(number >> static_cast<unsigned>(shift));
  }
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(offset));
  stream << octets;
}

/// A database of pages of 64 KiB in rollback mode with one table `t`; all other pages are free, and holes but
/// for the trunks of the freelist (https://www.sqlite.org/fileformat2.html#the_freelist).
void make_sparse_database(const std::filesystem::path& file, std::uint64_t size_bytes) {
  constexpr std::uint32_t page_bytes = 65'536;
  constexpr std::uint32_t lock_page = (1U << 30U) / page_bytes + 1;
  constexpr std::uint32_t leaves_of_trunk = page_bytes / 4 - 8;
  std::filesystem::remove(file);
  PlainSqlite(file).run("PRAGMA page_size=65536; CREATE TABLE t(a)");
  std::filesystem::resize_file(file, size_bytes);
  const auto page_count = static_cast<std::uint32_t>(size_bytes / page_bytes);
  std::uint32_t free_pages = 0;
  std::uint32_t next_trunk = 0;
  std::uint32_t page = page_count;
  while (page > 2) {
    std::vector<std::uint32_t> leaves;
    for (; page > 3 && leaves.size() < leaves_of_trunk; --page) {
      if (page != lock_page) leaves.push_back(page);
    }
    const std::uint32_t trunk = page--;
    std::vector<std::uint32_t> numbers{next_trunk, static_cast<std::uint32_t>(leaves.size())};
    numbers.insert(numbers.end(), leaves.begin(), leaves.end());
    write_at(file, std::uint64_t{trunk - 1} * page_bytes, numbers);
    free_pages += static_cast<std::uint32_t>(leaves.size()) + 1;
    next_trunk = trunk;
  }
  write_at(file, 28, {page_count, next_trunk, free_pages});
  REQUIRE(PlainSqlite(file).text("PRAGMA integrity_check") == "ok");
}

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

TEST_CASE("twenty random changes of each real database are restored as they were, also after pruning") {
  const auto databases = test::test_data("sqlite");
  if (!databases) return;
  SeededRandom random(20260501);
  int tried = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*databases)) {
    if (entry.path().extension() == ".md") continue;
    const std::string name = entry.path().filename().string();
    CAPTURE(name);
    ++tried;
    ContainerScene scene;
    std::filesystem::copy_file(entry.path(), scene.database,
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::permissions(scene.database, std::filesystem::perms::owner_all);
    PlainSqlite(scene.database).run("CREATE TABLE change_log (number INTEGER PRIMARY KEY, body BLOB)");
    std::map<std::string, std::string> states;
    std::vector<Manifest> made;
    for (int round = 0; round <= 20; ++round) {
      made.push_back(scene.back_up());
      states[made.back().id.to_string()] = bytes_of(scene.database);
      const std::uint64_t size = random.below(60'000);
      PlainSqlite(scene.database)
          .run(fmt::format("INSERT INTO change_log (body) VALUES (randomblob({0})); "
                           "DELETE FROM change_log WHERE number % 3 = {1}; {2}",
                           size, round % 3, round % 7 == 6 ? "VACUUM" : ""));
    }
    // Each backup that is there restores its state, and no other is there.
    const auto check_states = [&](const std::vector<Entry>& entries) {
      REQUIRE(entries.size() == states.size());
      for (const Entry& one : entries) {
        CAPTURE(one.name);
        REQUIRE(one.manifest);
        CHECK(bytes_of(scene.restored(*one.manifest)) == states.at(one.name));
      }
    };
    check_states(scene.repository.list());
    for (const Manifest& delta : {made[random.below(20) + 1], made[20]}) {
      if (!delta.container->parent) continue;
      const Manifest full = consolidate_backup(scene.repository, delta, nullptr, scene.clock);
      states[full.id.to_string()] = states.at(delta.id.to_string());
    }
    check_states(scene.repository.list());
    for (int held = 0; held < 3; ++held)
      hold_backup(scene.repository, made[random.below(15)].id, "a random one", scene.clock);
    const PruneReport pruned = prune(scene.repository, {.policy = {.last = 3}}, scene.clock);
    for (const PruneDecision& decision : pruned.decisions) {
      if (decision.fate == Fate::remove) states.erase(decision.backup.id.to_string());
    }
    CHECK(states.size() <= 12);
    check_states(scene.repository.list());
    for (const VerifyReport& report : verify_all(scene.repository, {.deep = true}))
      CHECK(report.problems.empty());
  }
  CHECK(tried >= 10);
}

TEST_CASE("a sparse database of 5 GiB is stored, verified and restored, and stays sparse") {
  ContainerScene scene;
  make_sparse_database(scene.database, 5ULL * 1024 * 1024 * 1024);
  const Manifest full = scene.back_up();
  CHECK(full.database_bytes() == 5ULL * 1024 * 1024 * 1024);
  CHECK(full.file.size_bytes < 64 * 1024 * 1024);
  PlainSqlite(scene.database).run("INSERT INTO t VALUES (randomblob(1000000))");
  const Manifest delta = scene.back_up();
  REQUIRE(delta.container->parent == full.id);
  CHECK(delta.file.size_bytes < 2 * 1024 * 1024);
  const std::filesystem::path restored = scene.restored(delta);
  CHECK(std::filesystem::file_size(restored) == full.database_bytes());
  CHECK(PlainSqlite(restored).text("PRAGMA integrity_check") == "ok");
  CHECK(content_of(restored) == content_of(scene.database));
  struct stat facts {};
  REQUIRE(::stat(restored.c_str(), &facts) == 0);
  CHECK(facts.st_blocks * 512 < 64 * 1024 * 1024);
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
  CHECK_THROWS_AS(scene.restored(delta, &wrong), DeniedError);
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
  const BackupKey key = passphrase("correct horse battery staple");
  const Manifest sealed = scene.back_up({.key = &key});
  CHECK_FALSE(sealed.container->parent);
  REQUIRE(scene.notes.size() == 1);
  CHECK(scene.notes.front() == "this is the first encrypted backup of the database, so it is a full");
}

TEST_CASE("a restore in place keeps the state before as a delta, encrypted where backups are") {
  ContainerScene scene;
  const BackupKey key = passphrase("correct horse battery staple");
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
  // What builds on the full goes on from it.
  const Manifest next = scene.back_up();
  CHECK(next.container->parent == full.id);
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
  CHECK(scene.notes.front().find("this is a full, because the newest backup cannot be built on") == 0);
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
  const BackupKey key = passphrase("correct horse battery staple");
  CHECK_THROWS_AS(scene.back_up({.form = Form::plain, .key = &key}), ValidationError);
  CHECK_THROWS_AS(scene.back_up({.form = Form::plain, .check = SourceCheck::none}), ValidationError);
}

TEST_CASE("a container in the place of another one is found, although the manifest was written anew") {
  ContainerScene scene;
  const BackupKey key = passphrase("correct horse battery staple");
  const Manifest older = scene.back_up({.form = Form::full, .key = &key});
  scene.change(1);
  Manifest newer = scene.back_up({.form = Form::full, .key = &key});
  std::filesystem::copy_file(scene.file_of(older), scene.file_of(newer),
                             std::filesystem::copy_options::overwrite_existing);
  newer.file.size_bytes = older.file.size_bytes;
  scene.write_manifest(newer);
  CHECK_THROWS_WITH_AS(scene.restored(scene.repository.read(newer.id), &key),
                       doctest::Contains("is not the container that the manifest is of"), IntegrityError);
  CHECK_FALSE(verify_backup(scene.repository, newer, {.key = &key}).ok());
}

TEST_CASE("a container without encryption does not pass for an encrypted one") {
  ContainerScene scene;
  const BackupKey key = passphrase("correct horse battery staple");
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
  CHECK(scene.notes.front().find("its list of pages was altered") != std::string::npos);
}

TEST_CASE("where an encrypted backup cannot be read, nothing of the database is stored in the clear") {
  ContainerScene scene;
  const BackupKey key = passphrase("correct horse battery staple");
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
  const BackupKey right = passphrase("correct horse battery staple");
  const BackupKey wrong = passphrase("correct house battery staple");
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
  const BackupKey key = passphrase("correct horse battery staple");
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
  const BackupKey right = passphrase("correct horse battery staple");
  const BackupKey wrong = passphrase("correct house battery staple");
  scene.back_up({.key = &right});
  const Manifest newest = scene.back_up({.form = Form::full, .key = &right});
  scene.alter(newest, 10);
  CHECK_THROWS_AS(scene.back_up({.key = &wrong}), DeniedError);
  CHECK_FALSE(scene.back_up({.key = &right}).container->parent);
}

TEST_CASE("whether a key opens the encrypted backups is told for one database and for all") {
  ContainerScene scene;
  const BackupKey one = passphrase("correct horse battery staple");
  const BackupKey two = passphrase("correct house battery staple");
  const std::filesystem::path other = scene.folder / "other.db";
  make_database(other, 10, "wal");
  CHECK(opens_encrypted_backups(scene.repository, std::nullopt, one));
  scene.back_up({.key = &one});
  create_backup(other, scene.repository, {.key = &two}, scene.clock);
  CHECK(opens_encrypted_backups(scene.repository, scene.database, one));
  CHECK_FALSE(opens_encrypted_backups(scene.repository, scene.database, two));
  CHECK_FALSE(opens_encrypted_backups(scene.repository, std::nullopt, one));
  BackupKey both = passphrase("correct horse battery staple");
  both.also_try(passphrase("correct house battery staple"));
  CHECK(opens_encrypted_backups(scene.repository, std::nullopt, both));
}

TEST_CASE("a damaged database whose backups are encrypted is not kept in the clear by a restore") {
  ContainerScene scene("delete");
  const BackupKey key = passphrase("correct horse battery staple");
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
