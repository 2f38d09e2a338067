// SPDX-License-Identifier: Apache-2.0
// What a delta stands on is proved part by part, so that rot is found before a restore needs what it took.
#include "backups/container_scene.h"
#include "partial_proof.h"
#include "support/file_bytes.h"

#include "nerve/backups/retention.h"
#include "nerve/backups/verify.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::bytes_of;
using test::ContainerScene;
using test::PlainSqlite;
namespace fs = std::filesystem;

namespace {

constexpr int days_max = static_cast<int>(proof_period / std::chrono::hours(24)) + 1;

struct ProofScene : ContainerScene {
  /// `incompressible_mb` of the database do not become smaller in a backup.
  explicit ProofScene(int incompressible_mb = 0) : ContainerScene("delete") {
    PlainSqlite(database).run(
        fmt::format("CREATE TABLE noise(id INTEGER PRIMARY KEY, body);"
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})"
                    "INSERT INTO noise SELECT i, randomblob(100000) FROM n",
                    incompressible_mb * 10));
  }
  Manifest next_day() {
    clock.advance(std::chrono::hours(24));
    change(++changes);
    return back_up({.check = SourceCheck::none});
  }
  Json cursor(const Manifest& full) const { return Json::parse(bytes_of(cursor_path(full))); }
  fs::path cursor_path(const Manifest& full) const { return proof_path(repository, full.id); }
  std::string problem(const Manifest& manifest) const {
    for (const Entry& entry : repository.list()) {
      if (entry.name == manifest.id.to_string()) return entry.problem;
    }
    return "it is not listed";
  }

  int changes = 0;
};

}  // namespace

TEST_CASE("one bad byte anywhere in what a delta stands on is found by the next backup, which is a full") {
  for (const int rotten : {0, 1, 2}) {
    for (const double share : {0.1, 0.5, 0.9}) {
      CAPTURE(rotten);
      CAPTURE(share);
      ProofScene scene;
      std::vector<Manifest> chain;
      chain.reserve(chain.size() + 3);
      for (int count = 0; count < 3; ++count) chain.push_back(scene.next_day());
      REQUIRE(chain.back().container->depth == 2);
      const Manifest& bad = chain[static_cast<std::size_t>(rotten)];
      scene.alter(bad, static_cast<std::streamoff>(share * static_cast<double>(bad.file.size_bytes)));
      const Manifest next = scene.next_day();
      CHECK_FALSE(next.container->parent);
      REQUIRE(scene.notes.size() == 1);
      CHECK(scene.notes.front().find("this is a full") == 0);
      CHECK(bytes_of(scene.restored(scene.repository.latest())) == bytes_of(scene.database));
      CHECK(scene.next_day().container->parent == next.id);
      if (rotten < 2) CHECK(scene.problem(bad).find("damage was found in it at 2026-05-05T08:00:00") == 0);
    }
  }
}

TEST_CASE("of a chain that is larger than one part, every byte is proved within the stated time") {
  for (const double share : {0.3, 0.98}) {
    CAPTURE(share);
    ProofScene scene(36);
    const Manifest full = scene.next_day();
    REQUIRE(full.file.size_bytes > std::uint64_t{34} << 20U);
    scene.next_day();
    scene.alter(full, static_cast<std::streamoff>(share * static_cast<double>(full.file.size_bytes)));
    int days = 1;
    while (scene.next_day().container->parent && days <= days_max) ++days;
    CHECK(days <= days_max);
    CHECK(scene.notes.size() == 1);
    CHECK_FALSE(scene.problem(full).empty());
    CHECK(bytes_of(scene.restored(scene.repository.latest())) == bytes_of(scene.database));
  }
}

TEST_CASE("the proof resumes where it got to, and begins again after the last container") {
  ProofScene scene(12);
  const Manifest full = scene.next_day();
  std::set<std::string> containers;
  std::size_t times_begun = 0;
  std::pair<std::string, std::size_t> before;
  for (int day = 0; day < 8; ++day) {
    scene.next_day();
    const Json cursor = scene.cursor(full);
    const std::pair<std::string, std::size_t> now{cursor.at("container").get<std::string>(),
                                                  cursor.at("group")};
    CHECK(now != before);
    // Ids sort by time, so what is smaller lies before.
    if (now < before) ++times_begun;
    containers.insert(now.first);
    before = now;
    CHECK(cursor.at("at").get<std::string>().starts_with(fmt::format("2026-05-{:02}T", day + 3)));
  }
  CHECK(containers.contains(full.id.to_string()));
  CHECK(times_begun >= 1);
  CHECK(times_begun < 5);
  CHECK(scene.notes.empty());
}

