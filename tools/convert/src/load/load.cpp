// SPDX-License-Identifier: Apache-2.0
#include "load/load.h"

#include "load/load_schedule.h"
#include "load/range_loader.h"
#include "target/table_sql.h"
#include "work/workers.h"

#include "nerve/core/error.h"

#include <atomic>
#include <mutex>
#include <set>

namespace nerve::convert {
namespace {

std::string step_name(const Plan& plan, const TableStep& step) {
  return plan.tables[step.table].source + ": " + plan.tables[step.table].after_load[step.step].what;
}

/// What the workers of one load share.
class Load {
 public:
  Load(const Plan& plan, const Ledger& ledger, Ledger::DoneRanges done, std::set<std::string> done_steps)
      : plan_(plan),
        done_(std::move(done)),
        done_steps_(std::move(done_steps)),
        context_{plan, ledger, bytes_, rows_, is_stopped_},
        schedule_(
            plan, [this](const Range& range) { return done_.contains(key_of(range)); },
            [this](const TableStep& step) { return done_steps_.contains(step_name(plan_, step)); }),
        results_(plan.tables.size()) {
    for (std::size_t table = 0; table < plan.tables.size(); ++table) {
      for (const Range& range : ranges_of(plan.tables[table], table)) {
        const auto found = done_.find(key_of(range));
        if (found != done_.end()) add(table, found->second);
      }
    }
  }

  /// Works until nothing is left. `in_transaction` runs what it is given in a transaction.
  void work(sqlite::Session& source, postgresql::Session& target, bool is_one_transaction) {
    while (const auto task = schedule_.next()) {
      if (is_stopped_) throw CancelledError("another part of the conversion failed");
      const auto perform = [&] { perform_task(*task, source, target, is_one_transaction); };
      if (is_one_transaction) {
        perform();
      } else {
        target.transaction(perform);
      }
      schedule_.finish(*task);
    }
  }

  void stop() {
    is_stopped_ = true;
    schedule_.stop();
  }
  std::atomic<bool>& is_stopped() noexcept { return is_stopped_; }
  std::vector<RangeResult> results() const { return results_; }

  void report(ProgressSink* progress) {
    if (is_stopped_) schedule_.stop();
    if (progress == nullptr) return;
    std::int64_t total = 0;
    for (const TablePlan& table : plan_.tables) total += table.bytes;
    progress->update("loading", static_cast<std::uint64_t>(bytes_.load()), static_cast<std::uint64_t>(total));
  }

 private:
  std::pair<std::string, std::int64_t> key_of(const Range& range) const {
    return {plan_.tables[range.table].source, range.first};
  }

  void perform_task(const LoadTask& task, sqlite::Session& source, postgresql::Session& target,
                    bool is_one_transaction) {
    if (const auto* step = std::get_if<TableStep>(&task)) {
      target.execute(plan_.tables[step->table].after_load[step->step].sql);
      context_.ledger.add_step(target, step_name(plan_, *step));
      return;
    }
    const auto& range = std::get<Range>(task);
    const TablePlan& table = plan_.tables[range.table];
    // COPY may freeze rows where nobody else can have seen the table: it was made or emptied in the same
    // transaction.
    const bool is_whole = range_count(table) == 1;
    if (is_whole && !is_one_transaction)
      target.execute("TRUNCATE " + qualified_name(plan_.schema, table.target));
    add(range.table, load_range(context_, range, source, target, is_whole));
  }

  static std::size_t range_count(const TablePlan& table) { return ranges_of(table, 0).size(); }

  void add(std::size_t table, const RangeResult& result) {
    const std::scoped_lock lock(mutex_);
    results_[table].stored.add(result.stored);
    results_[table].rejected += result.rejected;
    results_[table].nulled += result.nulled;
  }

  const Plan& plan_;
  Ledger::DoneRanges done_;
  std::set<std::string> done_steps_;
  std::atomic<std::int64_t> bytes_ = 0;
  std::atomic<std::int64_t> rows_ = 0;
  std::atomic<bool> is_stopped_ = false;
  LoadContext context_;
  LoadSchedule schedule_;
  std::mutex mutex_;
  std::vector<RangeResult> results_;
};

}  // namespace

std::vector<RangeResult> load_tables(const Plan& plan, const Ledger& ledger, SourceSnapshot& snapshot,
                                     const std::string& target_url, const OpenOptions& options,
                                     ProgressSink* progress) {
  std::vector<postgresql::Session> targets;
  for (std::size_t i = 0; i < snapshot.size(); ++i) targets.emplace_back(target_url, options);
  Load load(plan, ledger, ledger.done_ranges(targets.front()), ledger.done_steps(targets.front()));
  run_workers(
      snapshot.size(),
      [&](std::size_t number) {
        try {
          load.work(snapshot.reader(number), targets[number], false);
        } catch (...) {
          load.stop();
          throw;
        }
      },
      load.is_stopped(), [&] { load.report(progress); });
  return load.results();
}

std::vector<RangeResult> load_tables_at_once(const Plan& plan, const Ledger& ledger, SourceSnapshot& snapshot,
                                             postgresql::Session& target, ProgressSink* progress) {
  Load load(plan, ledger, {}, {});
  run_workers(
      1, [&](std::size_t) { load.work(snapshot.reader(0), target, true); }, load.is_stopped(),
      [&] { load.report(progress); });
  return load.results();
}

}  // namespace nerve::convert
