// SPDX-License-Identifier: Apache-2.0
// Measures how long short commands of nerve-db take against sqlite3 and psql that answer one query.
// PostgreSQL is started for the run.
#include "support/postgres_server.h"
#include "support/program_run.h"
#include "support/temp_folder.h"
#include "support/test_data.h"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace {

using nerve::bench::run_ms;

/// `health` ends with 1 for a warning.
constexpr int exit_code_max = 1;

struct Times {
  std::vector<double> sorted_ms;

  double median() const { return sorted_ms[sorted_ms.size() / 2]; }
  /// What other programs took from the machine is least in this one.
  double fastest() const { return sorted_ms.front(); }
};

Times sorted(std::vector<double> times_ms) {
  std::sort(times_ms.begin(), times_ms.end());
  return {std::move(times_ms)};
}

/// What nerve-db does, and the peer's program that does the least of its kind.
struct Contest {
  std::string name;
  std::vector<std::string> peer;
  std::vector<std::string> ours;
};

/// Runs both in turns, so that what else the machine does meets both.
void measure(const Contest& contest, int rounds) {
  std::vector<double> peer_ms;
  std::vector<double> ours_ms;
  for (int round = 0; round < rounds; ++round) {
    peer_ms.push_back(run_ms(contest.peer, exit_code_max));
    ours_ms.push_back(run_ms(contest.ours, exit_code_max));
  }
  const Times peer = sorted(std::move(peer_ms));
  const Times ours = sorted(std::move(ours_ms));
  fmt::print("{:<20}{:>10.2f}{:>10.2f}{:>8.2f}{:>14.2f}{:>10.2f}{:>8.2f}\n", contest.name, peer.median(),
             ours.median(), ours.median() / peer.median(), peer.fastest(), ours.fastest(),
             ours.fastest() / peer.fastest());
}

void print_heading(const char* peer, int rounds) {
  fmt::print("\nms, {} runs{:>18}{:>32}\n", rounds, "median", "fastest");
  fmt::print("{:<20}{:>10}{:>10}{:>8}{:>14}{:>10}{:>8}\n", "", peer, "nerve-db", "ratio", peer, "nerve-db",
             "ratio");
}

constexpr const char* make_findings = "CREATE TABLE finding(id INTEGER PRIMARY KEY, title TEXT)";
constexpr const char* count_findings = "SELECT count(*) FROM finding";

std::filesystem::path copy_of(const std::filesystem::path& database, const nerve::test::TempFolder& folder) {
  auto copy = folder / database.filename().string();
  std::filesystem::copy_file(database, copy);
  std::filesystem::permissions(copy,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  return copy;
}

void measure_sqlite(const std::string& program, const std::filesystem::path& database, int rounds) {
  const nerve::test::TempFolder folder;
  const std::string small = (folder / "small.db").string();
  run_ms({"sqlite3", small, make_findings}, exit_code_max);
  print_heading("sqlite3", rounds);
  measure({"--version", {"sqlite3", "--version"}, {program, "--version"}}, rounds);
  const std::vector<std::string> query{"sqlite3", small, count_findings};
  measure({"stats", query, {program, "stats", "--db", small}}, rounds);
  measure({"health", query, {program, "health", "--db", small}}, rounds);
  if (database.empty()) return;
  const std::string copy = copy_of(database, folder).string();
  measure({fmt::format("health of {} KiB", std::filesystem::file_size(copy) / 1024),
           {"sqlite3", copy, "SELECT count(*) FROM sqlite_schema"},
           {program, "health", "--db", copy}},
          rounds);
}

void measure_postgresql(const std::string& program, int rounds) {
  nerve::test::PostgresServer& server = nerve::test::PostgresServer::shared();
  const std::string url = server.create_database("start_up");
  server.execute(make_findings, "start_up");
  const std::string psql = (server.programs_folder() / "psql").string();
  print_heading("psql", rounds);
  measure({"--version", {psql, "--version"}, {program, "--version"}}, rounds);
  measure({"stats", {psql, "-XAtc", count_findings, url}, {program, "stats", "--db", url}}, rounds);
}

}  // namespace

int main(int argc, char** argv) {
  std::string program = NERVE_DB_PROGRAM;
  std::filesystem::path database;
  int rounds = 200;
  bool without_postgresql = false;
  CLI::App app("Measures how fast nerve-db starts, against sqlite3 and psql.");
  app.add_option("--program", program, "the nerve-db to be measured")->capture_default_str();
  app.add_option(
      "--db", database,
      "a further database for health; without it chinook.sqlite of the test data, where it is there");
  app.add_option("--rounds", rounds, "runs of each")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_flag("--without-postgresql", without_postgresql, "measure against sqlite3 only");
  CLI11_PARSE(app, argc, argv);
  try {
    if (database.empty()) database = nerve::test::test_data("sqlite/chinook.sqlite").value_or("");
    measure_sqlite(program, database, rounds);
    if (!without_postgresql) measure_postgresql(program, rounds);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_start_up: {}\n", error.what());
    return 1;
  }
  return 0;
}
