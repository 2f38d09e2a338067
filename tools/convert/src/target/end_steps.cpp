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
    const auto found = done_.find(key);
    refusals_[place] =
        found != done_.end() ? found->second : run_step(target, ledger_, step, key, transactions_);
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
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> done = 0;
  std::atomic<bool> is_stopped = false;
  run_workers(
      targets.size(),
      [&](std::size_t worker) {
        for (std::size_t i = next++; i < readers.size() && !is_stopped; i = next++) {
          steps.run(readers[i], targets[worker]);
          ++done;
        }
      },
      is_stopped,
      [&] {
        if (progress != nullptr) progress->update("checking constraints", done.load(), readers.size());
      });
  return steps.refused();
}

}  // namespace nerve::convert
