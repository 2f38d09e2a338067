// SPDX-License-Identifier: Apache-2.0
// Goal: no device or memory that changes what is written makes a bad backup or a bad restore that passes for
// a good one.
//
// Method: a run without faults counts the writes (fault_inject.cpp). Then, for each file and a few of the
// writes to it, everything is put back and the command runs with one bit of one byte of that write changed,
// silently. Either the command fails; or whoever reads the repository next names it (who opens it, looks at
// its catalogue or verifies it); or it is harmless: all is there and restores to the very bytes of its
// database. What may be harmless is listed with each test, and why.
#include "fault/repository_scene.h"
#include "fault/scene.h"
#include "fault/sweep.h"

#include "nerve/backups/repository.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

using nerve::test::FaultScene;
using nerve::test::flip_writes;
using nerve::test::Inspection;
using nerve::test::ProcessResult;
using nerve::test::RepositoryScene;
using Start = FaultScene::Start;
using Store = FaultScene::Store;
using Names = std::set<std::string>;

// What a flip may harm without being told, since it is proved elsewhere or proves nothing:

/// The hashes of all pages, which are compared with the seal of the newest backup before they are used. A
/// delta then becomes a full. Those of a page that a later container has, too, are written twice.
const std::string hashes = "unnamed file in backups";
const std::string hashes_in_second = "unnamed file in second";
/// A page of the full that a delta has anew is written twice. The file is compared when it is whole.
const std::string staged = ".app.db.nerve-restore";
const std::string staged_new = ".restored.db.nerve-restore";
/// When and how a backup was proved: the restore is done and says that this could not be noted.
const std::string note_of_proof = ".partial-verified.json-ID-PROCESS";
/// The folders that copies went to: what cannot be read, or is not there, is made again by the next copy.
const std::string note_of_copies = ".copies.json.partial";

/// How far a generation was proved: what cannot be read begins again, and what names another place goes on
/// there. A time that a flip made later counts for no longer than the period of a proof.
const std::string note_of_parts = ".partial-proof-ID.json-PROCESS";

/// What became of the flips of a test, by file.
class Flips {
 public:
  explicit Flips(Names harmless) : harmless_(std::move(harmless)) {}
  Flips(const Flips&) = delete;
  Flips& operator=(const Flips&) = delete;
  ~Flips() {
    std::string text;
    for (const auto& [file, counts] : counts_) {
      text += "\n  " + file + ": " + std::to_string(counts.refused) + " refused, " +
              std::to_string(counts.named) + " named by the next reader, " + std::to_string(counts.harmless) +
              " harmless";
    }
    MESSAGE(text);
  }

  /// The command failed.
  void refused(const std::string& file) { ++counts_[file].refused; }

  /// It succeeded; whether a reader says what is wrong.
  bool is_named(const std::string& file, const std::vector<std::string>& problems) {
    if (!problems.empty()) ++counts_[file].named;
    return !problems.empty();
  }

  /// Nobody says anything; that all is right is checked besides.
  void harmless(const std::string& file) {
    ++counts_[file].harmless;
    CHECK(harmless_.contains(file));
  }

 private:
  struct Counts {
    int refused = 0;
    int named = 0;
    int harmless = 0;
  };

  Names harmless_;
  std::map<std::string, Counts> counts_;
};

void flip_backup(const FaultScene& scene, Names harmless) {
  Flips flips(std::move(harmless));
  flip_writes(scene, scene.backup_command(), [&](const ProcessResult& result, const std::string& file) {
    CHECK(scene.content_now() == scene.content_before());
    if (result.exit_code != 0) {
      scene.whole_backups();
      return flips.refused(file);
    }
    if (flips.is_named(file, scene.problems())) return;
    flips.harmless(file);
    CHECK(scene.content_of_newest() == scene.content_before());
  });
}

void flip_restore(const FaultScene& scene, Names harmless) {
  Flips flips(std::move(harmless));
  flip_writes(scene, scene.restore_command(), [&](const ProcessResult& result, const std::string& file) {
    const std::string content = scene.content_now();
    if (result.exit_code != 0) {
      CHECK(content == scene.content_before());
      scene.whole_backups();
      return flips.refused(file);
    }
    CHECK(content == scene.content_of_backup());
    if (flips.is_named(file, scene.problems())) return;
    flips.harmless(file);
    CHECK(scene.content_of_safety() == scene.content_before());
  });
}

