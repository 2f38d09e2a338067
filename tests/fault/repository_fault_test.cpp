// SPDX-License-Identifier: Apache-2.0
// Goal and method are those of fault_test.cpp, for what changes a repository that holds backups already: a
// prune with removals and merges, a consolidation, a replication, and a backup of a set. The sweeps are
// thinned out: each kind of fault meets each operation on each kind of file, and of those on the catalogue
// every one is where the program is killed and where it fails.
//
// After each fault the repository is inspected by another process, from a copy: neither verify_all() nor the
// catalogue may tell a problem, each backup that is to be there must restore to the very bytes of its
// database, and so must each that is there besides. After the next run, one in four is inspected so; of the
// others verify_all() and the catalogue are asked.
#include "fault/repository_scene.h"
#include "fault/sweep.h"

#include "nerve/backups/backup_set.h"
#include "nerve/backups/repository.h"
#include "nerve/backups/verify.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace {

using nerve::backups::Entry;
using nerve::backups::Repository;
using nerve::backups::verify_all;
using nerve::backups::VerifyReport;
using nerve::test::FaultScene;
using nerve::test::Inspection;
using nerve::test::ProcessResult;
using nerve::test::RepositoryScene;
using nerve::test::sweep;
using nerve::test::SweepExtent;
using Store = FaultScene::Store;
using Ids = std::set<std::string>;

/// Checks that all is well there and that the backups `wanted` are, and returns how many are there that were
/// not made by the scene; these must be of one of the states `new_states`.
std::size_t new_backups(const RepositoryScene& scene, const std::filesystem::path& repository,
                        const Ids& wanted, const Ids& new_states = {}) {
  const Inspection inspection = scene.inspect(repository);
  for (const std::string& problem : inspection.problems) FAIL_CHECK(problem);
  for (const std::string& id : wanted) CHECK(inspection.states.contains(id));
  std::size_t count = 0;
  for (const auto& [name, state] : inspection.states) {
    const std::string& id = name;
    CAPTURE(id);
    const auto known = scene.states().find(id);
    if (known != scene.states().end()) {
      CHECK(state == known->second);
    } else {
      CHECK(new_states.contains(state));
      ++count;
    }
  }
  return count;
}

/// The same for less time: it is not asked to what the backups restore.
std::size_t new_backups_verified(const RepositoryScene& scene, const std::filesystem::path& repository,
                                 const Ids& wanted) {
  std::size_t count = 0;
  Ids found;
  for (const VerifyReport& report : verify_all(Repository::open(repository), {.key = &scene.key()})) {
    for (const std::string& problem : report.problems) FAIL_CHECK(problem);
    found.insert(report.id);
    if (!scene.states().contains(report.id)) ++count;
  }
  CHECK(std::ranges::includes(found, wanted));
  return count;
}

/// Looks at what the runs after a fault left.
class NextRuns {
 public:
  std::size_t new_backups_after(const RepositoryScene& scene, const std::filesystem::path& repository,
                                const Ids& wanted, const Ids& new_states = {}) {
    if (runs_++ % inspected_every == 0) return new_backups(scene, repository, wanted, new_states);
    return new_backups_verified(scene, repository, wanted);
  }

 private:
  static constexpr int inspected_every = 4;
  int runs_ = 0;
};

Ids all_of(const std::vector<std::string>& ids) {
  return {ids.begin(), ids.end()};
}

Ids ids_in(const std::filesystem::path& repository) {
  Ids ids;
  for (const Entry& entry : Repository::open(repository).list()) ids.insert(entry.name);
  return ids;
}

/// Whether the catalogue misses each of these backups where somebody takes its folder away.
bool would_be_missed(const std::filesystem::path& repository, const Ids& ids) {
  return std::ranges::all_of(ids, [&](const std::string& id) {
    const auto aside = repository / (".taken-" + id);
    std::filesystem::rename(repository / id, aside);
    const std::vector<Entry> entries = Repository::open(repository).list();
    std::filesystem::rename(aside, repository / id);
    return std::ranges::any_of(entries,
                               [&](const Entry& entry) { return entry.name == id && entry.is_gone; });
  });
}

void sweep_prune(const RepositoryScene& scene) {
  const Ids kept = scene.ids_after_prune();
  NextRuns next;
  sweep(scene, scene.prune_command(), SweepExtent::every_line_of_catalogue,
        {[&](const ProcessResult& result, const std::string&) {
           CHECK(new_backups(scene, scene.repository_path(), kept) == 0);
           if (result.exit_code == 0) CHECK(ids_in(scene.repository_path()) == kept);
         },
         [&](const ProcessResult&) {
           CHECK(next.new_backups_after(scene, scene.repository_path(), kept) == 0);
           CHECK(ids_in(scene.repository_path()) == kept);
           CHECK(would_be_missed(scene.repository_path(), kept));
           CHECK(scene.is_tidy());
         }});
}

