// SPDX-License-Identifier: Apache-2.0
// nerve-db health
#include "command.h"
#include "context.h"
#include "workspace_checks.h"

#include "nerve/backends/sqlite/health.h"
#include "nerve/core/json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>

namespace nerve::cli {

namespace {

constexpr std::string_view instead_for_postgresql =
    "Ask the server itself: pg_isready for reachability, pg_amcheck for damage; 'nerve-db stats' for sizes.";

sqlite::HealthOptions options_from(Context& context, const Arguments& arguments) {
  const Config& config = context.config();
  sqlite::HealthOptions options;
  options.is_deep = arguments.has("--deep");
  options.free_disk_min_percent = static_cast<double>(config.integer("health.free_disk_min_percent"));
  options.free_list_max_percent = static_cast<double>(config.integer("health.free_list_max_percent"));
  options.wal_bytes_max = static_cast<std::uint64_t>(config.integer("health.wal_max_mib")) << 20;
  return options;
}

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
    table.rows.push_back({cell_of(check.status), check.id, check.value, check.threshold, check.message});
  }
  output.table(table);
  for (const health::Check& check : report.checks) {
    if (!check.fix.empty()) output.line(fmt::format("to mend {}: {}", check.id, check.fix));
  }
  output.line(fmt::format("{}: {}", report.target, health::to_string(report.status())),
              style_of(report.status()));
}

int run_health(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  const std::filesystem::path file = context.database_file(instead_for_postgresql);
  sqlite::HealthOptions options = options_from(context, arguments);
  health::Report report = [&] {
    Progress progress(output.talk(), output.progress(Progress::Unit::items));
    options.progress = &progress;
    return sqlite::check_health(file, options);
  }();
  add_workspace_checks(context, report);
  if (output.wants_json()) {
    output.json(report.to_json());
  } else {
    show(output, report);
  }
  return report.exit_code();
}

}  // namespace

Command health_command() {
  return {.name = "health",
          .summary = "check a database and where it lies",
          .description =
              "Looks for damage, wasted space, loose permissions, a full disk and known defects.\n"
              "The database is not written to. What could not be checked is unknown, never ok.",
          .options = {database_option(),
                      {.name = "--deep",
                       .description = "also compare indexes with tables, and look for rows without parent"}},
          .exit_codes = "0 ok, 1 warning, 2 critical, 3 unknown or used wrongly",
          .example = "nerve-db health --db chinook.sqlite",
          .run = &run_health,
          .speaks_to_monitoring = true};
}

}  // namespace nerve::cli
