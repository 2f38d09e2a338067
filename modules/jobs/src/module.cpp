// SPDX-License-Identifier: Apache-2.0
#include "nerve/jobs/module.h"

#include "commands.h"

#include "nerve/core/text.h"
#include "nerve/jobs/runner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

namespace nerve::jobs {

namespace {

/// Whether the last run of each job ended well and is not long ago. A job that never ran is not judged: a new
/// workspace has nothing to do yet.
health::Check check_runs(Stores& stores) {
  constexpr int intervals_max = 10;
  std::vector<std::string> wrong;
  const std::vector<JobStatus> statuses = list_jobs(stores);
  const Timestamp now = stores.store(Store::core).clock.now();
  for (const JobStatus& status : statuses) {
    if (!status.last) continue;
    if (status.last->outcome == Outcome::failed || status.last->outcome == Outcome::partial) {
      wrong.push_back(fmt::format("{} did not succeed", status.job.name));
    } else if (now - status.last->started_at > status.job.interval * intervals_max + std::chrono::hours(1)) {
      wrong.push_back(
          fmt::format("{} ran {} ago", status.job.name, format_duration(now - status.last->started_at)));
    }
  }
  return {.status = wrong.empty() ? health::Status::ok : health::Status::warning,
          .value = fmt::format("{} of {} amiss", wrong.size(), statuses.size()),
          .threshold = "every last run succeeded, within ten times its interval",
          .message = wrong.empty() ? "the jobs run" : fmt::format("{}", fmt::join(wrong, ", ")),
          .fix = wrong.empty() ? "" : "nerve-db jobs run --all"};
}

}  // namespace

const Module definition{.name = "jobs",
                        .description = "runs what modules do from time to time",
                        .version = "0.2.0",
                        .placement = Placement::core,
                        .depends_on = {"workspace"},
                        .records = {&job_states},
                        .checks = {{"jobs.runs", &check_runs}},
                        .commands = &commands};

}  // namespace nerve::jobs