void sweep_consolidation(const RepositoryScene& scene) {
  const Ids before = all_of(scene.ids());
  const Ids new_states = {scene.states().at(scene.ids().back())};
  const auto& repository = scene.repository_path();
  NextRuns next;
  sweep(scene, scene.consolidate_command(), SweepExtent::every_line_of_catalogue,
        {[&](const ProcessResult& result, const std::string& kind) {
           const std::size_t made = new_backups(scene, repository, before, new_states);
           if (result.exit_code == 0) {
             CHECK(made == 1);
             CHECK(would_be_missed(repository, ids_in(repository)));
           }
           // On a disk that stays full a finished backup cannot always be taken back.
           if (result.exit_code == 1 && kind != "full") CHECK(made == 0);
         },
         [&](const ProcessResult&) {
           CHECK(next.new_backups_after(scene, repository, before, new_states) >= 1);
           CHECK(scene.is_tidy());
         }});
}

void sweep_replication(const RepositoryScene& scene) {
  const Ids all = all_of(scene.ids());
  const Ids before = {scene.ids()[0], scene.ids()[1]};
  NextRuns next;
  sweep(scene, scene.replicate_command(), SweepExtent::every_line_of_catalogue,
        {[&](const ProcessResult& result, const std::string&) {
           CHECK(new_backups_verified(scene, scene.repository_path(), all) == 0);
           CHECK(new_backups(scene, scene.second_path(), result.exit_code == 0 ? all : before) == 0);
           if (result.exit_code == 0) CHECK(would_be_missed(scene.second_path(), all));
         },
         [&](const ProcessResult&) {
           CHECK(next.new_backups_after(scene, scene.second_path(), all) == 0);
           CHECK(ids_in(scene.second_path()) == all);
           CHECK(scene.is_tidy());
         }});
}

/// Whether the newest backup belongs to a set that is whole.
bool is_newest_set_whole(const RepositoryScene& scene) {
  const Repository repository = Repository::open(scene.repository_path());
  const auto core = repository.newest_of(scene.database());
  const auto set = core ? nerve::backups::find_set(repository, *core) : std::nullopt;
  return set && set->size() == 2 && set->back().id == repository.newest_of(scene.secure_database())->id;
}

}  // namespace

TEST_CASE("a prune cut off or failing at any call loses nothing that is to be kept, and the next one ends") {
  sweep_prune(RepositoryScene(Store::container));
}

TEST_CASE("a prune of encrypted backups cut off or failing at any call loses nothing that is to be kept") {
  sweep_prune(RepositoryScene(Store::encrypted));
}

TEST_CASE("a consolidation of encrypted backups cut off or failing at any call leaves a whole full or none") {
  sweep_consolidation(RepositoryScene(Store::encrypted));
}

TEST_CASE("a replication cut off or failing at any call leaves whole copies or none, and the next goes on") {
  sweep_replication(RepositoryScene(Store::encrypted));
}

TEST_CASE(
    "a backup of a set cut off or failing at any call leaves whole backups, and the next set is whole") {
  const RepositoryScene scene(Store::container);
  const Ids before = all_of(scene.ids());
  const Ids new_states = {scene.states().at(scene.ids().back()), scene.secure_state()};
  NextRuns next;
  sweep(scene, scene.set_command(), SweepExtent::every_line_of_catalogue,
        {[&](const ProcessResult& result, const std::string&) {
           const std::size_t made = new_backups(scene, scene.repository_path(), before, new_states);
           if (result.exit_code == 0) {
             CHECK(made == 2);
             CHECK(is_newest_set_whole(scene));
             CHECK(would_be_missed(scene.repository_path(), ids_in(scene.repository_path())));
           }
         },
         [&](const ProcessResult&) {
           CHECK(next.new_backups_after(scene, scene.repository_path(), before, new_states) >= 2);
           CHECK(is_newest_set_whole(scene));
           CHECK(scene.is_tidy());
         }});
}

TEST_CASE("a file system that lies about any rename of a prune does not go unseen") {
  const RepositoryScene scene(Store::container);
  const Ids kept = scene.ids_after_prune();
  std::size_t lies = 0;
  nerve::test::lie_about(scene, scene.prune_command(), "rename", [&](const ProcessResult& result) {
    ++lies;
    const Inspection inspection = scene.inspect(scene.repository_path());
    const bool is_seen = result.exit_code != 0 || !inspection.problems.empty() || !scene.is_tidy() ||
                         ids_in(scene.repository_path()) != kept;
    CHECK(is_seen);
  });
  // The note of the proof, two merges, four removals, and the catalogue.
  CHECK(lies == 8);
}
