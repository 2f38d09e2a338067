// SPDX-License-Identifier: Apache-2.0
// What verifying and pruning a long chain costs, and what they say where a chain forks or is damaged.
//
// Time is not measured: the kernel counts the bytes that the process reads, and it refuses more open files
// than a limit that no chain fits under.
#include "backups/container_scene.h"
#include "support/file_bytes.h"

#include "nerve/backups/retention.h"
#include "nerve/backups/verify.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::ContainerScene;
using test::PlainSqlite;

namespace {

constexpr int half_chain = 50;
/// Twice as much to read takes less than this many times as much, the fulls and the folder included. What
/// grows with the square would take four times.
constexpr double linear_max = 2.5;
constexpr rlim_t files_max = 24;

/// Lets no more than a few files be open until its end.
class FewFiles {
 public:
  FewFiles() {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    rlimit few = before_;
    few.rlim_cur = files_max;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  }
  FewFiles(const FewFiles&) = delete;
  FewFiles& operator=(const FewFiles&) = delete;
  ~FewFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

/// What all reads of this process have given so far.
std::uint64_t read_bytes() {
  std::ifstream counts("/proc/self/io");
  std::string name;
  std::uint64_t bytes = 0;
  counts >> name >> bytes;
  REQUIRE(name == "rchar:");
  return bytes;
}

template <class Work>
double read_bytes_of(const Work& work) {
  const FewFiles few;
  const std::uint64_t before = read_bytes();
  work();
  return static_cast<double>(read_bytes() - before);
}

/// Backups of which it is known what they restore to.
struct ChainScene : ContainerScene {
  Manifest add(const BackupOptions& options = {}) {
    change(++changes);
    clock.set(Timestamp::from_microseconds(clock.now().microseconds() + 6 * 60 * std::int64_t{1'000'000}));
    Manifest manifest = back_up(options);
    states[manifest.id.to_string()] = test::bytes_of(database);
    return manifest;
  }
  Repository copy(const std::string& name) const {
    std::filesystem::copy(repository.path(), folder / name, std::filesystem::copy_options::recursive);
    return Repository::open(folder / name);
  }
  /// Goes on in a copy of the repository as it was, and brings what is made there back: as two processes
  /// would have made it that found the same newest backup.
  std::vector<Manifest> fork_from(const Repository& copy, int count) {
    std::vector<Manifest> made;
    const Repository ours = std::exchange(repository, copy);
    made.reserve(static_cast<std::size_t>(count));
    for (int number = 0; number < count; ++number) made.push_back(add());
    repository = ours;
    for (const Manifest& manifest : made)
      std::filesystem::rename(copy.folder_of(manifest.id), repository.folder_of(manifest.id));
    Repository::repair(repository.path());
    return made;
  }
  /// The problem of each backup; empty for one that is sound. Also looks at the order.
  std::map<std::string, std::string> problems() const {
    std::map<std::string, std::string> found;
    std::vector<std::string> order;
    for (const VerifyReport& report : verify_all(repository, {})) {
      CHECK(report.problems.size() <= 1);
      found[report.id] = report.problems.empty() ? "" : report.problems.front();
      order.push_back(report.id);
    }
    std::vector<std::string> listed;
    for (const Entry& entry : repository.list()) listed.push_back(entry.name);
    CHECK(order == listed);
    return found;
  }
  bool is_every_state_right() {
    bool is_right = true;
    for (const Entry& entry : repository.list())
      is_right =
          is_right && entry.manifest && test::bytes_of(restored(*entry.manifest)) == states[entry.name];
    return is_right;
  }

