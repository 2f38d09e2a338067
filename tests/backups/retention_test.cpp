// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/retention.h"

#include "backups/hostile_hand.h"
#include "backups/scratch_database.h"
#include "catalogue.h"
#include "partial_backup.h"
#include "retention_selection.h"
#include "support/effort.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/restore.h"
#include "nerve/backups/verification.h"
#include "nerve/backups/verify.h"
#include "nerve/core/bytes.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::make_database;
using test::PlainSqlite;
using test::TempFolder;

namespace {

Candidate candidate(std::int64_t sequence, std::string_view time) {
  Candidate made;
  made.backup.id = new_id<BackupTag>();
  made.backup.created_at = Timestamp::parse(time);
  made.backup.sequence = sequence;
  made.backup.has_rows = true;
  return made;
}

/// The sequences that are not removed.
std::vector<std::int64_t> kept(const std::vector<PruneDecision>& decisions) {
  std::vector<std::int64_t> sequences;
  for (const PruneDecision& decision : decisions) {
    if (decision.fate != Fate::remove) sequences.push_back(decision.backup.sequence);
  }
  return sequences;
}

using Sequences = std::vector<std::int64_t>;
const Timestamp now = Timestamp::parse("2026-05-10T12:00:00Z");

struct RetentionScene {
  explicit RetentionScene(const BackupKey* the_key = nullptr, int rows = 300) : key(the_key) {
    make_database(database, rows, "wal");
  }

  /// A backup `minutes` later, after a change.
  Manifest back_up(int minutes) {
    clock.set(Timestamp::from_microseconds(clock.now().microseconds() + minutes * std::int64_t{60'000'000}));
    PlainSqlite(database).run(fmt::format("UPDATE users SET score = score + 1 WHERE id = {}", ++changes));
    Manifest manifest = create_backup(database, repository, {.key = key}, clock);
    states[manifest.id] = test::bytes_of(database);
    return manifest;
  }
  PruneReport prune_to(RetentionPolicy policy, bool dry_run = false) {
    return prune(repository, {.policy = policy, .key = key, .dry_run = dry_run}, clock);
  }
  std::size_t count() const { return repository.list().size(); }
  /// Whether each backup that is left restores to what the database was.
  bool is_every_state_right() {
    for (const Entry& entry : repository.list()) {
      if (!entry.manifest) return false;
      const std::filesystem::path path = folder / "restored";
      std::filesystem::remove(path);
      RestoreOptions options;
      options.key = key;
      restore_backup(repository, *entry.manifest, {path, RestoreTarget::Mode::new_file}, options, clock);
      if (test::bytes_of(path) != states.at(entry.manifest->id)) return false;
    }
    return true;
  }

  TempFolder folder;
  std::filesystem::path database = folder / "app.db";
  Repository repository = Repository::open_or_create(folder / "backups");
  ManualClock clock{Timestamp::parse("2026-05-01T00:00:00Z")};
  const BackupKey* key;
  std::map<BackupId, std::string> states;
  int changes = 0;
};

}  // namespace

TEST_CASE("the newest of each day, week, month and year that has one is kept") {
  const std::vector<Candidate> list = {
      candidate(1, "2025-12-31T23:00:00Z"), candidate(2, "2026-01-15T01:00:00Z"),
      candidate(3, "2026-04-27T09:00:00Z"),  // a Monday
      candidate(4, "2026-05-03T09:00:00Z"),  // the Sunday of the same week
      candidate(5, "2026-05-09T08:00:00Z"), candidate(6, "2026-05-09T20:00:00Z"),
      candidate(7, "2026-05-10T11:00:00Z"),
  };
  CHECK(kept(decide(list, {.last = 2}, now)) == Sequences{6, 7});
  CHECK(kept(decide(list, {.hourly = 3}, now)) == Sequences{5, 6, 7});
  CHECK(kept(decide(list, {.daily = 3}, now)) == Sequences{4, 6, 7});
  CHECK(kept(decide(list, {.weekly = 3}, now)) == Sequences{2, 4, 7});
  CHECK(kept(decide(list, {.monthly = 3}, now)) == Sequences{2, 3, 7});
  CHECK(kept(decide(list, {.yearly = 5}, now)) == Sequences{1, 7});
  CHECK(kept(decide(list, {.last = 1, .yearly = 2}, now)) == Sequences{1, 7});
  CHECK(decide(list, {.daily = 1}, now).back().reasons ==
        std::vector<std::string>{"newest", "newest with rows", "daily 2026-05-10"});
}

TEST_CASE("sequence says which is newest, whatever the clock said") {
  const std::vector<Candidate> list = {candidate(1, "2026-05-10T11:00:00Z"),
                                       candidate(2, "2025-05-10T11:00:00Z")};
  CHECK(kept(decide(list, {.last = 1}, now)) == Sequences{2});
}

