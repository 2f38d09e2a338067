// SPDX-License-Identifier: Apache-2.0
// nerve-db queries slow, stats and clear
#include "command.h"
#include "confirm.h"
#include "context.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"
#include "nerve/db/query_log.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <system_error>
#include <utility>

namespace nerve::cli {

namespace {

using db::QueryLog;
using db::QueryStatistics;

constexpr std::int64_t limit_default = 20;

std::filesystem::path log_file(Context& context, const Arguments& arguments) {
  if (const auto named = arguments.text("--log")) return *named;
  std::filesystem::path file = context.config().path("query_log.file");
  if (!file.empty()) return file;
  throw ValidationError("no query log is named",
                        "Add --log and the file that your program writes its query log to, or set "
                        "query_log.file in nerve.toml.");
}

QueryLog::Order order_from(const Arguments& arguments) {
  constexpr std::array orders = {
      std::pair{"total", QueryLog::Order::total}, std::pair{"max", QueryLog::Order::max},
      std::pair{"p95", QueryLog::Order::p95}, std::pair{"calls", QueryLog::Order::calls},
      std::pair{"average", QueryLog::Order::average}};
  const std::string wanted = arguments.text("--sort").value_or("total");
  const auto* const found =
      std::find_if(orders.begin(), orders.end(), [&](const auto& one) { return one.first == wanted; });
  return found->second;
}

Json statement_json(const QueryStatistics& one) {
  return {{"fingerprint", one.fingerprint},
          {"sql", one.sql},
          {"calls", one.calls},
          {"failures", one.failures},
          {"slow_calls", one.slow_calls},
          {"rows", one.rows},
          {"total_ns", one.total.count()},
          {"max_ns", one.max.count()},
          {"p95_ns", one.p95.count()},
          {"average_ns", one.average().count()}};
}

std::string count_text(std::uint64_t count) {
  return format_count(static_cast<std::int64_t>(count));
}

void show(Output& output, const std::vector<QueryStatistics>& statements) {
  if (output.wants_json()) {
    Json list = Json::array();
    for (const QueryStatistics& one : statements) list.push_back(statement_json(one));
    output.json({{"statements", std::move(list)}});
    return;
  }
  if (statements.empty()) {
    output.note("no such statement was recorded");
    return;
  }
  constexpr auto right = Column::Align::right;
  Table table{.columns = {{"CALLS", right},
                          {"SLOW", right},
                          {"TOTAL", right},
                          {"AVERAGE", right},
                          {"P95", right},
                          {"MAX", right},
                          {"ROWS", right},
                          {"STATEMENT"}},
              .rows = {}};
  for (const QueryStatistics& one : statements) {
    table.rows.push_back({count_text(one.calls), count_text(one.slow_calls), format_duration(one.total),
                          format_duration(one.average()), format_duration(one.p95), format_duration(one.max),
                          count_text(one.rows), one.sql});
  }
  output.table(table);
}

int run_slow(Context& context, const Arguments& arguments) {
  QueryLog log;
  log.load(log_file(context, arguments));
  const auto over_ms = arguments.integer("--over");
  std::vector<QueryStatistics> statements =
      log.snapshot(order_from(arguments), QueryLog::fingerprints_max + 1, !over_ms.has_value());
  if (over_ms) {
    std::erase_if(statements,
                  [&](const QueryStatistics& one) { return one.max < std::chrono::milliseconds(*over_ms); });
  }
  const auto limit = static_cast<std::size_t>(arguments.integer("--limit").value_or(limit_default));
  if (statements.size() > limit) statements.resize(limit);
  show(context.output(), statements);
  return 0;
}

int run_queries_stats(Context& context, const Arguments& arguments) {
  QueryLog log;
  log.load(log_file(context, arguments));
  const auto limit = static_cast<std::size_t>(arguments.integer("--limit").value_or(limit_default));
  show(context.output(), log.snapshot(order_from(arguments), limit));
  return 0;
}

int run_clear(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  const std::filesystem::path file = log_file(context, arguments);
  const bool yes = arguments.has("--yes");
  // Nothing but a query log is ever removed.
  QueryLog log;
  log.load(file);
  require_answerable(output, yes);
  if (!yes && !confirm(output, fmt::format("Forget the statistics in {}?", file.string()))) {
    throw CancelledError("the query log was kept");
  }
  QueryLog::remove_file(file);
  if (output.wants_json()) {
    output.json({{"cleared", file.string()}});
  } else {
    output.note(fmt::format("cleared {}", file.string()));
  }
  return 0;
}

Argument log_option() {
  return {.name = "--log",
          .value_name = "FILE",
          .type = ArgumentType::file,
          .description = "query log (default: query_log.file of the workspace)"};
}

std::vector<Argument> listing_options() {
  return {log_option(),
          {.name = "--sort",
           .value_name = "BY",
           .type = ArgumentType::choice,
           .description = "total, max, p95, calls or average, largest first (default: total)",
           .choices = {"total", "max", "p95", "calls", "average"}},
          {.name = "--limit",
           .value_name = "N",
           .type = ArgumentType::integer,
           .description = "show at most N statements (default: 20)",
           .minimum = 1,
           .maximum = QueryLog::fingerprints_max}};
}

Command slow_command() {
  Command command = {
      .name = "slow",
      .summary = "list the statements that were slow",
      .description = "Without --over those with a call beyond query_log.slow_ms at the time it was made.",
      .options = listing_options(),
      .example = "nerve-db queries slow --log queries.json --over 50",
      .run = &run_slow};
  command.options.push_back({.name = "--over",
                             .value_name = "MS",
                             .type = ArgumentType::integer,
                             .description = "those whose longest call took at least MS milliseconds",
                             .maximum = 86'400'000});
  return command;
}

}  // namespace

Command queries_command() {
  return {.name = "queries",
          .summary = "show which statements cost time",
          .description =
              "A query log holds how often and how long each statement ran, never the values bound to\n"
              "it. It is fed by programs that use the library and call QueryLog::merge_into(), and by\n"
              "'nerve-db stats' of a PostgreSQL database where query_log.file is set. The statements of\n"
              "other programs are not in it.",
          .commands = {slow_command(),
                       {.name = "stats",
                        .summary = "list all statements that were recorded",
                        .options = listing_options(),
                        .example = "nerve-db queries stats --log queries.json --sort calls",
                        .run = &run_queries_stats},
                       {.name = "clear",
                        .summary = "forget what was recorded",
                        .options = {log_option(), {.name = "--yes", .description = "do not ask"}},
                        .example = "nerve-db queries clear --log queries.json --yes",
                        .run = &run_clear}},
          .example = "nerve-db queries slow --log queries.json"};
}

}  // namespace nerve::cli
