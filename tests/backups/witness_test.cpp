// SPDX-License-Identifier: Apache-2.0
// What a machine notices of a repository because it remembers it: nothing inside a repository tells that all
// of it was put back to an earlier state.
#include "witness.h"

#include "backups/container_scene.h"
#include "backups/hostile_hand.h"

#include "nerve/backups/replication.h"
#include "nerve/backups/retention.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::ContainerScene;
using test::put_back;
namespace fs = std::filesystem;

namespace {

struct WitnessScene : ContainerScene {
  Manifest again(BackupOptions options = {.form = Form::full}) {
    clock.advance(std::chrono::minutes(1));
    change(++changes);
    options.on_note = [this](const std::string& note) { notes.push_back(note); };
    return create_backup(database, witnessed(), options, clock);
  }
  Repository witnessed() const {
    return Repository::open_or_create(folder / "backups").witnessed_in(folder / "state");
  }
  void keep() const { put_back(repository.path(), folder / "kept"); }
  void roll_back() const { put_back(folder / "kept", repository.path()); }
  /// What every look at the repository says of its history; empty where nothing.
  std::string alarm() const {
    const std::vector<std::string> problems = witnessed().catalogue_problems();
    return problems.empty() ? std::string() : problems.front();
  }
  bool has_note(std::string_view text) const {
    return std::ranges::any_of(notes,
                               [&](const std::string& note) { return note.find(text) != std::string::npos; });
  }

  int changes = 0;
};

constexpr const char* earlier_state = "an earlier state of the repository was put back, or it was emptied";

}  // namespace

TEST_CASE(
    "a repository that was put back to an earlier state is noticed by latest, by verify and by the next "
    "backup") {
  WitnessScene scene;
  scene.again();
  scene.keep();
  const Manifest lost = scene.again();
  CHECK(scene.alarm().empty());
  scene.roll_back();
  CHECK(scene.repository.catalogue_problems().empty());
  CHECK_THROWS_WITH_AS(scene.witnessed().latest(), doctest::Contains(earlier_state), IntegrityError);
  CHECK(scene.alarm().find("this machine has seen backup number 2") == 0);
  const Manifest next = scene.again();
  CHECK(scene.has_note(earlier_state));
  CHECK(next.sequence == lost.sequence + 1);
  CHECK(next.line == lost.line);
  CHECK(scene.witnessed().latest().id == next.id);
}

TEST_CASE("an emptied repository is noticed, and numbers and line go on in it") {
  WitnessScene scene;
  scene.again();
  const Manifest last = scene.again();
  for (const Entry& entry : scene.repository.list()) fs::remove_all(scene.repository.path() / entry.name);
  fs::remove(scene.repository.path() / "catalogue.jsonl");
  CHECK_THROWS_WITH_AS(scene.witnessed().latest(), doctest::Contains(earlier_state), IntegrityError);
  CHECK_FALSE(scene.alarm().empty());
  const Manifest next = scene.again();
  CHECK(scene.has_note(earlier_state));
  CHECK(next.sequence == last.sequence + 1);
  CHECK(next.line == last.line);
}

TEST_CASE("numbers and line go on over a first repository that was lost, with and without a second folder") {
  for (const bool has_second : {false, true}) {
    CAPTURE(has_second);
    WitnessScene scene;
    const Repository second = Repository::open_or_create(scene.folder / "second");
    scene.again();
    const Manifest last = scene.again();
    if (has_second) {
      replicate_backups(scene.repository, second, scene.database, nullptr, scene.clock);
      // Another machine, which remembers nothing.
      fs::remove_all(scene.folder / "state");
    }
    fs::remove_all(scene.repository.path());
    const Manifest next = scene.again({.form = Form::full, .second = has_second ? &second : nullptr});
    CHECK(next.sequence == last.sequence + 1);
    CHECK(next.line == last.line);
    if (!has_second) continue;
    CHECK(scene.has_note("holds backup number 2"));
    replicate_backups(scene.repository, second, scene.database, nullptr, scene.clock);
    CHECK(second.latest().id == next.id);
  }
}