TEST_CASE("what is held, verified last, damaged, or a young safety backup stays") {
  std::vector<Candidate> list;
  for (std::int64_t sequence = 1; sequence <= 9; ++sequence)
    list.push_back(candidate(sequence, "2026-05-09T11:00:00Z"));
  list[0].standing.is_held = true;
  list[1].standing.is_verified = true;
  list[2].standing.is_verified = true;
  list[3].backup.state = State::damaged;
  list[4].backup.kind = Kind::safety;
  list[5].backup.kind = Kind::safety;
  list[5].backup.created_at = Timestamp::parse("2026-04-09T11:00:00Z");
  list[7].backup.has_rows = true;
  list[8].backup.has_rows = false;
  list[8].backup.is_emptied = true;
  // 8 is the newest that latest means, and the emptied one is the last.
  CHECK(kept(decide(list, {.last = 1}, now)) == Sequences{1, 3, 4, 5, 8, 9});
}

TEST_CASE("the full of a delta that is kept stays, and a delta over a gap is merged") {
  std::vector<Candidate> list;
  for (std::int64_t sequence = 1; sequence <= 5; ++sequence) {
    list.push_back(candidate(sequence, fmt::format("2026-05-0{}T11:00:00Z", sequence)));
    ContainerFacts facts;
    facts.generation = list.front().backup.id;
    facts.depth = sequence - 1;
    if (sequence > 1) facts.parent = list[static_cast<std::size_t>(sequence - 2)].backup.id;
    list.back().backup.container = facts;
  }
  list[2].standing.is_held = true;
  const std::vector<PruneDecision> decisions = decide(list, {.last = 2}, now);
  CHECK(kept(decisions) == Sequences{1, 3, 4, 5});
  CHECK(decisions[0].reasons == std::vector<std::string>{"a delta needs it"});
  CHECK(decisions[2].fate == Fate::merge);
  CHECK(decisions[3].fate == Fate::keep);
}

TEST_CASE("deltas each ten minutes are thinned to hours, and each that is left restores to its state") {
  for (const bool is_encrypted : {false, true}) {
    CAPTURE(is_encrypted);
    const BackupKey key = test::key_of_file();
    RetentionScene scene(is_encrypted ? &key : nullptr);
    const int rounds = test::scaled(20, 30);
    for (int round = 0; round < rounds; ++round) scene.back_up(10);
    const PruneReport planned = scene.prune_to({.last = 2, .hourly = 3}, true);
    CHECK_FALSE(planned.done);
    CHECK(scene.count() == static_cast<std::size_t>(rounds));
    const PruneReport report = scene.prune_to({.last = 2, .hourly = 3});
    CHECK(report.done);
    CHECK(report.count(Fate::remove) == planned.count(Fate::remove));
    CHECK(scene.count() == 5);  // the full, and of three hours the newest, one of which is among the last two
    CHECK(report.freed_bytes > 0);
    CHECK(scene.is_every_state_right());
    for (const VerifyReport& one : verify_all(scene.repository, {.key = scene.key}))
      CHECK(one.problems.empty());
    // What follows a merged delta goes on from it.
    scene.back_up(10);
    CHECK(scene.is_every_state_right());
    CHECK(scene.prune_to({.last = 1}).count(Fate::remove) > 0);
    CHECK(scene.count() == 2);
    CHECK(scene.is_every_state_right());
  }
}

TEST_CASE("a database that shrinks and grows again between kept deltas is merged right") {
  RetentionScene scene(nullptr, 5000);
  // The full must weigh more than the deltas, or it would not stay the only one.
  PlainSqlite(scene.database)
      .run("UPDATE events SET body = randomblob(800) WHERE id <= 4500; PRAGMA auto_vacuum = FULL; VACUUM");
  scene.back_up(60);
  scene.back_up(60);
  PlainSqlite(scene.database).run("DELETE FROM events WHERE id > 4500");
  scene.back_up(60);
  PlainSqlite(scene.database)
      .run(
          "INSERT INTO events (id, body) WITH RECURSIVE n(i) AS (SELECT 5001 UNION ALL SELECT i + 1 FROM n "
          "WHERE i < 6000) SELECT i, printf('%0300d', i) FROM n");
  scene.back_up(60);
  scene.back_up(60);
  scene.prune_to({.last = 1});
  CHECK(scene.count() == 2);
  CHECK(scene.is_every_state_right());
}

