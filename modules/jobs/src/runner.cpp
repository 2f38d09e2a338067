// SPDX-License-Identifier: Apache-2.0
#include "nerve/jobs/runner.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"
#include "nerve/module.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <exception>
#include <functional>
#include <map>

namespace nerve::jobs {

namespace {

constexpr std::size_t problem_bytes_max = 500;  ///< of the column

constexpr Field state_fields[] = {
    field<&JobState::job>("job").key(),           field<&JobState::started_at>("started_at"),
    field<&JobState::finished_at>("finished_at"), field<&JobState::outcome>("outcome"),
    field<&JobState::counts>("counts").json(),    field<&JobState::problem>("problem"),
};

std::optional<std::string> first_problem(const JobReport& report) {
  if (report.problems.empty()) return std::nullopt;
  return std::string(cut_text(report.problems.front(), problem_bytes_max));
}

std::string counts_text(const JobReport& report) {
  Json counts = Json::object();
  for (const JobCount& count : report.counts) counts[std::string(count.name)] = count.value;
  return counts.dump();
}

JobReport run_job(JobContext& context, const Job& job, Outcome& outcome) {
  try {
    JobReport report = job.run(context);
    outcome = report.problems.empty() ? Outcome::succeeded : Outcome::partial;
    return report;
  } catch (const CancelledError&) {
    throw;
  } catch (const std::exception& exception) {
    outcome = Outcome::failed;
    return {.counts = {}, .problems = {error_from(exception).what()}};
  }
}

JobRun run_recorded(Stores& stores, const Job& job, bool is_dry_run) {
  const OpenStore core = stores.store(Store::core);
  JobContext context{stores, Scope::of_workspace(Actor::job_named(std::string(job.name))), is_dry_run};
  const auto record = [&](const JobState& state) {
    if (!is_dry_run) core.change(context.scope, [&](Change& change) { change.put(job_states, state); });
  };
  JobState state{.job = std::string(job.name), .started_at = core.clock.now()};
  record(state);
  JobRun run{.job = job.name, .outcome = Outcome::succeeded, .report = {}, .duration = {}};
  run.report = run_job(context, job, run.outcome);
  const Timestamp finished_at = core.clock.now();
  run.duration = finished_at - state.started_at;
  state.finished_at = finished_at;
  state.outcome = run.outcome;
  state.counts = counts_text(run.report);
  state.problem = first_problem(run.report);
  record(state);
  return run;
}

/// The jobs that the options ask for. Throws NotFoundError.
std::vector<JobStatus> chosen(std::vector<JobStatus> statuses, const RunOptions& options, Timestamp now) {
  if (options.job) {
    const auto found = std::ranges::find_if(
        statuses, [&](const JobStatus& status) { return status.job.name == *options.job; });
    if (found != statuses.end()) return {*found};
    std::vector<std::string_view> names;
    names.reserve(statuses.size());
    for (const JobStatus& status : statuses) names.push_back(status.job.name);
    const auto meant = closest_match(*options.job, names);
    throw NotFoundError(fmt::format("there is no job {}", *options.job),
                        meant ? fmt::format("Did you mean {}?", *meant) : "`nerve-db jobs list` shows them.");
  }
  if (!options.all) std::erase_if(statuses, [&](const JobStatus& status) { return !status.is_due(now); });
  return statuses;
}

}  // namespace

constinit const Record<JobState> job_states({.table = "job_states", .noun = "job", .is_recorded = false},
                                            state_fields);

bool JobStatus::is_due(Timestamp now) const {
  return due_at(now) <= now;
}

Timestamp JobStatus::due_at(Timestamp now) const {
  if (!last || last->outcome == Outcome::running) return now;
  return last->started_at + job.interval;
}

std::vector<JobStatus> list_jobs(Stores& stores) {
  std::map<std::string, JobState, std::less<>> states;
  // More rows than there are jobs: those of jobs that are gone stay.
  for (JobState& state : stores.store(Store::core).read(Scope(), [](Reader& reader) {
         return reader.select(job_states, "TRUE", {}, {.order_by = "job"});
       })) {
    std::string name = state.job;
    states.emplace(std::move(name), std::move(state));
  }
  std::vector<JobStatus> statuses;
  for (const Module* module : stores.modules()) {
    for (const Job& job : module->jobs) {
      const auto state = states.find(job.name);
      statuses.push_back({job, state == states.end() ? std::nullopt : std::optional(state->second)});
    }
  }
  return statuses;
}

std::vector<JobRun> run_jobs(Stores& stores, const RunOptions& options) {
  std::vector<JobRun> runs;
  stores.run_exclusively([&] {
    runs.clear();
    const Timestamp now = stores.store(Store::core).clock.now();
    for (const JobStatus& status : chosen(list_jobs(stores), options, now)) {
      throw_if_interrupted();
      runs.push_back(run_recorded(stores, status.job, options.is_dry_run));
      if (options.on_run) options.on_run(runs.back());
    }
  });
  return runs;
}

}  // namespace nerve::jobs
