// SPDX-License-Identifier: Apache-2.0
#include "job_store.h"

#include <utility>

namespace nerve::jobs {

namespace {

/// More rows than there are jobs: those of jobs that are gone stay.
constexpr std::int64_t states_max = 1000;

}  // namespace

std::map<std::string, JobState, std::less<>> read_states(db::Transaction& transaction) {
  std::map<std::string, JobState, std::less<>> states;
  transaction.each<std::string, Timestamp, std::optional<Timestamp>, Outcome, std::string,
                   std::optional<std::string>>(
      "SELECT job, started_at, finished_at, outcome, counts, problem FROM job_states ORDER BY job LIMIT "
      ":limit",
      {{"limit", states_max}},
      [&](std::string job, Timestamp started_at, std::optional<Timestamp> finished_at, Outcome outcome,
          std::string counts, std::optional<std::string> problem) {
        states.emplace(std::move(job),
                       JobState{started_at, finished_at, outcome, std::move(counts), std::move(problem)});
      });
  return states;
}

void write_state(db::Transaction& transaction, std::string_view job, const JobState& state) {
  transaction.execute(
      "INSERT INTO job_states (job, started_at, finished_at, outcome, counts, problem) VALUES (:job, "
      ":started_at, "
      ":finished_at, :outcome, :counts, :problem) ON CONFLICT (job) DO UPDATE SET started_at = "
      "excluded.started_at, finished_at = excluded.finished_at, outcome = excluded.outcome, counts = "
      "excluded.counts, problem = excluded.problem",
      {{"job", job},
       {"started_at", state.started_at},
       {"finished_at", state.finished_at},
       {"outcome", state.outcome},
       {"counts", state.counts},
       {"problem", state.problem}});
}

}  // namespace nerve::jobs
