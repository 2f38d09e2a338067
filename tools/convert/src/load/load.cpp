// SPDX-License-Identifier: Apache-2.0
#include "load/load.h"

#include "load/append_to.h"
#include "load/load_schedule.h"
#include "load/range_loader.h"
#include "target/step_runner.h"
#include "target/table_sql.h"
#include "target/target_schema.h"
#include "work/workers.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>

namespace nerve::convert {
namespace {

/// As the ledger names it.
std::string key_of(const Plan& plan, const TableStep& step) {
  return fmt::format("step {} of {}", step.step, plan.tables[step.table].source);
}

/// What the workers of one load share.
class Load {
 public:
  Load(const Plan& plan, const Ledger& ledger, std::size_t workers, bool may_reject, Ledger::DoneRanges done,
       Ledger::DoneSteps done_steps)
      : plan_(plan),
        shares_server_(workers > 1),
        done_(std::move(done)),
        done_steps_(std::move(done_steps)),
        context_{plan, ledger, bytes_, rows_, is_stopped_, may_reject},
        schedule_(
            plan, [this](const Range& range) { return done_.contains(key_of(range)); },
            [this](const TableStep& step) { return is_done(step); }),
        result_{.tables = std::vector<RangeResult>(plan.tables.size()), .refused = {}} {
    for (std::size_t table = 0; table < plan.tables.size(); ++table) {
      const std::vector<Range> ranges = ranges_of(plan.tables[table], table);
      for (const Range& range : ranges) {
        const auto found = done_.find(key_of(range));
        if (found == done_.end()) continue;
        add(table, found->second);
        rows_ += found->second.stored.rows;
        bytes_ += plan.tables[table].bytes / static_cast<std::int64_t>(ranges.size());
      }
      for (std::size_t step = 0; step < plan.tables[table].after_load.size(); ++step) {
        const auto found = done_steps_.find(convert::key_of(plan, {table, step}));
        ++step_count_;
        if (found == done_steps_.end()) continue;
        add_refusal({table, step}, found->second);
        ++steps_done_;
      }
    }
  }

  /// Works until nothing is left.
  void work(sqlite::Session& source, postgresql::Session& target, Transactions transactions) {
    while (const auto task = schedule_.next()) {
      if (is_stopped_) throw CancelledError("another part of the conversion failed");
      bool is_refused = false;
      if (const auto* step = std::get_if<TableStep>(&*task)) {
        const bool is_alone = shares_server_ && schedule_.is_last_task();
        if (is_alone) use_all_processes(target);
        const std::string refusal = run(*step, target, transactions, shares_server_ && !is_alone);
        if (is_alone) use_one_process(target);
        add_refusal(*step, refusal);
        is_refused = !refusal.empty();
        ++steps_done_;
      } else {
        load_as_planned(std::get<Range>(*task), source, target, transactions);
      }
      schedule_.finish(*task, is_refused);
    }
  }

  void stop() {
    is_stopped_ = true;
    schedule_.stop();
  }
  std::atomic<bool>& is_stopped() noexcept { return is_stopped_; }
  LoadResult result() const { return result_; }

  void report(ProgressSink* progress) {
    if (is_stopped_) schedule_.stop();
    if (progress == nullptr) return;
    std::int64_t total = 0;
    for (const TablePlan& table : plan_.tables) total += table.bytes;
    std::string detail = format_count(rows_.load()) + " rows";
    if (step_count_ > 0)
      detail += fmt::format(", {} of {} keys and indexes", steps_done_.load(), step_count_);
    progress->detail(detail);
    progress->update("loading", static_cast<std::uint64_t>(bytes_.load()), static_cast<std::uint64_t>(total));
  }

 private:
  /// With so little memory the server would use one process only, also where it may use more.
  std::string run(const TableStep& step, postgresql::Session& target, Transactions transactions,
                  bool is_one_process) const {
    const TablePlan& table = plan_.tables[step.table];
    const Step& what = table.after_load[step.step];
    const bool is_cached = what.sorts_in_cache && is_one_process;
    if (is_cached) sort_in_cache(target, table.bytes);
    std::string refusal = run_step(target, context_.ledger, what, convert::key_of(plan_, step), transactions);
    if (is_cached) sort_in_memory(target);
    return refusal;
  }

