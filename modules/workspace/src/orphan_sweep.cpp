// SPDX-License-Identifier: Apache-2.0
// Finds references across the stores whose record is gone, and does with them what the facts of the tables
// ask for.
//
// A run only remembers what it finds for the first time. It acts when a later run finds the same after the
// grace period: until then the record may be on its way in the outbox, or in a backup that is being restored.
#include "jobs.h"
#include "orphan_store.h"

#include "nerve/core/interrupt.h"
#include "nerve/cross_store.h"

#include <fmt/format.h>

#include <set>

namespace nerve::workspace {

namespace {

/// Orphans of one reference that a run looks at; more are a broken restore, not single lost records.
constexpr std::size_t orphans_max = 10'000;
constexpr std::int64_t portion = 500;

struct SweepTally {
  std::int64_t looked_up = 0;
  std::int64_t orphans = 0;
  std::int64_t waiting = 0;
  std::int64_t cleared = 0;
  std::int64_t erased = 0;
};

class Sweep {
 public:
  Sweep(JobContext& context, const StoreReference& reference, SweepTally& tally)
      : context_(context),
        reference_(reference),
        store_(context.stores.store(reference.store)),
        tally_(tally) {}

  /// False where there were too many to look at.
  bool run() {
    std::set<Uuid> orphans;
    tally_.looked_up += each_orphan(context_.stores, reference_, [&](const Uuid& id) {
      throw_if_interrupted();
      if (orphans.size() <= orphans_max) orphans.insert(id);
    });
    tally_.orphans += static_cast<std::int64_t>(orphans.size());
    if (orphans.size() > orphans_max) return false;
    for (const Uuid& orphan : orphans) handle(orphan);
    if (!context_.is_dry_run) forget_healed(orphans);
    return true;
  }

 private:
  bool is_ripe(Timestamp seen) const { return store_.clock.now() - seen >= orphan_grace; }

  void handle(const Uuid& orphan) {
    const Timestamp now = store_.clock.now();
    if (context_.is_dry_run) {
      const auto seen = store_.database.read(
          [&](db::Transaction& transaction) { return first_seen(transaction, reference_, orphan); });
      count(seen && is_ripe(*seen), 1);
      return;
    }
    const std::pair<bool, std::int64_t> done = store_.database.write([&](db::Transaction& transaction) {
      const bool acts = is_ripe(remember_orphan(transaction, reference_, orphan, now)) &&
                        reference_.reference.on_orphan != OrphanAction::report;
      if (!acts) return std::pair(false, std::int64_t{0});
      const std::int64_t rows = act_on_orphan(transaction, reference_, orphan, now);
      forget_orphan(transaction, reference_, orphan);
      return std::pair(true, rows);
    });
    count(done.first, done.second);
  }

  void count(bool acts, std::int64_t rows) {
    const OrphanAction action = reference_.reference.on_orphan;
    if (!acts || action == OrphanAction::report) ++tally_.waiting;
    if (acts && action == OrphanAction::clear) tally_.cleared += rows;
    if (acts && action == OrphanAction::erase) tally_.erased += rows;
  }

  /// What was remembered and is no orphan any more starts anew if it becomes one again.
  void forget_healed(const std::set<Uuid>& orphans) {
    Uuid after;
    for (;;) {
      const std::vector<Uuid> remembered = store_.database.read([&](db::Transaction& transaction) {
        return remembered_orphans(transaction, reference_, after, portion);
      });
      if (remembered.empty()) return;
      after = remembered.back();
      store_.database.write([&](db::Transaction& transaction) {
        for (const Uuid& id : remembered) {
          if (!orphans.contains(id)) forget_orphan(transaction, reference_, id);
        }
      });
    }
  }

  JobContext& context_;
  const StoreReference& reference_;
  OpenStore store_;
  SweepTally& tally_;
};

}  // namespace

JobReport sweep_orphans(JobContext& context) {
  JobReport report;
  SweepTally tally;
  for (const StoreReference& reference : cross_store_references(context.stores.modules())) {
    if (Sweep(context, reference, tally).run()) continue;
    report.problems.push_back(fmt::format(
        "more than {} records that {} names are missing in the {} store: nothing was done about them",
        orphans_max, reference.name(), to_string(other_store(reference.store))));
  }
  report.counts = {{"looked_up", tally.looked_up},
                   {"orphans", tally.orphans},
                   {"waiting", tally.waiting},
                   {"cleared", tally.cleared},
                   {"erased", tally.erased}};
  return report;
}

}  // namespace nerve::workspace
