// SPDX-License-Identifier: Apache-2.0
// nerve-db optimize
#include "command.h"
#include "context.h"
#include "store_identities.h"

#include "nerve/backends/sqlite/maintenance.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/shell.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace nerve::cli {

namespace {

constexpr std::string_view instead_for_postgresql =
    "PostgreSQL has autovacuum for this; run VACUUM (ANALYZE) with psql where it lags behind.";

sqlite::MaintenanceOptions options_from(Context& context, const Arguments& arguments) {
  const Config& config = context.config();
  sqlite::MaintenanceOptions options;
  options.is_deep = arguments.has("--deep");
  options.free_list_max_percent = static_cast<double>(config.integer("health.free_list_max_percent"));
  // What health warns of is proposed here, so a lower limit of its holds here too.
  const auto wal_bytes_max = static_cast<std::uint64_t>(config.integer("health.wal_max_mib")) << 20;
  options.wal_bytes_max = std::min(options.wal_bytes_max, wal_bytes_max);
  return options;
}

template <class Item>
Json json_of(const std::vector<Item>& items) {
  Json list = Json::array();
  for (const Item& item : items) list.push_back(item.to_json());
  return list;
}

void show(Output& output, const std::vector<sqlite::Proposal>& proposals, const std::filesystem::path& file) {
  if (proposals.empty()) {
    output.line("nothing to do", Style::good);
    return;
  }
  Table table{.columns = {{"TASK"}, {"VALUE"}, {"REASON"}, {"GAIN"}, {"STATEMENT"}}, .rows = {}};
  for (const sqlite::Proposal& proposal : proposals) {
    table.rows.push_back({std::string(sqlite::to_string(proposal.task)), proposal.value, proposal.reason,
                          proposal.gain, proposal.statement});
  }
  output.table(table);
  for (const sqlite::Proposal& proposal : proposals) {
    if (proposal.obstacle.empty()) continue;
    output.line(proposal.is_advice() ? fmt::format("{} is advice that --apply leaves to you: sqlite3 {} {}",
                                                   sqlite::to_string(proposal.task),
                                                   shell_word(file.string()), shell_word(proposal.statement))
                                     : fmt::format("{} would be skipped: {}",
                                                   sqlite::to_string(proposal.task), proposal.obstacle));
  }
}

/// What --apply would do now.
std::size_t count_applicable(const std::vector<sqlite::Proposal>& proposals) {
  return static_cast<std::size_t>(std::ranges::count_if(
      proposals, [](const sqlite::Proposal& proposal) { return proposal.obstacle.empty(); }));
}

void note_what_follows(Output& output, const std::vector<sqlite::Proposal>& proposals,
                       const std::filesystem::path& file) {
  if (proposals.empty()) return;
  const std::size_t applicable = count_applicable(proposals);
  output.note(applicable == 0
                  ? "nothing was changed, and --apply would change nothing now"
                  : fmt::format("nothing was changed; this does {} of {}: nerve-db optimize --apply --db {}",
                                applicable, proposals.size(), shell_word(file.string())));
}

void show(Output& output, const std::vector<sqlite::Applied>& results) {
  Table table{.columns = {{"TASK"},
                          {"OUTCOME"},
                          {"BEFORE", Column::Align::right},
                          {"AFTER", Column::Align::right},
                          {"STATEMENT"},
                          {"MESSAGE"}},
              .rows = {}};
  for (const sqlite::Applied& result : results) {
    const Style style = result.outcome == sqlite::Outcome::done     ? Style::good
                        : result.outcome == sqlite::Outcome::failed ? Style::bad
                                                                    : Style::faint;
    table.rows.push_back({std::string(sqlite::to_string(result.task)),
                          {std::string(sqlite::to_string(result.outcome)), style},
                          format_size(result.size_bytes_before),
                          format_size(result.size_bytes_after),
                          result.statement,
                          result.message});
  }
  output.table(table);
}

void require_nothing_failed(const std::vector<sqlite::Applied>& results) {
  const auto failed = std::count_if(results.begin(), results.end(), [](const sqlite::Applied& result) {
    return result.outcome == sqlite::Outcome::failed;
  });
  if (failed == 0) return;
  throw Error(ErrorKind::partial, fmt::format("{} of {} tasks failed", failed, results.size()),
              "The messages above say why; what failed left the database as it was.");
}

int run_optimize(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  const bool apply = arguments.has("--apply");
  const std::filesystem::path file = context.database_file(instead_for_postgresql);
  require_store_identity(context, file);
  const sqlite::MaintenanceOptions options = options_from(context, arguments);
  std::vector<sqlite::Proposal> proposals;
  std::vector<sqlite::Applied> results;
  {
    Progress progress(output.talk(), output.progress(Progress::Unit::items));
    const auto mode = apply ? sqlite::OpenMode::read_write : sqlite::OpenMode::read_only;
    const auto busy_timeout_ms = static_cast<int>(context.config().integer("database.busy_timeout_ms"));
    sqlite::Session session(file, {.mode = mode, .busy_timeout_ms = busy_timeout_ms});
    proposals = sqlite::propose(session, options, &progress);
    const std::vector<std::string> left_out = sqlite::tables_not_analysed(session);
    if (!left_out.empty()) {
      output.note(
          fmt::format("ANALYZE leaves out what only its application can analyse: {}", list_names(left_out)));
    }
    if (apply) results = sqlite::apply(session, proposals, &progress);
  }
  if (output.wants_json()) {
    Json document = {{"proposals", json_of(proposals)}};
    if (apply) document["applied"] = json_of(results);
    output.json(document);
  } else if (apply && !proposals.empty()) {
    show(output, results);
  } else {
    show(output, proposals, file);
    note_what_follows(output, proposals, file);
  }
  require_nothing_failed(results);
  return 0;
}

}  // namespace

Command optimize_command() {
  return {.name = "optimize",
          .summary = "propose maintenance, and do it with --apply",
          .description =
              "Finds stale planner statistics, free pages, a large write-ahead log, and indexes that no\n"
              "longer match their table (--deep). Superfluous indexes are named as advice: --apply never\n"
              "drops one, since a program may ask for it by name. Rows are never changed, and an abort\n"
              "leaves the database as it was.",
          .options = {database_option(),
                      {.name = "--apply", .description = "do what is proposed, all but advice"},
                      {.name = "--deep", .description = "also compare each index with its table"}},
          .exit_codes = "10 when a task failed with --apply; otherwise as 'nerve-db --help' lists them",
          .example = "nerve-db optimize --db chinook.sqlite",
          .run = &run_optimize};
}

}  // namespace nerve::cli