/// Of what changes a repository. `states` is what is to be there when the command succeeded.
void flip_in_repository(const RepositoryScene& scene, const std::vector<std::string>& command,
                        const std::filesystem::path& repository, const Names& wanted, const Names& new_states,
                        Names harmless) {
  Flips flips(std::move(harmless));
  flip_writes(scene, command, [&](const ProcessResult& result, const std::string& file) {
    if (result.exit_code != 0) return flips.refused(file);
    const Inspection inspection = scene.inspect(repository);
    if (flips.is_named(file, inspection.problems)) return;
    flips.harmless(file);
    Names found;
    for (const auto& [name, state] : inspection.states) {
      const std::string& id = name;
      CAPTURE(id);
      const auto known = scene.states().find(id);
      CHECK((known == scene.states().end() ? new_states.contains(state) : state == known->second));
      if (known != scene.states().end()) found.insert(id);
    }
    CHECK(found == wanted);
    CHECK(inspection.states.size() == wanted.size() + new_states.size());
  });
}

Names names_of(const std::vector<std::string>& ids) {
  return {ids.begin(), ids.end()};
}

}  // namespace

TEST_CASE("a flipped bit of a first full of a database is found or harmless") {
  flip_backup(FaultScene(Start::to_back_up, Store::container), {});
}

TEST_CASE("a flipped bit of a plain copy of a database is found or harmless") {
  flip_backup(FaultScene(Start::to_back_up), {});
}

TEST_CASE("a flipped bit of a delta of a database with a rollback journal is found or harmless") {
  flip_backup(FaultScene(Start::with_journal, Store::container), {hashes});
}

TEST_CASE("a flipped bit of an encrypted delta of a database is found or harmless") {
  flip_backup(FaultScene(Start::with_wal, Store::encrypted), {hashes});
}

TEST_CASE("a flipped bit of a restore of a database from an encrypted delta is found or harmless") {
  flip_restore(FaultScene(Start::with_wal, Store::encrypted), {hashes, staged, note_of_proof});
}

TEST_CASE("a flipped bit of a restore of a database from a plain copy is found or harmless") {
  flip_restore(FaultScene(Start::with_journal), {note_of_proof});
}

TEST_CASE("a flipped bit of a restore of a database to a new file is found or harmless") {
  const FaultScene scene(Start::with_wal, Store::container);
  Flips flips({hashes, staged_new, note_of_proof});
  flip_writes(scene, scene.restore_to_new_file_command(),
              [&](const ProcessResult& result, const std::string& file) {
                CHECK(scene.content_now() == scene.content_before());
                const std::string content = scene.content_at(scene.new_file());
                if (result.exit_code != 0) {
                  CHECK(content.empty());
                  return flips.refused(file);
                }
                CHECK(content == scene.content_of_backup());
                if (!flips.is_named(file, scene.problems())) flips.harmless(file);
              });
}

TEST_CASE("a flipped bit of a prune of a repository is found or harmless") {
  const RepositoryScene scene(Store::container);
  flip_in_repository(scene, scene.prune_command(), scene.repository_path(), scene.ids_after_prune(), {},
                     {hashes, note_of_parts});
}

TEST_CASE("a flipped bit of a consolidation in a repository is found or harmless") {
  const RepositoryScene scene(Store::encrypted);
  flip_in_repository(scene, scene.consolidate_command(), scene.repository_path(), names_of(scene.ids()),
                     {scene.states().at(scene.ids().back())}, {hashes});
}

TEST_CASE("a flipped bit of a replication to a second repository is found or harmless") {
  const RepositoryScene scene(Store::encrypted);
  flip_in_repository(scene, scene.replicate_command(), scene.second_path(), names_of(scene.ids()), {},
                     {hashes_in_second, note_of_copies});
}

TEST_CASE("a flipped bit of a backup of a set to a repository is found or harmless") {
  const RepositoryScene scene(Store::container);
  flip_in_repository(scene, scene.set_command(), scene.repository_path(), names_of(scene.ids()),
                     {scene.states().at(scene.ids().back()), scene.secure_state()}, {hashes, note_of_parts});
}
