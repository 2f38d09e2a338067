// SPDX-License-Identifier: Apache-2.0
// Measures what a long chain of deltas costs: a backup at its beginning and at its end, the list, the
// verification of all, two prunes, and the restore of the newest.
//
// A database is changed by a few rows between backups that are six minutes apart by the clock that they are
// told, so that of ten the newest of each hour is kept by the second prune. Each prune is of a copy of the
// repository. What was written is synced before a measurement begins. With --program the same is asked of the
// command of another nerve-db, in turns with that of this one, each on a copy of the same repository.
#include "sample_database.h"
#include "support/program_run.h"
#include "support/temp_folder.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/repository.h"
#include "nerve/backups/restore.h"
#include "nerve/backups/retention.h"
#include "nerve/backups/verify.h"
#include "nerve/core/clock.h"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace nerve::bench;
using nerve::backups::Repository;
using nerve::backups::RetentionPolicy;

constexpr std::int64_t backups_apart_us = 6 * 60 * std::int64_t{1'000'000};
constexpr int early_backup = 10;
constexpr std::int64_t hours_max = 100'000;

struct Options {
  std::string nerve_db = NERVE_DB_PROGRAM;
  std::string other;
  std::filesystem::path folder = std::filesystem::temp_directory_path();
  std::int64_t size_mb = 20;
  int deltas = 200;
  int rounds = 1;
};

struct Places {
  std::filesystem::path folder;

  std::filesystem::path database() const { return folder / "sample.db"; }
  std::filesystem::path repository() const { return folder / "repository"; }
  /// Where the command keeps what it has seen.
  std::filesystem::path state() const { return folder / "state"; }
  std::filesystem::path copy() const { return folder / "copy"; }
};

double seconds_of(const std::function<void()>& work) {
  ::sync();
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void print(const std::string& what, double seconds) {
  fmt::print("{:<44}{:>10.3f} s\n", what, seconds);
  std::fflush(stdout);
}

void copy_repository(const Places& places) {
  std::filesystem::remove_all(places.copy());
  std::filesystem::copy(places.repository(), places.copy(), std::filesystem::copy_options::recursive);
}

/// One full and so many deltas. Prints what the tenth backup and the last one take.
void make_chain(const Options& options, const Places& places, nerve::ManualClock& clock) {
  const Repository repository = Repository::open_or_create(places.repository()).witnessed_in(places.state());
  const Connection database(places.database());
  for (int number = 1; number <= options.deltas + 1; ++number) {
    database.execute(fmt::format(
        "UPDATE document SET state = state + 1 WHERE id = 1 + {} * 7 % (SELECT count(*) FROM document)",
        number));
    clock.set(nerve::Timestamp::from_microseconds(clock.now().microseconds() + backups_apart_us));
    const auto back_up = [&] { nerve::backups::create_backup(places.database(), repository, {}, clock); };
    if (number == early_backup || number == options.deltas + 1) {
      print(fmt::format("backup number {}", number), seconds_of(back_up));
    } else {
      back_up();
    }
  }
}

void require_all_sound(const Repository& repository) {
  for (const nerve::backups::VerifyReport& report : nerve::backups::verify_all(repository, {})) {
    if (!report.ok()) throw std::runtime_error(report.id + ": " + report.problems.front());
  }
}

void measure_prune(const std::string& what, const RetentionPolicy& policy, const Places& places,
                   const nerve::Clock& clock) {
  copy_repository(places);
  const Repository repository = Repository::open(places.copy());
  nerve::backups::PruneReport report;
  print(what, seconds_of([&] { report = nerve::backups::prune(repository, {.policy = policy}, clock); }));
  fmt::print("    {} kept, {} of them merged, {} removed\n",
             report.count(nerve::backups::Fate::keep) + report.count(nerve::backups::Fate::merge),
             report.count(nerve::backups::Fate::merge), report.count(nerve::backups::Fate::remove));
  require_all_sound(repository);
}

void measure_library(const Options& options, const Places& places) {
  nerve::ManualClock clock(nerve::Timestamp::parse("2026-01-01T00:00:00Z"));
  make_chain(options, places, clock);
  const Repository repository = Repository::open(places.repository());
  print("list", seconds_of([&] { repository.list(); }));
  print("verify all", seconds_of([&] { require_all_sound(repository); }));
  print("restore latest", seconds_of([&] {
          nerve::backups::restore_backup(
              repository, repository.latest(places.database()),
              {places.folder / "restored.db", nerve::backups::RestoreTarget::Mode::new_file}, {}, clock);
        }));
  measure_prune("prune to the last 10", {.last = 10}, places, clock);
  measure_prune("prune to every tenth", {.hourly = hours_max}, places, clock);
}

/// The commands of two programs in turns, each on its own copy.
void measure_programs(const Options& options, const Places& places) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> commands = {
      {"backup list", {"backup", "list"}},
      {"backup verify --all", {"backup", "verify", "--all"}},
      {"backup prune --keep-last 10", {"backup", "prune", "--yes", "--keep-last", "10"}},
      {"backup prune --keep-hourly",
       {"backup", "prune", "--yes", "--keep-hourly", std::to_string(hours_max)}},
  };
  fmt::print("\n{:<44}{:>10}{:>10}{:>9}   (seconds, median of {})\n", "", "this", "other", "ratio",
             options.rounds);
  for (const auto& [name, words] : commands) {
    std::vector<double> ours;
    std::vector<double> theirs;
    for (int round = 0; round < options.rounds; ++round) {
      for (const bool is_ours : {true, false}) {
        copy_repository(places);
        ::sync();
        std::vector<std::string> line{is_ours ? options.nerve_db : options.other};
        line.insert(line.end(), words.begin(), words.end());
        line.insert(line.end(), {"--repo", places.copy()});
        (is_ours ? ours : theirs).push_back(run_ms(line) / 1000);
      }
    }
    fmt::print("{:<44}{:>10.2f}{:>10.2f}{:>9.3f}\n", name, median(ours), median(theirs),
               median(ours) / median(theirs));
    std::fflush(stdout);
  }
}

void measure(const Options& options) {
  ::setenv("TMPDIR", options.folder.c_str(), 1);
  const nerve::test::TempFolder folder;
  const Places places{folder.path()};
  in_process([&] { make_sample(places.database(), options.size_mb); });
  fmt::print("a database of {:.0f} MB, a full and {} deltas\n",
             static_cast<double>(std::filesystem::file_size(places.database())) / 1e6, options.deltas);
  measure_library(options, places);
  if (!options.other.empty()) measure_programs(options, places);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Measures what a long chain of deltas costs.");
  app.add_option("--program", options.other,
                 "another nerve-db, whose commands are measured in turns with this one's");
  app.add_option("--folder", options.folder, "where the folder of the run is made; it is removed afterwards")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  app.add_option("--size-mb", options.size_mb, "size of the database")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--deltas", options.deltas, "how many follow the full")
      ->check(CLI::Range(early_backup, 1'000'000))
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "runs of each command with --program")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    measure(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_backup_chain: {}\n", error.what());
    return 1;
  }
  return 0;
}