  /// By an earlier run; so is a step that needs one that was refused then.
  bool is_done(const TableStep& step) const {
    if (done_steps_.contains(convert::key_of(plan_, step))) return true;
    if (!plan_.tables[step.table].after_load[step.step].needs_previous) return false;
    const auto previous = done_steps_.find(convert::key_of(plan_, {step.table, step.step - 1}));
    return previous != done_steps_.end() && !previous->second.empty();
  }

  std::pair<std::string, std::int64_t> key_of(const Range& range) const {
    return {plan_.tables[range.table].source, range.first};
  }

  /// Tables that were there before have rules that rows may break.
  void load_as_planned(const Range& range, sqlite::Session& source, postgresql::Session& target,
                       Transactions transactions) {
    const auto work = [&] { load(range, source, target, transactions); };
    if (plan_.appends) return append_to("table " + plan_.tables[range.table].target, transactions, work);
    try {
      work();
    } catch (const DatabaseError& error) {
      constexpr std::string_view data_class = "22";  // of SQLSTATE
      const TablePlan& table = plan_.tables[range.table];
      const bool computes =
          std::ranges::any_of(table.columns, [](const ColumnPlan& column) { return !column.is_loaded; });
      if (!computes || !error.code().starts_with(data_class)) throw;
      throw ComputeError(range.table, error);
    }
  }

  void load(const Range& range, sqlite::Session& source, postgresql::Session& target,
            Transactions transactions) {
    const TablePlan& table = plan_.tables[range.table];
    // COPY may freeze rows where nobody else can have seen the table: it was emptied in the same transaction.
    const bool is_whole = !plan_.appends && ranges_of(table, 0).size() == 1;
    RangeResult result;
    const auto work = [&] {
      if (is_whole) target.execute("TRUNCATE " + qualified_name(plan_.schema, table.target));
      if (plan_.appends) use_own_path(target);
      result = load_range(context_, range, source, target, is_whole);
    };
    if (transactions == Transactions::one) {
      work();
      if (plan_.appends) use_server_path(target);
    } else {
      target.transaction([&] {
        context_.ledger.require_own(target);
        work();
      });
    }
    add(range.table, result);
  }

  void add(std::size_t table, const RangeResult& result) {
    const std::scoped_lock lock(mutex_);
    RangeResult& sum = result_.tables[table];
    sum.stored.add(result.stored);
    sum.rejected += result.rejected;
    sum.nulled += result.nulled;
  }

  void add_refusal(const TableStep& step, const std::string& refusal) {
    if (refusal.empty()) return;
    const std::scoped_lock lock(mutex_);
    result_.refused.push_back(plan_.tables[step.table].after_load[step.step].object);
    result_.refused.back().reason = refusal;
  }

  const Plan& plan_;
  bool shares_server_;  ///< each worker is one process there, while others work
  Ledger::DoneRanges done_;
  Ledger::DoneSteps done_steps_;
  std::atomic<std::int64_t> bytes_ = 0;
  std::atomic<std::int64_t> rows_ = 0;
  std::size_t step_count_ = 0;
  std::atomic<std::size_t> steps_done_ = 0;
  std::atomic<bool> is_stopped_ = false;
  LoadContext context_;
  LoadSchedule schedule_;
  std::mutex mutex_;
  LoadResult result_;
};

}  // namespace

ComputeError::ComputeError(std::size_t table, const DatabaseError& error)
    : DatabaseError(error.kind(), fmt::format("it cannot be computed of every row: {}", error.what()), "",
                    error.code()),
      table_(table) {}

LoadResult load_tables(const Plan& plan, const Ledger& ledger, SourceSnapshot& snapshot,
                       std::span<postgresql::Session> targets, const LoadOptions& options,
                       ProgressSink* progress) {
  Load load(plan, ledger, targets.size(), options.may_reject, ledger.done_ranges(targets.front()),
            ledger.done_steps(targets.front()));
  run_workers(
      targets.size(),
      [&](std::size_t number) {
        try {
          load.work(snapshot.reader(number), targets[number], options.transactions);
        } catch (...) {
          load.stop();
          throw;
        }
      },
      load.is_stopped(), [&] { load.report(progress); });
  return load.result();
}

}  // namespace nerve::convert