  int changes = 0;
  std::map<std::string, std::string> states;
};

/// The last byte of the pages that a container holds is somewhere before its index and its end.
constexpr std::streamoff before_end = 128 + 40;

void damage_pages(const ChainScene& scene, const Manifest& manifest) {
  scene.alter(manifest, static_cast<std::streamoff>(manifest.file.size_bytes) - before_end);
}

}  // namespace

TEST_CASE("verifying and pruning a chain of 100 deltas read what is stored and hold few files open") {
  ChainScene scene;
  // What weighs little would make the next full due.
  PlainSqlite(scene.database).run("UPDATE events SET body = randomblob(5000)");
  for (int number = 0; number <= half_chain; ++number) scene.add();
  const Repository half = scene.copy("half");
  for (int number = 0; number < half_chain; ++number) scene.add();
  const Repository whole = scene.copy("whole");
  REQUIRE(whole.list().back().manifest->container->depth == 2 * half_chain);

  const auto verify = [](const Repository& repository) {
    return read_bytes_of([&] {
      for (const VerifyReport& report : verify_all(repository, {})) CHECK(report.problems.empty());
    });
  };
  CHECK(verify(whole) < linear_max * verify(half));

  const auto thin_out = [&](const Repository& repository) {
    PruneReport report;
    const double bytes =
        read_bytes_of([&] { report = prune(repository, {.policy = {.hourly = 1000}}, scene.clock); });
    CHECK(report.count(Fate::merge) >= half_chain / 10);
    CHECK(report.count(Fate::remove) >= half_chain / 10 * 8);
    return bytes;
  };
  CHECK(thin_out(whole) < linear_max * thin_out(half));
  CHECK(whole.catalogue_problems().empty());
  scene.repository = whole;
  CHECK(scene.is_every_state_right());
}

TEST_CASE("a backup reads each manifest and each delta that is there once, and the catalogue four times") {
  ChainScene scene;
  scene.repository = scene.repository.witnessed_in(scene.folder / "state");
  PlainSqlite(scene.database).run("UPDATE events SET body = randomblob(5000)");
  const auto read_at_next = [&] {
    return read_bytes_of([&] {
      scene.add();
      CHECK(scene.repository.catalogue_problems().empty());
    });
  };
  const auto stored = [&] {
    std::uint64_t bytes = 0;
    for (const Entry& entry : scene.repository.list()) {
      bytes += std::filesystem::file_size(scene.repository.path() / entry.name / "manifest.json");
      if (entry.manifest->container->parent) bytes += entry.manifest->file.size_bytes;
    }
    return static_cast<double>(bytes +
                               4 * std::filesystem::file_size(scene.repository.path() / "catalogue.jsonl"));
  };
  for (int number = 0; number < 10; ++number) scene.add();
  const double few_stored = stored();
  const double few_read = read_at_next();
  for (int number = 0; number < half_chain; ++number) scene.add();
  // What a backup reads beside, such as the database, does not grow with their number.
  constexpr double slack = 1.05;
  const double grown = stored() - few_stored;
  CHECK(read_at_next() - few_read < slack * grown);
}

TEST_CASE("a damaged delta is told of itself and of what leads back to it, and of no other") {
  ChainScene scene;
  const Manifest full = scene.add();
  const Manifest before = scene.add();
  const Manifest damaged = scene.add();
  const Manifest after = scene.add();
  const Manifest next_full = scene.add({.form = Form::full});
  const Manifest next_delta = scene.add();
  damage_pages(scene, damaged);
  const std::map<std::string, std::string> problems = scene.problems();
  REQUIRE(problems.size() == 6);
  for (const Manifest& sound : {full, before, next_full, next_delta})
    CHECK(problems.at(sound.id.to_string()).empty());
  for (const Manifest& lost : {damaged, after})
    CHECK(problems.at(lost.id.to_string()).starts_with(scene.file_of(damaged).string() + ": "));
}

TEST_CASE("a generation behind one whose full is damaged is verified all the same") {
  ChainScene scene;
  const Manifest full = scene.add();
  const Manifest delta = scene.add();
  const Manifest next_full = scene.add({.form = Form::full});
  const Manifest next_delta = scene.add();
  scene.alter(full, 100);
  damage_pages(scene, next_delta);
  const std::map<std::string, std::string> problems = scene.problems();
  for (const Manifest& lost : {full, delta})
    CHECK(problems.at(lost.id.to_string()).starts_with(scene.file_of(full).string() + ": "));
  CHECK(problems.at(next_full.id.to_string()).empty());
  CHECK(problems.at(next_delta.id.to_string()).starts_with(scene.file_of(next_delta).string() + ": "));
}

TEST_CASE("a manifest that is of another container is told of its own backup and not of those behind it") {
  ChainScene scene;
  const Manifest full = scene.add();
  Manifest altered = scene.add();
  const Manifest after = scene.add();
  ++altered.sqlite.page_count;
  scene.write_manifest(altered);
  Repository::repair(scene.repository.path());
  std::filesystem::remove(scene.repository.path() / "catalogue.jsonl");
  Repository::repair(scene.repository.path());
  const std::map<std::string, std::string> problems = scene.problems();
  CHECK(problems.at(full.id.to_string()).empty());
  CHECK(problems.at(altered.id.to_string()) ==
        scene.file_of(altered).string() + " is not the container that the manifest is of");
  CHECK(problems.at(after.id.to_string()).empty());
}

TEST_CASE("both sides of a fork are verified, and damage on one is not told of the other") {
  ChainScene scene;
  scene.add();
  scene.add();
  const Repository before = scene.copy("before");
  const Manifest ours = scene.add();
  const Manifest ours_after = scene.add();
  const std::vector<Manifest> theirs = scene.fork_from(before, 3);
  REQUIRE(theirs.front().container->parent == ours.container->parent);
  for (const auto& [id, problem] : scene.problems()) CHECK(problem.empty());
  for (const VerifyReport& report : verify_all(scene.repository, {.deep = true})) {
    CHECK(report.ok());
    CHECK(report.rows == 600);
  }
  damage_pages(scene, ours);
  for (const auto& [id, problem] : scene.problems()) {
    const bool is_lost = id == ours.id.to_string() || id == ours_after.id.to_string();
    CHECK(problem.empty() != is_lost);
  }
}

TEST_CASE("a prune merges on both sides of a fork, and each backup that is kept restores to its state") {
  ChainScene scene;
  for (int number = 0; number < 3; ++number) scene.add();
  const Manifest forked = scene.add();
  const Repository before = scene.copy("before");
  for (int number = 0; number < 3; ++number) scene.add();
  scene.fork_from(before, 3);
  hold_backup(scene.repository, forked.id, "the fork", scene.clock);
  const PruneReport report = prune(scene.repository, {.policy = {.last = 2}}, scene.clock);
  CHECK(report.count(Fate::merge) == 3);
  // The sides give the same numbers, so that the newest two by time are kept besides: the last of ours is
  // one.
  CHECK(scene.repository.list().size() == 5);
  CHECK(scene.is_every_state_right());
  for (const auto& [id, problem] : scene.problems()) CHECK(problem.empty());
  CHECK(scene.repository.catalogue_problems().empty());
}
