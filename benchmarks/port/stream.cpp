// SPDX-License-Identifier: Apache-2.0
#include "stream.h"

#include "support/program_run.h"

#include "nerve/backends/open.h"

#include <fmt/core.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace nerve::bench {

namespace {

constexpr const char* select_events = "SELECT id, at, kind, score, body FROM events ORDER BY id";

struct ReadingRuns {
  std::vector<double> rows_per_second;
  long rss_kib_max = 0;
};

void add_run(ReadingRuns& runs, const char* option, const std::string& url, std::int64_t rows) {
  const ProgramRun run = run_program({"/proc/self/exe", option, url, "--rows", std::to_string(rows)});
  runs.rows_per_second.push_back(static_cast<double>(rows) * 1e3 / run.ms);
  runs.rss_kib_max = std::max(runs.rss_kib_max, run.rss_kib);
}

void print_runs(std::string_view name, const ReadingRuns& runs) {
  fmt::print("{:<10}{:>14.0f}{:>16.1f}\n", name, median(runs.rows_per_second),
             static_cast<double>(runs.rss_kib_max) / 1024);
}

}  // namespace

void read_rows(const std::string& url, Reading reading, std::int64_t rows) {
  const auto database = open_database(url);
  std::int64_t next_id = 0;
  std::uint64_t sum = 0;
  const auto on_row = [&](std::int64_t id, std::string_view at, std::string_view kind, double score,
                          std::string_view body) {
    if (id != next_id++) throw std::runtime_error("a row is missing");
    sum += checksum(id, score, at.size() + kind.size() + body.size());
  };
  const std::int64_t found = database->read([&](db::Transaction& transaction) {
    using View = std::string_view;
    return reading == Reading::each
               ? transaction.each<std::int64_t, View, View, double, View>(select_events, {}, on_row)
               : transaction.stream<std::int64_t, View, View, double, View>(select_events, {}, on_row);
  });
  if (found != rows) throw std::runtime_error("rows are missing");
  fmt::print("{}\n", sum);
}

void compare_readings(const std::string& url, std::int64_t rows, int rounds) {
  {
    const auto work = make_port(url);
    work->create_table();
    work->insert(rows);
  }
  ReadingRuns whole;
  ReadingRuns streamed;
  for (int round = 0; round < rounds; ++round) {
    fmt::print(stderr, "round {} of {}\n", round + 1, rounds);
    add_run(whole, "--read-each", url, rows);
    add_run(streamed, "--read-stream", url, rows);
  }
  fmt::print("\nPostgreSQL: {} rows read by a process of its own, median of {} rounds\n", rows, rounds);
  fmt::print("{:<10}{:>14}{:>16}\n", "", "rows/s", "peak RSS MiB");
  print_runs("each()", whole);
  print_runs("stream()", streamed);
}

}  // namespace nerve::bench