TEST_CASE("where the container under the cursor was merged or removed, the proof begins anew") {
  ProofScene scene;
  const Manifest full = scene.next_day();
  const Manifest middle = scene.next_day();
  const Manifest last = scene.next_day();
  const auto place_cursor = [&](const std::string& text) {
    std::ofstream(scene.cursor_path(full), std::ios::trunc) << text;
  };
  const std::string at_middle = fmt::format(
      R"({{"format":1,"container":"{}","group":0,"at":"2026-05-04T08:00:00Z"}})", middle.id.to_string());
  place_cursor(at_middle);
  prune(scene.repository, {.policy = {.last = 1}}, scene.clock);
  CHECK_FALSE(fs::exists(scene.repository.folder_of(middle.id)));
  CHECK(scene.next_day().container->parent == last.id);
  CHECK(scene.cursor(full).at("container") != middle.id.to_string());
  for (const std::string text : {"", "{\"format\":1", "[]", R"({"container":7,"group":-1,"at":"x"})"}) {
    CAPTURE(text);
    place_cursor(text);
    CHECK(scene.next_day().container->parent);
    CHECK(scene.cursor(full).contains("at"));
  }
  CHECK(scene.notes.empty());
}

TEST_CASE(
    "a cursor that somebody put beyond the end of a container hides no damage for longer than one round") {
  ProofScene scene;
  const Manifest full = scene.next_day();
  scene.next_day();
  std::ofstream(scene.cursor_path(full), std::ios::trunc)
      << fmt::format(R"({{"format":1,"container":"{}","group":4000000000,"at":"2026-05-02T08:00:00Z"}})",
                     full.id.to_string());
  scene.alter(full, static_cast<std::streamoff>(full.file.size_bytes / 2));
  Manifest next = scene.next_day();
  if (next.container->parent) next = scene.next_day();
  CHECK_FALSE(next.container->parent);
}

TEST_CASE("a note of damage goes away when the file was put back and verify reads it right") {
  ProofScene scene;
  const Manifest full = scene.next_day();
  const Manifest delta = scene.next_day();
  const fs::path sound = scene.folder / "sound";
  fs::copy_file(scene.file_of(full), sound);
  scene.alter(full, static_cast<std::streamoff>(full.file.size_bytes / 2));
  CHECK_FALSE(verify_backup(scene.repository, full, {}).ok());
  CHECK(scene.problem(full).find("damage was found in it") == 0);
  CHECK_FALSE(scene.problem(delta).empty());
  CHECK_THROWS_AS(scene.repository.latest(), IntegrityError);
  fs::copy_file(sound, scene.file_of(full), fs::copy_options::overwrite_existing);
  CHECK(scene.problem(full).find("damage was found in it") == 0);
  for (const VerifyReport& report : verify_all(scene.repository, {})) CHECK(report.ok());
  CHECK(scene.problem(full).empty());
  CHECK(scene.repository.latest().id == delta.id);
  CHECK(scene.next_day().container->parent == delta.id);
}

TEST_CASE("damage that a restore meets is noted, so that a prune keeps the sound generation") {
  ContainerScene scene;
  const Manifest sound = scene.back_up();
  const auto state = bytes_of(scene.database);
  scene.clock.advance(std::chrono::hours(24));
  scene.change(1);
  const Manifest rotten = scene.back_up({.form = Form::full});
  scene.alter(rotten, static_cast<std::streamoff>(rotten.file.size_bytes / 2));
  CHECK_THROWS_AS(scene.restored(rotten), IntegrityError);
  CHECK_FALSE(scene.repository.newest_of(scene.database)->id == rotten.id);
  const PruneReport report = prune(scene.repository, {.policy = {.last = 1}}, scene.clock);
  CHECK(report.damaged == std::vector<std::string>{rotten.id.to_string()});
  CHECK(bytes_of(scene.restored(sound)) == state);
}