TEST_CASE("a database that takes the place of the one in a lost repository begins a line of its own") {
  WitnessScene scene;
  const Manifest last = scene.again();
  fs::remove_all(scene.repository.path());
  fs::rename(scene.database, scene.folder / "aside.db");
  test::make_database(scene.database, 20, "delete", 500);
  const Manifest next = scene.again();
  CHECK(next.sequence == last.sequence + 1);
  CHECK(next.line != last.line);
}

TEST_CASE("an earlier state to which others have written since is noticed by its catalogue") {
  WitnessScene scene;
  scene.again();
  scene.keep();
  scene.again();
  scene.roll_back();
  // By a client that remembers nothing, so that the highest number is no lower than what was seen.
  for (int count = 0; count < 2; ++count) scene.back_up({.form = Form::full});
  CHECK_THROWS_WITH_AS(scene.witnessed().latest(),
                       doctest::Contains("does not go on from what this machine saw"), IntegrityError);
}

TEST_CASE("backups, prunes and repairs of another client are no alarm") {
  WitnessScene scene;
  scene.again();
  scene.back_up({.form = Form::full});
  CHECK(scene.alarm().empty());
  scene.again();
  prune(scene.repository, {.policy = {.last = 1}}, scene.clock);
  CHECK(scene.alarm().empty());
  const Manifest after_prune = scene.again();
  CHECK(scene.alarm().empty());
  std::ofstream(scene.repository.path() / "catalogue.jsonl", std::ios::app) << "damage\n";
  CHECK(Repository::repair(scene.repository.path()).made_catalogue);
  CHECK(scene.alarm().empty());
  CHECK(scene.witnessed().latest().id == after_prune.id);
  CHECK(scene.notes.empty());
}

TEST_CASE("a repair says that the repository is as it should be, and its own machine forgets") {
  WitnessScene scene;
  const Manifest first = scene.again();
  scene.keep();
  scene.again();
  scene.roll_back();
  Repository::repair(scene.repository.path());
  CHECK_FALSE(scene.alarm().empty());
  Repository::repair(scene.repository.path(), {.witness_folder = scene.folder / "state"});
  CHECK(scene.alarm().empty());
  CHECK(scene.witnessed().latest().id == first.id);
}

TEST_CASE(
    "a witness that cannot be read or written is no error, and one of another repository says nothing") {
  WitnessScene scene;
  const Manifest first = scene.again();
  for (const auto& file : fs::directory_iterator(scene.folder / "state"))
    std::ofstream(file.path()) << "{\"form";
  CHECK(scene.alarm().empty());
  CHECK(scene.witnessed().latest().id == first.id);
  fs::remove_all(scene.folder / "state");
  std::ofstream(scene.folder / "state") << "no folder";
  CHECK(scene.again().sequence == first.sequence + 1);
  CHECK(scene.alarm().empty());
}

TEST_CASE("a key that is left away after the encrypted backups were removed is asked for") {
  WitnessScene scene;
  const BackupKey key = test::key_of_file();
  scene.again({.key = &key});
  fs::remove_all(scene.repository.path());
  CHECK_THROWS_WITH_AS(scene.again(), doctest::Contains("none is there now, and no key is given"),
                       DeniedError);
}

TEST_CASE("a point in time is not restored from a repository that was put back to an earlier state") {
  WitnessScene scene;
  scene.again();
  scene.keep();
  scene.again();
  const Timestamp later = Timestamp::parse("2030-01-01T00:00:00Z");
  CHECK_NOTHROW(scene.witnessed().at(later));
  scene.roll_back();
  CHECK_THROWS_WITH_AS(scene.witnessed().at(later), doctest::Contains(earlier_state), IntegrityError);
}

