// SPDX-License-Identifier: Apache-2.0
// Whatever lies in the place of the cache of page hashes, and whoever else backs up at once: the backups are
// right.
#include "page_state_cache.h"

#include "backups/child_process.h"
#include "backups/container_scene.h"
#include "support/file_bytes.h"

#include "nerve/backups/verify.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::bytes_of;
using test::ContainerScene;
namespace fs = std::filesystem;

namespace {

struct CacheScene : ContainerScene {
  CacheScene() : ContainerScene("delete") {
    // So that many deltas weigh less than the full.
    test::PlainSqlite(database).run("CREATE TABLE noise(body); INSERT INTO noise VALUES(randomblob(300000))");
    next();
  }

  Repository remembered() const { return repository.witnessed_in(folder / "state"); }
  Manifest next() {
    change(++changes);
    clock.advance(std::chrono::minutes(1));
    return create_backup(database, remembered(), {}, clock);
  }
  /// The only cache there is.
  fs::path cache() const {
    std::vector<fs::path> found;
    for (const auto& file : fs::directory_iterator(folder / "state")) {
      if (file.path().extension() == ".pages") found.push_back(file.path());
    }
    REQUIRE(found.size() == 1);
    return found.front();
  }
  void require_right(const Manifest& delta, const Manifest& parent) {
    REQUIRE(delta.container->parent == parent.id);
    CHECK(delta.container->stored_pages <= 3);
    CHECK(bytes_of(restored(delta)) == bytes_of(database));
    for (const VerifyReport& report : verify_all(repository, {})) CHECK(report.ok());
  }

  int changes = 0;
};

void put_in_cache(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace

TEST_CASE(
    "the cache of an earlier backup, of another database, a cut one, garbage and none are passed over") {
  CacheScene scene;
  scene.next();
  const std::string early = bytes_of(scene.cache());
  CacheScene other;
  other.next();
  test::PlainSqlite(other.database).run("UPDATE users SET score = 7");
  other.next();
  const std::string of_other = bytes_of(other.cache());
  Manifest parent = scene.next();
  const std::string sound = bytes_of(scene.cache());
  REQUIRE(sound != early);
  for (const std::string& bytes : {early, of_other, sound.substr(0, sound.size() / 2), sound.substr(1),
                                   std::string(), std::string(sound.size(), '\x5a')}) {
    put_in_cache(scene.cache(), bytes);
    const Manifest delta = scene.next();
    scene.require_right(delta, parent);
    parent = delta;
  }
  fs::remove(scene.cache());
  const Manifest without = scene.next();
  scene.require_right(without, parent);
  // What is right again is taken again.
  scene.require_right(scene.next(), without);
}

TEST_CASE(
    "a state folder that somebody else fills with links and folders is no reason to fail, and nothing is "
    "followed") {
  CacheScene scene;
  const Manifest first = scene.next();
  const fs::path victim = scene.folder / "victim";
  put_in_cache(victim, "precious");
  const fs::path cache = scene.cache();
  fs::remove(cache);
  fs::create_symlink(victim, cache);
  const Manifest second = scene.next();
  scene.require_right(second, first);
  CHECK(bytes_of(victim) == "precious");
  fs::remove(cache);
  fs::create_directories(cache / "folder");
  scene.require_right(scene.next(), second);
}

TEST_CASE(
    "two processes that back up one database at once both make a backup that restores, with numbers of their "
    "own") {
  CacheScene scene;
  scene.next();
  constexpr int rounds = 3;
  for (int round = 0; round < rounds; ++round) {
    scene.change(50 + round);
    const auto back_up = [&scene] { create_backup(scene.database, scene.remembered(), {}, scene.clock); };
    test::ChildProcess one(back_up);
    test::ChildProcess two(back_up);
    CHECK(one.wait());
    CHECK(two.wait());
  }
  std::set<std::int64_t> numbers;
  for (const Entry& entry : scene.repository.list()) {
    REQUIRE(entry.manifest);
    numbers.insert(entry.manifest->sequence);
  }
  CHECK(numbers.size() == 2 + 2 * rounds);
  for (const VerifyReport& report : verify_all(scene.repository, {})) CHECK(report.ok());
  const Manifest last = scene.next();
  CHECK(bytes_of(scene.restored(last)) == bytes_of(scene.database));
  CHECK(scene.remembered().catalogue_problems().empty());
  CHECK(scene.remembered().latest().id == last.id);
}
