// SPDX-License-Identifier: Apache-2.0
// A prune proves what it keeps before it removes what could stand for it.
#include "backups/container_scene.h"
#include "backups/hostile_hand.h"
#include "partial_proof.h"
#include "support/file_bytes.h"

#include "nerve/backups/retention.h"
#include "nerve/backups/verification.h"
#include "nerve/backups/verify.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::bytes_of;
using test::ContainerScene;
namespace fs = std::filesystem;

namespace {

/// Backups of which it is known what they restore to.
struct KeptScene : ContainerScene {
  explicit KeptScene(const BackupKey* the_key = nullptr) : key(the_key) {}

  Manifest add(Form form = Form::automatic) {
    change(++changes);
    clock.advance(std::chrono::minutes(15));
    Manifest manifest = back_up({.form = form, .key = key});
    states[manifest.id.to_string()] = bytes_of(database);
    return manifest;
  }
  void rot(const Manifest& manifest) const {
    alter(manifest, static_cast<std::streamoff>(manifest.file.size_bytes / 2));
  }
  PruneReport prune_to(std::int64_t last, bool dry_run = false) {
    return prune(repository, {.policy = {.last = last}, .key = key, .dry_run = dry_run}, clock);
  }
  bool is_there(const Manifest& manifest) const { return fs::exists(repository.folder_of(manifest.id)); }
  bool is_noted(const Manifest& manifest) const {
    return fs::exists(repository.folder_of(manifest.id) / "damaged.json");
  }
  /// Leaves no note of the restore, which would be a proof and keep the backup.
  bool is_restorable(const Manifest& manifest) {
    const bool is_right =
        bytes_of(restored(repository.read(manifest.id), key)) == states.at(manifest.id.to_string());
    fs::remove(repository.folder_of(manifest.id) / "verified.json");
    return is_right;
  }
  Json proof_of(const Manifest& full) const { return Json::parse(bytes_of(proof_path(repository, full.id))); }

  const BackupKey* key;
  std::map<std::string, std::string> states;
  int changes = 0;
};

}  // namespace

TEST_CASE(
    "where the full that is kept has rotten, the older generation stays and the damage is told and noted") {
  const BackupKey key = test::key_of_file();
  for (const BackupKey* used : {static_cast<const BackupKey*>(nullptr), &key}) {
    CAPTURE(used != nullptr);
    KeptScene scene(used);
    const Manifest old_full = scene.add();
    const Manifest old_delta = scene.add();
    const Manifest newest = scene.add(Form::full);
    scene.rot(newest);
    CHECK(scene.prune_to(1, true).count(Fate::remove) == 2);
    CHECK_FALSE(scene.is_noted(newest));
    try {
      scene.prune_to(1);
      FAIL("nothing was thrown");
    } catch (const IntegrityError& error) {
      const std::string told = error.what();
      CHECK(told.starts_with(newest.id.short_text() + ", the newest backup of "));
      CHECK(told.find(scene.file_of(newest).string()) != std::string::npos);
      CHECK(error.hint().find("nerve-db backup --full --db " + scene.database.string()) != std::string::npos);
    }
    CHECK(scene.is_noted(newest));
    for (const Manifest& sound : {old_full, old_delta}) CHECK(scene.is_restorable(sound));
    CHECK(scene.repository.for_key(used).newest_of(scene.database)->id == old_delta.id);
    // The remedy that is told.
    const Manifest next = scene.add(Form::full);
    const PruneReport report = scene.prune_to(1);
    CHECK(report.damaged == std::vector<std::string>{newest.id.to_string()});
    CHECK_FALSE(scene.is_there(old_full));
    CHECK(scene.is_restorable(next));
  }
}

TEST_CASE("damage in a delta of the chain that is kept stops the prune of its history and of no other") {
  KeptScene scene;
  const fs::path other = scene.folder / "other.db";
  test::make_database(other, 20, "wal");
  std::vector<Manifest> of_other;
  of_other.reserve(3);
  for (int number = 0; number < 3; ++number)
    of_other.push_back(create_backup(other, scene.repository, {.form = Form::full}, scene.clock));
  const Manifest old_full = scene.add();
  scene.add(Form::full);
  const Manifest middle = scene.add();
  const Manifest newest = scene.add();
  scene.rot(middle);
  // The last backup has proved what it stands on, and for so long that counts.
  scene.clock.advance(proof_period);
  CHECK_THROWS_WITH_AS(scene.prune_to(1), doctest::Contains(newest.id.short_text().c_str()), IntegrityError);
  CHECK(scene.is_noted(middle));
  CHECK(scene.is_restorable(old_full));
  CHECK(scene.is_there(newest));
  CHECK_FALSE(scene.is_there(of_other[0]));
  CHECK_FALSE(scene.is_there(of_other[1]));
  CHECK(scene.is_there(of_other[2]));
}

TEST_CASE("a plain copy is proved by its SHA-256, and a verify that finds it right lets go of the note") {
  KeptScene scene;
  const Manifest old_copy = scene.add(Form::plain);
  const Manifest newest = scene.add(Form::plain);
  const fs::path sound = scene.folder / "sound";
  fs::copy_file(scene.file_of(newest), sound);
  scene.rot(newest);
  CHECK_THROWS_WITH_AS(scene.prune_to(1), doctest::Contains("its SHA-256 is not that of the manifest"),
                       IntegrityError);
  CHECK(scene.is_noted(newest));
  CHECK(scene.is_restorable(old_copy));
  fs::copy_file(sound, scene.file_of(newest), fs::copy_options::overwrite_existing);
  CHECK(verify_backup(scene.repository, newest, {}).ok());
  CHECK_FALSE(scene.is_noted(newest));
  CHECK(scene.prune_to(1).count(Fate::remove) == 1);
  CHECK(scene.proof_of(newest).at("proved_through") == newest.id.to_string());
}

