// SPDX-License-Identifier: Apache-2.0
// Backups of real databases and of a very large one.
#include "backups/container_scene.h"
#include "support/effort.h"
#include "support/file_bytes.h"
#include "support/test_data.h"

#include "nerve/backups/consolidation.h"
#include "nerve/backups/retention.h"
#include "nerve/backups/verify.h"
#include "nerve/core/random.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::bytes_of;
using test::ContainerScene;
using test::content_of;
using test::PlainSqlite;

namespace {

/// Outside of a long run less than 4 GiB, but still beyond the page of SQLite's locks at 1 GiB.
const std::uint64_t sparse_bytes = test::scaled(2ULL, 5ULL) * 1024 * 1024 * 1024;

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

}  // namespace

TEST_CASE("random changes of each real database are restored as they were, also after pruning") {
  const auto databases = test::test_data("sqlite");
  if (!databases) return;
  constexpr std::uint64_t seed = 20260501;
  SeededRandom random(seed);
  const std::uint64_t rounds = test::scaled<std::uint64_t>(8, 20);
  INFO("seed ", seed);
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
    for (std::uint64_t round = 0; round <= rounds; ++round) {
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
    for (const Manifest& delta : {made[random.below(rounds) + 1], made[rounds]}) {
      if (!delta.container->parent) continue;
      const Manifest full = consolidate_backup(scene.repository, delta, nullptr, scene.clock);
      states[full.id.to_string()] = states.at(delta.id.to_string());
    }
    check_states(scene.repository.list());
    for (int held = 0; held < 3; ++held)
      hold_backup(scene.repository, made[random.below(rounds - 5)].id, "a random one", scene.clock);
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

TEST_CASE("a sparse database of several GiB is stored, verified and restored, and stays sparse") {
  ContainerScene scene;
  make_sparse_database(scene.database, sparse_bytes);
  const Manifest full = scene.back_up();
  CHECK(full.database_bytes() == sparse_bytes);
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
