// SPDX-License-Identifier: Apache-2.0
// nerve-db health, and health watch
#include "command.h"
#include "context.h"
#include "health_report.h"

#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/json.h"
#include "nerve/health/prometheus.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace nerve::cli {

namespace {

Style style_of(health::Status status) {
  switch (status) {
    case health::Status::ok:
      return Style::good;
    case health::Status::unknown:
      return Style::strong;
    case health::Status::warning:
      return Style::warning;
    case health::Status::critical:
      return Style::bad;
  }
  return Style::plain;
}

TableCell cell_of(health::Status status) {
  return {std::string(health::to_string(status)), style_of(status)};
}

void show(Output& output, const health::Report& report) {
  Table table{.columns = {{"STATUS"}, {"CHECK"}, {"VALUE"}, {"THRESHOLD"}, {"MESSAGE"}}, .rows = {}};
  for (const health::Check& check : report.checks) {
    table.rows.push_back({cell_of(check.status), check.name(), check.value, check.threshold, check.message});
  }
  output.table(table);
  for (const health::Check& check : report.checks) {
    if (!check.fix.empty()) output.line(fmt::format("to mend {}: {}", check.name(), check.fix));
  }
  output.line(fmt::format("{}: {}", report.target, health::to_string(report.status())),
              style_of(report.status()));
}

int run_health(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  if (arguments.has("--prometheus") && output.wants_json()) {
    throw ValidationError("--prometheus and --json are both given", "Give one of them.");
  }
  const health::Report report = [&] {
    Progress progress(output.talk(), output.progress(Progress::Unit::items));
    return make_health_report(context, arguments, &progress);
  }();
  if (arguments.has("--prometheus")) {
    output.text(health::to_prometheus(report));
  } else if (output.wants_json()) {
    output.json(report.to_json());
  } else {
    show(output, report);
  }
  return report.exit_code();
}

/// Tells what changed from one round to the next.
class Watch {
 public:
  explicit Watch(Output& output) : output_(output) {}

  void tell(const health::Report& report, Timestamp now) {
    if (output_.wants_json()) {
      Json round = report.to_json();
      round["at"] = now.to_text();
      constexpr int one_line = -1;
      output_.text(round.dump(one_line, ' ', true, Json::error_handler_t::replace) + "\n");
    } else {
      tell_changes(report, output_.time(now));
    }
    output_.finish();  // whoever follows the output is to see each round when it is made
  }

 private:
  void tell_changes(const health::Report& report, const std::string& time) {
    std::map<std::string, health::Status> now;
    for (const health::Check& check : report.checks) {
      now[check.name()] = check.status;
      const auto before = before_.find(check.name());
      const health::Status status_before = before == before_.end() ? health::Status::ok : before->second;
      if (check.status == status_before) continue;
      const std::string change = overall_ ? fmt::format(" (was {})", health::to_string(status_before)) : "";
      output_.line(fmt::format("{}  {:<8}  {}: {}{}", time, health::to_string(check.status), check.name(),
                               check.message, change),
                   style_of(check.status));
    }
    for (const auto& [name, status] : before_) {
      if (now.contains(name)) continue;
      output_.line(fmt::format("{}  {:<8}  {}: not checked any more (was {})", time, "-", name,
                               health::to_string(status)));
    }
    if (overall_ != report.status()) {
      output_.line(fmt::format("{}  {:<8}  {}", time, health::to_string(report.status()), report.target),
                   style_of(report.status()));
    }
    before_ = std::move(now);
    overall_ = report.status();
  }

  Output& output_;
  std::map<std::string, health::Status> before_;
  std::optional<health::Status> overall_;
};

/// False when a signal came before the time was over.
bool sleep_for(std::chrono::seconds span) {
  constexpr std::chrono::milliseconds slice{200};
  const auto end = std::chrono::steady_clock::now() + span;
  while (!interrupted()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return true;
    ::poll(nullptr, 0, static_cast<int>(std::min(left, slice).count()));
  }
  return false;
}

int run_watch(Context& context, const Arguments& arguments) {
  constexpr std::int64_t every_default_s = 60;
  const std::chrono::seconds every(arguments.integer("--every").value_or(every_default_s));
  const std::int64_t rounds = arguments.integer("--count").value_or(0);
  Watch watch(context.output());
  std::optional<int> exit_code;
  for (std::int64_t round = 1;; ++round) {
    try {
      const health::Report report = make_health_report(context, arguments, nullptr);
      watch.tell(report, system_clock().now());
      exit_code = report.exit_code();
    } catch (const CancelledError&) {
      if (!exit_code) throw;  // nothing was seen yet
      break;
    }
    if (round == rounds || !sleep_for(every)) break;
  }
  return *exit_code;
}

Argument deep_option() {
  return {.name = "--deep",
          .description = "also compare indexes with tables, and look for rows without parent (SQLite)"};
}

Command watch_command() {
  constexpr std::int64_t one_day_s = 86'400;
  return {
      .name = "watch",
      .summary = "check again and again, and tell what changes",
      .description =
          "Shows what is not ok at first, then each check whose status changes. With --json each round\n"
          "is one line. Ends after --count rounds, or by SIGINT or SIGTERM.",
      .options = {database_option(),
                  repository_option(),
                  deep_option(),
                  {.name = "--every",
                   .value_name = "SECONDS",
                   .type = ArgumentType::integer,
                   .description = "pause between two rounds (default: 60)",
                   .minimum = 1,
                   .maximum = one_day_s},
                  {.name = "--count",
                   .value_name = "N",
                   .type = ArgumentType::integer,
                   .description = "end after N rounds",
                   .minimum = 1}},
      .exit_codes = "of the last round, also when a signal ends it: 0 ok, 1 warning, 2 critical, 3 unknown",
      .example = "nerve-db health watch --every 5 --count 1 --db chinook.sqlite",
      .run = &run_watch,
      .speaks_to_monitoring = true};
}

}  // namespace

Command health_command() {
  return {.name = "health",
          .summary = "check a database and where it lies",
          .description =
              "Looks for damage, wasted space, loose permissions, a full disk, old backups, missing indexes\n"
              "and known defects; on PostgreSQL also for sessions, locks, vacuum, replication and more.\n"
              "The database is not written to. What could not be checked is unknown, never ok.",
          .options = {database_option(),
                      repository_option(),
                      deep_option(),
                      {.name = "--prometheus", .description = "in Prometheus' text exposition format"}},
          .commands = {watch_command()},
          .exit_codes = "0 ok, 1 warning, 2 critical, 3 unknown or used wrongly",
          .example = "nerve-db health --db chinook.sqlite",
          .run = &run_health,
          .speaks_to_monitoring = true};
}

}  // namespace nerve::cli
