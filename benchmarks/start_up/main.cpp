// SPDX-License-Identifier: Apache-2.0
// Measures how long `nerve-db --version` takes against `sqlite3 --version`, in turns, and `nerve-db health`
// on a database.
#include "support/temp_folder.h"
#include "support/test_data.h"

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

/// Runs a program to its end with its output thrown away, and returns the milliseconds it took.
double run_ms(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  const auto start = std::chrono::steady_clock::now();
  pid_t pid = -1;
  const int failed = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (failed != 0 || ::waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) > 1) {
    throw std::runtime_error(fmt::format("{} did not run to its end", words.front()));
  }
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void compare_versions(const std::string& program, int rounds) {
  std::vector<double> ours;
  std::vector<double> theirs;
  for (int round = 0; round < rounds; ++round) {
    theirs.push_back(run_ms({"sqlite3", "--version"}));
    ours.push_back(run_ms({program, "--version"}));
  }
  fmt::print("--version, median of {}: sqlite3 {:.2f} ms, nerve-db {:.2f} ms, ratio {:.2f}\n", rounds,
             median(theirs), median(ours), median(ours) / median(theirs));
}

void measure_health(const std::string& program, const std::filesystem::path& database, int rounds) {
  const nerve::test::TempFolder folder;
  const auto copy = folder / "database.sqlite";
  std::filesystem::copy_file(database, copy);
  std::filesystem::permissions(copy,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(rounds));
  for (int round = 0; round < rounds; ++round)
    times.push_back(run_ms({program, "health", "--db", copy.string()}));
  fmt::print("health on {} ({} bytes), median of {}: {:.2f} ms\n", database.filename().string(),
             std::filesystem::file_size(copy), rounds, median(times));
}

}  // namespace

int main(int argc, char** argv) {
  std::string program = NERVE_DB_PROGRAM;
  std::filesystem::path database;
  int rounds = 200;
  CLI::App app("Measures how fast nerve-db starts, against sqlite3.");
  app.add_option("--program", program, "the nerve-db to be measured")->capture_default_str();
  app.add_option("--db", database,
                 "the database for health; without it chinook.sqlite of the test data, where it is there");
  app.add_option("--rounds", rounds, "runs of each")->check(CLI::PositiveNumber)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    compare_versions(program, rounds);
    if (database.empty()) database = nerve::test::test_data("sqlite/chinook.sqlite").value_or("");
    if (!database.empty()) measure_health(program, database, rounds);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_start_up: {}\n", error.what());
    return 1;
  }
  return 0;
}
