// SPDX-License-Identifier: Apache-2.0
// nerve-db jobs list and run
#include "commands.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"
#include "nerve/jobs/runner.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace nerve::jobs {

namespace {

std::string text_of(Outcome outcome) {
  return std::string(db::enum_text(outcome));
}

TableCell cell_of(Outcome outcome) {
  const Style style = outcome == Outcome::succeeded ? Style::good
                      : outcome == Outcome::failed  ? Style::bad
                                                    : Style::warning;
  return {text_of(outcome), style};
}

Json status_json(const JobStatus& status, Timestamp now) {
  Json last;
  if (status.last) {
    last = {{"started_at", status.last->started_at.to_text()},
            {"finished_at", status.last->finished_at ? Json(status.last->finished_at->to_text()) : Json()},
            {"outcome", text_of(status.last->outcome)},
            {"counts", parse_json(status.last->counts, "counts")},
            {"problem", status.last->problem ? Json(*status.last->problem) : Json()}};
  }
  return {{"job", status.job.name},
          {"description", status.job.description},
          {"interval_s", status.job.interval.count()},
          {"due_at", status.due_at(now).to_text()},
          {"last", std::move(last)}};
}

int run_list(CommandContext& context, const Arguments& /*arguments*/) {
  Output& output = context.output();
  const std::vector<JobStatus> statuses = list_jobs(context.stores());
  const Timestamp now = context.stores().store(Store::core).clock.now();
  if (output.wants_json()) {
    Json list = Json::array();
    for (const JobStatus& status : statuses) list.push_back(status_json(status, now));
    output.json({{"jobs", std::move(list)}});
    return 0;
  }
  Table table{.columns = {{"JOB"}, {"EVERY"}, {"LAST RUN"}, {"OUTCOME"}, {"DUE"}, {"DESCRIPTION"}},
              .rows = {}};
  for (const JobStatus& status : statuses) {
    table.rows.push_back({std::string(status.job.name), format_duration(status.job.interval),
                          status.last ? output.time(status.last->started_at) : "never",
                          status.last ? cell_of(status.last->outcome) : TableCell(""),
                          status.is_due(now) ? "now" : output.time(status.due_at(now)),
                          std::string(status.job.description)});
  }
  output.table(table);
  return 0;
}

std::string counts_line(const JobReport& report) {
  std::string line;
  for (const JobCount& count : report.counts) {
    line += fmt::format("{}{} {}", line.empty() ? "" : ", ", count.name, format_count(count.value));
  }
  return line;
}

Json run_json(const JobRun& run) {
  Json counts = Json::object();
  for (const JobCount& count : run.report.counts) counts[std::string(count.name)] = count.value;
  return {{"job", run.job},
          {"outcome", text_of(run.outcome)},
          {"counts", std::move(counts)},
          {"problems", run.report.problems},
          {"duration_us", run.duration.count()}};
}

void show(Output& output, const std::vector<JobRun>& runs) {
  if (output.wants_json()) {
    Json list = Json::array();
    for (const JobRun& run : runs) list.push_back(run_json(run));
    output.json({{"runs", std::move(list)}});
    return;
  }
  if (runs.empty()) {
    output.note("no job is due");
    return;
  }
  Table table{.columns = {{"JOB"}, {"OUTCOME"}, {"TOOK"}, {"COUNTS"}}, .rows = {}};
  for (const JobRun& run : runs) {
    table.rows.push_back(
        {std::string(run.job), cell_of(run.outcome), format_duration(run.duration), counts_line(run.report)});
  }
  output.table(table);
  for (const JobRun& run : runs) {
    for (const std::string& problem : run.report.problems)
      output.warning(fmt::format("{}: {}", run.job, problem));
  }
}

/// The exit code is that of the error: partial where something was done, failure where nothing was.
void require_success(const std::vector<JobRun>& runs) {
  const auto count = [&](Outcome outcome) { return std::ranges::count(runs, outcome, &JobRun::outcome); };
  const auto failed = count(Outcome::failed);
  const auto partial = count(Outcome::partial);
  if (failed + partial == 0) return;
  throw Error(failed == std::ssize(runs) ? ErrorKind::failure : ErrorKind::partial,
              fmt::format("{} of {} jobs did not succeed", failed + partial, runs.size()),
              "The warnings say why; `nerve-db jobs list` keeps the last outcome of each.");
}

int run_run(CommandContext& context, const Arguments& arguments) {
  RunOptions options;
  options.job = arguments.text("NAME");
  options.all = arguments.has("--all");
  options.is_dry_run = arguments.has("--dry-run");
  if (options.job && options.all) {
    throw ValidationError("both a job and --all are given", "Write the name of one job, or --all.");
  }
  const std::vector<JobRun> runs = run_jobs(context.stores(), options);
  show(context.output(), runs);
  require_success(runs);
  return 0;
}

}  // namespace

std::vector<Command> commands() {
  return {{.name = "jobs",
           .summary = "run what is to be done from time to time",
           .description =
               "Call 'nerve-db jobs run' every minute, from cron or a timer: it runs what is due and ends.\n"
               "One runner at a time works in a workspace.",
           .commands =
               {{.name = "list",
                 .summary = "list the jobs with their last runs",
                 .example = "nerve-db jobs list --workspace demo",
                 .run = &run_list},
                {.name = "run",
                 .summary = "run the jobs that are due, or those that are named",
                 .operands = {{.name = "NAME", .type = ArgumentType::text, .description = "only this job"}},
                 .options = {{.name = "--all", .description = "every job, due or not"}, dry_run_option()},
                 .exit_codes = "10 when a part was done; otherwise as 'nerve-db --help' lists them",
                 .example = "nerve-db jobs run --all --dry-run --workspace demo",
                 .run = &run_run}},
           .example = "nerve-db jobs run --workspace demo"}};
}

}  // namespace nerve::jobs