TEST_CASE("a line that begins a catalogue does not silence the witness from the middle of one") {
  WitnessScene scene;
  scene.again();
  scene.keep();
  scene.again();
  scene.roll_back();
  const fs::path file = scene.repository.path() / "catalogue.jsonl";
  const std::string hash = Catalogue::read(scene.repository.path(), nullptr).last_hash();
  std::ofstream(file, std::ios::app) << fmt::format(
      "{{\"begun\":1,\"catalogue\":1,\"previous\":\"{}\",\"sequence\":2}}\n", hash);
  CHECK_THROWS_WITH_AS(scene.witnessed().latest(), doctest::Contains(earlier_state), IntegrityError);
  CHECK(scene.alarm().find("is not the first line") != std::string::npos);
}

TEST_CASE("a lost catalogue is no emptied repository") {
  WitnessScene scene;
  const Manifest last = scene.again();
  fs::remove(scene.repository.path() / "catalogue.jsonl");
  CHECK(scene.alarm().find("is missing") != std::string::npos);
  CHECK_THROWS_WITH_AS(scene.witnessed().latest(),
                       doctest::Contains("it is not known which backups are missing"), IntegrityError);
  Repository::repair(scene.repository.path(), {.witness_folder = scene.folder / "state"});
  CHECK(scene.alarm().empty());
  CHECK(scene.witnessed().latest().id == last.id);
}

TEST_CASE("a repository of encrypted backups that was replaced by a plain one is noticed, whatever it says") {
  WitnessScene scene;
  const BackupKey key = test::key_of_file();
  scene.again({.form = Form::full, .key = &key});
  fs::remove_all(scene.repository.path());
  // Somebody without the key makes one that says it was begun anew and has higher numbers.
  for (int count = 0; count < 3; ++count) scene.back_up({.form = Form::full});
  prune(scene.repository, {.policy = {.last = 1}}, scene.clock);
  CHECK(scene.alarm().find("were encrypted when this machine saw them") != std::string::npos);
  CHECK_THROWS_WITH_AS(scene.witnessed().latest(), doctest::Contains("somebody put others in their place"),
                       IntegrityError);
  CHECK_THROWS_WITH_AS(scene.witnessed().authenticated_by(key).latest(),
                       doctest::Contains("somebody put others in their place"), IntegrityError);
}

TEST_CASE("a repository that was emptied on purpose is forgotten by a repair, and begins without a key") {
  WitnessScene scene;
  const BackupKey key = test::key_of_file();
  scene.again({.form = Form::full, .key = &key});
  fs::remove_all(scene.repository.path());
  fs::create_directory(scene.repository.path());
  CHECK_THROWS_WITH_AS(scene.again(), doctest::Contains("none is there now, and no key is given"),
                       DeniedError);
  const Repair repair =
      Repository::repair(scene.repository.path(), {.witness_folder = scene.folder / "state"});
  CHECK(repair.forgot_witness);
  CHECK(scene.again().sequence == 1);
  // The same of a folder that is no repository any more.
  fs::remove_all(scene.repository.path());
  fs::create_directory(scene.repository.path());
  CHECK(Repository::repair(scene.repository.path(), {.witness_folder = scene.folder / "state"}).is_empty);
  CHECK(fs::is_empty(scene.repository.path()));
  CHECK_THROWS_AS(Repository::repair(scene.folder / "state", {.witness_folder = scene.folder / "state"}),
                  NotFoundError);
}

TEST_CASE("what is no file in the place of the witness is neither waited for nor replaced") {
  WitnessScene scene;
  scene.again();
  const fs::path state = scene.folder / "state";
  for (const fs::directory_entry& entry : fs::directory_iterator(state)) {
    const fs::path& witness = entry.path();
    fs::remove(witness);
    REQUIRE(::mkfifo(witness.c_str(), 0600) == 0);
  }
  CHECK(scene.again().sequence == 2);
  CHECK(scene.alarm().empty());
  CHECK(scene.witnessed().latest().sequence == 2);
  for (const fs::directory_entry& entry : fs::directory_iterator(state)) CHECK(entry.is_fifo());
}
