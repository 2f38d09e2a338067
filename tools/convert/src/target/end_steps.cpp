// SPDX-License-Identifier: Apache-2.0
#include "target/end_steps.h"

#include "work/workers.h"

#include <fmt/format.h>

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>

namespace nerve::convert {
namespace {

/// Rows that were just loaded are not yet known to be visible to all: an index would save no look at them.
void join_by_sort(postgresql::Session& target) {
  target.execute("SET enable_hashjoin = off; SET enable_indexscan = off; SET enable_indexonlyscan = off");
}

void join_as_planned(postgresql::Session& target) {
  target.execute("RESET enable_hashjoin; RESET enable_indexscan; RESET enable_indexonlyscan");
}

/// The steps of one conversion and what became of each.
class EndSteps {
 public:
  EndSteps(const Plan& plan, const Ledger& ledger, Ledger::DoneSteps done, Transactions transactions)
      : plan_(plan),
        ledger_(ledger),
        done_(std::move(done)),
        transactions_(transactions),
        refusals_(plan.at_end.size()) {}

  /// Of those that do, or do not, only read rows. Those before it that it needs have been run.
  void run(std::size_t place, postgresql::Session& target) {
    const Step& step = plan_.at_end[place];
    if (step.needs_previous && !is_done(place - 1)) return;
    const std::string key = fmt::format("step {} at the end", place);
    if (const auto found = done_.find(key); found != done_.end()) {
      refusals_[place] = found->second;
      return;
    }
    if (step.joins_by_sort) join_by_sort(target);
    refusals_[place] = run_step(target, ledger_, step, key, transactions_);
    if (step.joins_by_sort) join_as_planned(target);
  }

  std::vector<Untranslated> refused() const {
    std::vector<Untranslated> objects;
    for (std::size_t place = 0; place < refusals_.size(); ++place) {
      if (!refusals_[place] || refusals_[place]->empty()) continue;
      objects.push_back(plan_.at_end[place].object);
      objects.back().reason = *refusals_[place];
    }
    return objects;
  }

 private:
  bool is_done(std::size_t place) const { return refusals_[place] && refusals_[place]->empty(); }

  const Plan& plan_;
  const Ledger& ledger_;
  Ledger::DoneSteps done_;
  Transactions transactions_;
  std::vector<std::optional<std::string>> refusals_;  ///< empty where done, absent where not run
};

}  // namespace

std::vector<Untranslated> run_end_steps(const Plan& plan, const Ledger& ledger,
                                        std::span<postgresql::Session> targets, Transactions transactions,
                                        ProgressSink* progress) {
  EndSteps steps(plan, ledger, ledger.done_steps(targets.front()), transactions);
  std::vector<std::size_t> readers;
  for (std::size_t place = 0; place < plan.at_end.size(); ++place) {
    if (plan.at_end[place].only_reads) {
      readers.push_back(place);
    } else {
      steps.run(place, targets.front());
    }
  }
  std::atomic<std::size_t> done = 0;
  std::atomic<bool> is_stopped = false;
  run_tasks(
      targets.size(), readers.size(),
      [&](std::size_t worker, std::size_t number) {
        steps.run(readers[number], targets[worker]);
        ++done;
      },
      is_stopped,
      [&] {
        if (progress != nullptr) progress->update("checking constraints", done.load(), readers.size());
      });
  return steps.refused();
}

}  // namespace nerve::convert
