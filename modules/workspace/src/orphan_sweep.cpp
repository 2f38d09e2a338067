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
/// Rows that a dry run counts for one orphan.
constexpr std::int64_t rows_max = 100'000;

/// An orphan's rows stand in tables of tenants and of none; each is changed as its owner's.
constexpr std::string_view reason = "references across the stores whose record is gone";

struct SweepTally {
  std::int64_t looked_up = 0;
  std::int64_t orphans = 0;
  std::int64_t waiting = 0;
  std::int64_t cleared = 0;
  std::int64_t removed = 0;
};

class Sweep {
 public:
  Sweep(JobContext& context, const StoreReference& reference, SweepTally& tally)
      : context_(context),
        reference_(reference),
        store_(context.stores.store(reference.store)),
        scope_(context.scope.across(std::string(reason))),
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

  bool acts_on(Timestamp seen) const { return is_ripe(seen) && reference_.on_orphan != OrphanAction::report; }

  void handle(const Uuid& orphan) {
    if (context_.is_dry_run) {
      store_.read(scope_, [&](Reader& reader) {
        const auto seen = first_seen(reader, reference_, orphan);
        const bool acts = seen && acts_on(*seen);
        count(acts, acts ? std::ssize(rows_with_orphan(reader, reference_, orphan, rows_max)) : 0);
      });
      return;
    }
    const bool acts = store_.change(
        scope_, [&](Change& change) { return acts_on(remember_orphan(change, reference_, orphan)); });
    if (!acts) return count(false, 0);
    count(true, act_on(orphan));
  }

  /// What the reference asks for, each tenant's rows in the scope of that tenant.
  std::int64_t act_on(const Uuid& orphan) {
    std::int64_t done = 0;
    for (;;) {
      const std::vector<OrphanRow> rows = store_.read(
          scope_, [&](Reader& reader) { return rows_with_orphan(reader, reference_, orphan, portion); });
      for (const OrphanRow& row : rows) {
        const Scope owner = row.tenant ? scope_.narrowed_to(*row.tenant) : context_.scope;
        store_.change(owner, [&](Change& change) { act_on_row(change, row.id); });
        ++done;
      }
      if (std::ssize(rows) < portion) break;
    }
    store_.change(scope_, [&](Change& change) { forget_orphan(change, reference_, orphan); });
    return done;
  }

  void act_on_row(Change& change, const Uuid& id) const {
    const db::Value key = db::Parameter("", id).value;
    if (reference_.on_orphan == OrphanAction::remove) {
      change.remove_row(*reference_.record, key);
    } else {
      change.clear_field(*reference_.record, key, *reference_.record->find(reference_.column));
    }
  }

  void count(bool acts, std::int64_t rows) {
    if (!acts) ++tally_.waiting;
    if (acts && reference_.on_orphan == OrphanAction::clear) tally_.cleared += rows;
    if (acts && reference_.on_orphan == OrphanAction::remove) tally_.removed += rows;
  }

  /// What was remembered and is no orphan any more starts anew if it becomes one again.
  void forget_healed(const std::set<Uuid>& orphans) {
    Uuid after;
    for (;;) {
      const std::vector<Uuid> remembered = store_.read(
          scope_, [&](Reader& reader) { return remembered_orphans(reader, reference_, after, portion); });
      if (remembered.empty()) return;
      after = remembered.back();
      store_.change(scope_, [&](Change& change) {
        for (const Uuid& id : remembered) {
          if (!orphans.contains(id)) forget_orphan(change, reference_, id);
        }
      });
    }
  }

  JobContext& context_;
  const StoreReference& reference_;
  OpenStore store_;
  Scope scope_;
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
                   {"removed", tally.removed}};
  return report;
}

}  // namespace nerve::workspace