TEST_CASE("a plain copy with known damage keeps no other from being pruned") {
  KeptScene scene;
  scene.add(Form::plain);
  const Manifest rotten = scene.add(Form::plain);
  scene.rot(rotten);
  CHECK_THROWS_AS(scene.prune_to(1), IntegrityError);
  const Manifest next = scene.add(Form::full);
  const PruneReport report = scene.prune_to(1);
  CHECK(report.damaged == std::vector<std::string>{rotten.id.to_string()});
  CHECK(report.count(Fate::remove) == 1);
  CHECK(scene.is_restorable(next));
}

TEST_CASE("what was proved is not read again within the period, and is after it") {
  KeptScene scene;
  for (int number = 0; number < 3; ++number) scene.add(Form::full);
  const Manifest newest = scene.add(Form::full);
  scene.prune_to(3);
  const Json proof = scene.proof_of(newest);
  CHECK(proof.at("proved_through") == newest.id.to_string());
  CHECK(proof.at("proved_since") == scene.clock.now().to_text());
  scene.rot(newest);
  scene.clock.advance(proof_period - std::chrono::hours(1));
  CHECK(scene.prune_to(2).count(Fate::remove) == 1);
  CHECK(scene.proof_of(newest) == proof);
  scene.clock.advance(std::chrono::hours(2));
  CHECK_THROWS_AS(scene.prune_to(1), IntegrityError);
}

TEST_CASE("of a chain that was proved only what followed is read, and the proof goes on through it") {
  KeptScene scene;
  const Manifest full = scene.add();
  for (int number = 0; number < 3; ++number) scene.add();
  scene.prune_to(2);
  const std::string since = scene.proof_of(full).at("proved_since");
  // It was proved, so that it is not read; and the parts that backups prove are not in the way.
  scene.clock.advance(std::chrono::hours(1));
  scene.change(++scene.changes);
  const Manifest newest = scene.back_up();
  scene.rot(full);
  REQUIRE(newest.container->parent);
  scene.prune_to(2);
  CHECK(scene.proof_of(full).at("proved_through") == newest.id.to_string());
  CHECK(scene.proof_of(full).at("proved_since").get<std::string>() >= since);
  // What followed is read.
  const Manifest rotten = [&] {
    // A backup proves what it stands on, so that the full must be sound for it.
    scene.rot(full);
    return scene.add();
  }();
  REQUIRE(rotten.container->parent);
  scene.rot(rotten);
  CHECK_THROWS_AS(scene.prune_to(2), IntegrityError);
  CHECK(scene.is_noted(rotten));
  CHECK_FALSE(scene.is_noted(full));
}

TEST_CASE("the note of a verification and a whole round of partial proofs stand for a proof") {
  for (const bool is_verified : {true, false}) {
    CAPTURE(is_verified);
    KeptScene scene;
    scene.add();
    const Manifest full = scene.add(Form::full);
    if (is_verified) {
      record_verification(scene.repository, full.id, Proof::hashes, scene.clock);
    } else {
      // So small a generation is read whole at each backup; the first round is known to be whole by the
      // second.
      scene.add();
      scene.add();
      CHECK(scene.proof_of(full).contains("proved_since"));
    }
    scene.rot(full);
    CHECK_NOTHROW(scene.prune_to(is_verified ? 1 : 3));
  }
}

TEST_CASE("a proof from the future, and one that is damaged, prove nothing") {
  for (const std::string& text :
       {std::string(R"({"container":"ID","group":0,"at":"2026-05-01T08:00:00Z","proved_through":"ID",)"
                    R"("proved_since":"2027-01-01T00:00:00Z"})"),
        std::string(R"({"proved_through":7,"proved_since":"2026-05-01T08:30:00Z"})"),
        std::string(R"({"proved_through":"x","proved_since":"y"})"), std::string("[1"), std::string("[]")}) {
    CAPTURE(text);
    KeptScene scene;
    const Manifest old_full = scene.add();
    const Manifest newest = scene.add(Form::full);
    std::string written = text;
    for (std::size_t at = written.find("ID"); at != std::string::npos; at = written.find("ID"))
      written.replace(at, 2, newest.id.to_string());
    std::ofstream(proof_path(scene.repository, newest.id)) << written;
    scene.rot(newest);
    CHECK_THROWS_AS(scene.prune_to(1), IntegrityError);
    CHECK(scene.is_restorable(old_full));
  }
}

TEST_CASE("an encrypted newest is proved with its key, and without it nothing older is removed") {
  const BackupKey key = test::key_of_file();
  KeptScene scene;
  const Manifest clear = scene.add();
  scene.key = &key;
  const Manifest newest = scene.add();
  REQUIRE(newest.is_encrypted());
  scene.key = nullptr;
  CHECK_THROWS_WITH_AS(scene.prune_to(1), doctest::Contains("has to be proved before older ones go"),
                       DeniedError);
  CHECK(scene.is_there(clear));
}

TEST_CASE("where a container of the chain cannot be read as one, nothing of the history is removed") {
  KeptScene scene;
  const Manifest old_full = scene.add();
  const Manifest newest = scene.add(Form::full);
  // Of the right size, and no container.
  std::ofstream(scene.file_of(newest), std::ios::trunc) << std::string(newest.file.size_bytes, 'x');
  CHECK_THROWS_AS(scene.prune_to(1), IntegrityError);
  CHECK(scene.is_noted(newest));
  CHECK(scene.is_restorable(old_full));
}