TEST_CASE("a hold and the note of a proof outlive a merge, and a hold ends when it is released") {
  RetentionScene scene;
  scene.back_up(60);
  scene.back_up(60);
  const Manifest held = scene.back_up(60);
  scene.back_up(60);
  hold_backup(scene.repository, held.id, "before the audit", scene.clock);
  record_verification(scene.repository, held.id, Proof::hashes, scene.clock);
  CHECK(hold_of(scene.repository, held.id)->reason == "before the audit");
  scene.prune_to({.last = 1});
  CHECK(scene.count() == 3);
  CHECK(hold_of(scene.repository, held.id));
  CHECK(last_verification(scene.repository, held.id));
  CHECK(verify_backup(scene.repository, scene.repository.find(held.id.to_string()), {}).ok());
  CHECK(release_backup(scene.repository, held.id));
  CHECK_FALSE(release_backup(scene.repository, held.id));
  // It is still the newest that was verified.
  scene.prune_to({.last = 1});
  CHECK(scene.count() == 3);
  CHECK(scene.is_every_state_right());
}

TEST_CASE("prune refuses an empty policy, a busy repository, and encrypted deltas without their key") {
  const BackupKey key = test::key_of_file();
  RetentionScene scene(&key);
  for (int round = 0; round < 4; ++round) scene.back_up(60);
  CHECK_THROWS_AS(scene.prune_to({}), ValidationError);
  CHECK_THROWS_AS(prune(scene.repository, {.policy = {.last = 1}}, scene.clock), DeniedError);
  CHECK(scene.count() == 4);
  {
    const RepositoryLock other = RepositoryLock::shared(scene.repository);
    CHECK_THROWS_AS(scene.prune_to({.last = 1}), ConflictError);
  }
  CHECK(scene.prune_to({.last = 1}).done);
}

TEST_CASE("a damaged delta stops a merge before anything is removed") {
  RetentionScene scene;
  for (int round = 0; round < 3; ++round) scene.back_up(60);
  const Manifest last = scene.back_up(60);
  const std::filesystem::path file = scene.repository.folder_of(*last.container->parent) / "pages.zst";
  std::string content = test::bytes_of(file);
  content[300] = static_cast<char>(content[300] ^ 1);
  std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
  CHECK_THROWS_AS(scene.prune_to({.last = 1}), IntegrityError);
  CHECK(scene.count() == 4);
}

TEST_CASE("what a prune that was cut off wanted to remove and the next one keeps is missed when it is gone") {
  RetentionScene scene;
  for (int round = 0; round < 3; ++round) scene.back_up(60);
  const Manifest newest = scene.back_up(60);
  const Manifest spared = scene.repository.read(*newest.container->parent);
  {
    // All that it came to.
    CatalogueWriter catalogue(scene.repository);
    const std::vector<CatalogueLine> lines = {
        catalogue_line(CatalogueEvent::removing, spared, scene.clock.now()),
        catalogue_line(CatalogueEvent::removing, scene.repository.read(*spared.container->parent),
                       scene.clock.now())};
    catalogue.append(lines);
  }
  CHECK(scene.repository.catalogue_problems().empty());
  CHECK(scene.prune_to({.last = 3}).count(Fate::keep) == 4);
  CHECK(scene.is_every_state_right());
  std::filesystem::remove_all(scene.repository.folder_of(spared.id));
  const std::vector<Entry> entries = scene.repository.list();
  CHECK(std::ranges::count(entries, true, &Entry::is_gone) == 1);
}

TEST_CASE("prune removes nothing while a backup cannot be trusted") {
  RetentionScene scene;
  const Manifest full = scene.back_up(60);
  const Manifest first = scene.back_up(60);
  scene.back_up(60);
  create_backup(scene.database, scene.repository, {.form = Form::full}, scene.clock);
  std::ofstream(scene.repository.folder_of(first.id) / "manifest.json", std::ios::trunc) << "{}";
  CHECK(scene.prune_to({.last = 1}, true).count(Fate::remove) > 0);
  CHECK_THROWS_WITH_AS(scene.prune_to({.last = 1}), doctest::Contains("2 backups in"), IntegrityError);
  CHECK(scene.repository.read(full.id).id == full.id);
  CHECK(scene.count() == 4);
}

TEST_CASE("a list of pages that was altered, although each page fits its hash, stops a merge") {
  RetentionScene scene;
  scene.back_up(60);
  PlainSqlite(scene.database).run("UPDATE users SET score = score + 7");
  const Manifest delta = scene.back_up(60);
  REQUIRE(delta.container->stored_pages >= 2);
  scene.back_up(60);
  // The number of the last page in the list, behind the header, the head of the record and two counts.
  const auto place = static_cast<std::size_t>(256 + 8 + 8 + 4 * (delta.container->stored_pages - 1));
  const std::filesystem::path path = scene.repository.folder_of(delta.id) / delta.file.name;
  std::string content = test::bytes_of(path);
  content[place] = static_cast<char>(content[place] + 1);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  CHECK_THROWS_WITH_AS(scene.prune_to({.last = 1}), doctest::Contains("its list of pages was altered"),
                       IntegrityError);
  CHECK(scene.count() == 3);
}
