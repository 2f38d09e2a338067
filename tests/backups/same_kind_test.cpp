// SPDX-License-Identifier: Apache-2.0
// Faults of the kinds that were reported once: of each kind two more. What was reported has its tests where
// its parts have theirs.
#include "backups/container_scene.h"
#include "backups/hostile_hand.h"
#include "support/file_bytes.h"
#include "support/small_disk.h"

#include "nerve/backups/replication.h"
#include "nerve/backups/retention.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::bytes_of;
using test::ContainerScene;
using test::edit_manifest;
using test::put_back;
namespace fs = std::filesystem;

namespace {

struct TwoFolders : ContainerScene {
  Manifest again(Form form = Form::full) {
    clock.advance(std::chrono::minutes(1));
    change(++changes);
    Manifest manifest = back_up({.form = form, .second = &second});
    replicate_backups(repository, second, database, nullptr, clock);
    return manifest;
  }

  Repository second = Repository::open_or_create(folder / "second");
  int changes = 0;
};

bool has_note(const ContainerScene& scene, std::string_view text) {
  return std::ranges::any_of(scene.notes,
                             [&](const std::string& note) { return note.find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE(
    "loss of the first: after it was rolled back the second folder's latest is the newest, and a prune keeps "
    "it") {
  TwoFolders scene;
  scene.again();
  put_back(scene.repository.path(), scene.folder / "kept");
  for (int count = 0; count < 3; ++count) scene.again();
  put_back(scene.folder / "kept", scene.repository.path());
  const Manifest next = scene.again();
  CHECK(has_note(scene, "was lost or put back to an earlier state"));
  CHECK(next.sequence == 5);
  CHECK(scene.second.latest().id == next.id);
  prune(scene.second, {.policy = {.last = 1}}, scene.clock);
  REQUIRE(scene.second.list().size() == 1);
  CHECK(scene.second.latest().id == next.id);
}

TEST_CASE("loss of the first: when only its catalogue is lost, numbers go on above those of both folders") {
  TwoFolders scene;
  scene.again();
  const Manifest last = scene.again();
  fs::remove_all(scene.repository.folder_of(last.id));
  test::fit_catalogue(scene.repository);
  const Manifest next = scene.again(Form::automatic);
  CHECK(next.sequence == 3);
  CHECK(scene.second.latest().id == next.id);
  CHECK(bytes_of(scene.restored(next)) == bytes_of(scene.database));
}

TEST_CASE(
    "rotten parent: a container that is gone in the middle of a chain ends it, though the newest can be "
    "read") {
  ContainerScene scene;
  scene.back_up();
  scene.change(1);
  const Manifest middle = scene.back_up();
  scene.change(2);
  scene.back_up();
  fs::remove(scene.file_of(middle));
  scene.change(3);
  const Manifest next = scene.back_up();
  CHECK_FALSE(next.container->parent);
  CHECK(has_note(scene, "this is a full"));
  CHECK(bytes_of(scene.restored(scene.repository.latest())) == bytes_of(scene.database));
}

TEST_CASE(
    "rotten parent: a parent whose trailer rotted is not built on, nor is one that was cut to nothing") {
  for (const bool is_cut : {true, false}) {
    CAPTURE(is_cut);
    ContainerScene scene;
    const Manifest full = scene.back_up();
    if (is_cut) {
      fs::resize_file(scene.file_of(full), 0);
    } else {
      scene.alter(full, static_cast<std::streamoff>(full.file.size_bytes) - 10);
    }
    scene.change(1);
    const Manifest next = scene.back_up();
    CHECK_FALSE(next.container->parent);
    CHECK(next.line == full.line);
    CHECK(scene.notes.size() == 1);
    CHECK(scene.repository.latest().id == next.id);
  }
}

TEST_CASE(
    "one path, two databases: a copy in a second folder does not mix them, and its latest follows the file") {
  TwoFolders scene;
  const Manifest of_first = scene.again();
  fs::rename(scene.database, scene.folder / "first.db");
  for (const char* const suffix : {"-wal", "-shm"}) fs::remove(scene.database.string() + suffix);
  test::make_database(scene.database, 40, "delete", 900);
  const Manifest of_other = scene.again();
  CHECK(of_other.line != of_first.line);
  CHECK(scene.second.latest(scene.database).id == of_other.id);
  fs::rename(scene.database, scene.folder / "other.db");
  fs::rename(scene.folder / "first.db", scene.database);
  CHECK(scene.second.latest(scene.database).id == of_first.id);
}

TEST_CASE("one path, two databases: the one that was begun first is not restored over the other") {
  ContainerScene scene("delete");
  scene.back_up();
  fs::rename(scene.database, scene.folder / "first.db");
  test::make_database(scene.database, 40, "delete", 900);
  const Manifest of_other = scene.back_up();
  const std::string content = test::content_of(scene.database);
  scene.change(3);
  restore_backup(scene.repository, scene.repository.latest(scene.database), {scene.database}, {},
                 scene.clock);
  CHECK(test::content_of(scene.database) == content);
  // The safety backup of it belongs to its line, and the next one too.
  for (const Entry& entry : scene.repository.list()) {
    REQUIRE(entry.manifest);
    if (entry.manifest->kind == Kind::safety) CHECK(entry.manifest->line == of_other.line);
  }
  CHECK(scene.back_up().line == of_other.line);
}

TEST_CASE("downgrade: an encrypted backup whose manifest says that it is not encrypted counts neither way") {
  ContainerScene scene;
  const BackupKey key = test::key_of_file();
  scene.back_up({.form = Form::full, .key = &key});
  scene.change(1);
  const Manifest second = scene.back_up({.form = Form::full, .key = &key});
  edit_manifest(scene.repository, second.id, [](Json& json) {
    json.erase("authentication");
    json["container"]["encrypted"] = false;
  });
  test::fit_catalogue(scene.repository);
  CHECK_FALSE(test::problem_of(scene.repository.authenticated_by(key), second.id).empty());
  CHECK_FALSE(test::problem_of(scene.repository, second.id).empty());
  CHECK_THROWS_AS(scene.repository.authenticated_by(key).latest(), IntegrityError);
}

TEST_CASE(
    "downgrade: the next backup is not made in the clear when all manifests of encrypted ones are "
    "destroyed") {
  ContainerScene scene;
  const BackupKey key = test::key_of_file();
  const Manifest sealed = scene.back_up({.key = &key});
  std::ofstream(scene.repository.folder_of(sealed.id) / "manifest.json", std::ios::trunc) << "{}";
  CHECK_THROWS_AS(scene.back_up(), DeniedError);
  fs::remove(scene.repository.folder_of(sealed.id) / "manifest.json");
  fs::remove(scene.repository.path() / "catalogue.jsonl");
  CHECK_THROWS_AS(scene.back_up(), DeniedError);
}

TEST_CASE(
    "reorder: the times of two encrypted backups cannot be exchanged for a restore to a point in time") {
  ContainerScene scene;
  const BackupKey key = test::key_of_file();
  const Manifest first = scene.back_up({.form = Form::full, .key = &key});
  scene.clock.advance(std::chrono::hours(2));
  const Manifest second = scene.back_up({.form = Form::full, .key = &key});
  const std::string time = first.created_at.to_text();
  edit_manifest(scene.repository, second.id, [&](Json& json) { json["created_at"] = time; });
  test::fit_catalogue(scene.repository);
  const Repository keyed = scene.repository.authenticated_by(key);
  CHECK_THROWS_WITH_AS(keyed.at(Timestamp::parse("2026-05-01T08:30:00Z")),
                       doctest::Contains("is not authenticated"), IntegrityError);
  CHECK_FALSE(test::problem_of(keyed, second.id).empty());
}

TEST_CASE("reorder: lines of the catalogue that changed places are told, with the key and without") {
  ContainerScene scene;
  const BackupKey key = test::key_of_file();
  scene.back_up({.form = Form::full, .key = &key});
  scene.back_up({.form = Form::full, .key = &key});
  std::vector<Json> lines;
  for (const std::string& line : test::catalogue_lines(scene.repository)) lines.push_back(Json::parse(line));
  std::swap(lines[1], lines[3]);
  SUBCASE("as they were") {
    std::string text;
    for (const Json& line : lines) text += line.dump() + "\n";
    std::ofstream(scene.repository.path() / "catalogue.jsonl", std::ios::trunc) << text;
    CHECK_FALSE(scene.repository.catalogue_problems().empty());
  }
  SUBCASE("with hashes that fit") {
    test::write_catalogue(scene.repository, lines);
  }
  CHECK_FALSE(scene.repository.authenticated_by(key).catalogue_problems().empty());
}

TEST_CASE("sequence: planted numbers stop no backup, and are not counted") {
  constexpr std::int64_t highest = std::int64_t{1} << 53;
  ContainerScene scene;
  scene.back_up({.form = Form::full});
  const Manifest second = scene.back_up({.form = Form::full});
  std::vector<Json> lines;
  for (const std::string& line : test::catalogue_lines(scene.repository)) lines.push_back(Json::parse(line));
  SUBCASE("in a manifest that the catalogue fits") {
    edit_manifest(scene.repository, second.id, [](Json& json) { json["sequence"] = highest - 1; });
    test::fit_catalogue(scene.repository);
  }
  SUBCASE("in a line") {
    Json planted = lines.back();
    planted["id"] = "0196880a-0000-7000-8000-000000000001";
    planted["sequence"] = highest;
    planted["event"] = "removing";
    lines.push_back(planted);
    test::write_catalogue(scene.repository, lines);
  }
  SUBCASE("in the first line") {
    lines.front()["sequence"] = highest;
    test::write_catalogue(scene.repository, lines);
  }
  const std::vector<std::string> problems = scene.repository.catalogue_problems();
  REQUIRE_FALSE(problems.empty());
  CHECK_MESSAGE(problems.front().find("no backup can have it") != std::string::npos, problems.front());
  for (int count = 0; count < 3; ++count) {
    scene.clock.advance(std::chrono::minutes(1));
    const Manifest next = scene.back_up({.form = Form::full});
    CHECK(next.sequence <= 3 + count);
    CHECK(next.sequence >= 2 + count);
  }
}

TEST_CASE("sequence: a second folder with a number that cannot be does not stop the backups of the first") {
  for (const char* const number : {"-1", "9223372036854775807", "1e300", "\"7\""}) {
    CAPTURE(number);
    TwoFolders scene;
    const Manifest first = scene.again();
    edit_manifest(scene.second, first.id, [&](Json& json) { json["sequence"] = Json::parse(number); });
    test::fit_catalogue(scene.second);
    scene.change(90);
    const Manifest next = scene.back_up({.form = Form::full, .second = &scene.second});
    CHECK(next.sequence == 2);
    CHECK(scene.repository.latest().id == next.id);
  }
}

TEST_CASE(
    "room: an encrypted delta needs room for itself alone, and one that finds none leaves all as it was") {
  if (const std::string reason = test::SmallDisk::why_impossible(); !reason.empty()) {
    MESSAGE("skipped: " << reason);
    return;
  }
  ContainerScene scene("delete");
  test::PlainSqlite(scene.database)
      .run(
          "CREATE TABLE noise(id INTEGER PRIMARY KEY, body);"
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)"
          "INSERT INTO noise SELECT i, randomblob(100000) FROM n");
  fs::create_directory(scene.repository.path());
  constexpr std::uint64_t disk_bytes = std::uint64_t{32} << 20U;
  constexpr std::uint64_t room_bytes = std::uint64_t{700} << 10U;
  const test::SmallDisk disk(scene.repository.path(), disk_bytes);
  const BackupKey key = test::key_of_file();
  scene.back_up({.key = &key});
  disk.leave_free(room_bytes);
  scene.change(1);
  const Manifest delta = scene.back_up({.key = &key});
  CHECK(delta.container->parent);
  const auto require_refusal = [&](Form form) {
    try {
      scene.back_up({.form = form, .key = &key});
      FAIL("it found room");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::unavailable);
    }
    CHECK(scene.repository.list().size() == 2);
    CHECK(scene.repository.authenticated_by(key).latest().id == delta.id);
    for (const auto& entry : fs::directory_iterator(scene.repository.path())) {
      CHECK_FALSE(entry.path().filename().string().starts_with(".partial"));
    }
  };
  require_refusal(Form::full);
  test::PlainSqlite(scene.database).run("UPDATE noise SET body = randomblob(100000)");
  require_refusal(Form::automatic);
  CHECK(bytes_of(scene.restored(delta, &key)) != bytes_of(scene.database));
}
