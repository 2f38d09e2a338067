// SPDX-License-Identifier: Apache-2.0
// Measures `nerve-db backup` and `restore` against cp with a sync, sqlite3, restic and borg, in turns, on a
// database that nobody writes to and on one with a writer of 500 transactions a second.
//
// Every figure is of whole processes. The database is in the page cache (it is read before each round); what
// the run before left to be written is synced before the next begins. restic and borg keep what they are
// given as they do for their users: encrypted, restic compressed with zstd and borg with lz4. Each restore
// compares every page with its hash; that of a backup with --no-check runs PRAGMA quick_check on top, which
// the backup did not. With a writer, the copy is restored and looked at: quick_check, and sums that are 0 in
// every consistent state.
#include "contestants.h"
#include "sample_database.h"
#include "support/program_run.h"
#include "support/temp_folder.h"
#include "writer.h"

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace nerve::bench;

constexpr std::chrono::seconds alone_for{10};
constexpr double mb = 1e6;

struct Options {
  std::string nerve_db = NERVE_DB_PROGRAM;
  std::string nerve_db_before;
  std::filesystem::path folder = std::filesystem::temp_directory_path();
  std::int64_t size_mb = 1000;
  int rounds = 3;
  int timeout_s = 60;
  bool without_peers = false;
  bool without_writer = false;
  bool without_quiet = false;
};

/// What other programs took from the machine is least in this one.
double fastest(const std::vector<double>& values) {
  return *std::ranges::min_element(values);
}

/// Lines of a table in the order in which they came first, each with what its rounds gave.
class Results {
 public:
  struct Line {
    std::vector<double> ms;
    std::vector<double> cpu_ms;
    std::vector<double> stored;
    long rss_kib = 0;
  };

  void add(const std::string& name, const ProgramRun& run, std::uint64_t stored) {
    if (!lines_.contains(name)) names_.push_back(name);
    Line& line = lines_[name];
    line.ms.push_back(run.ms);
    line.cpu_ms.push_back(run.cpu_ms);
    line.stored.push_back(static_cast<double>(stored));
    line.rss_kib = std::max(line.rss_kib, run.rss_kib);
  }

  void print() const {
    fmt::print("{:<44}{:>17}{:>19}\n", "", "median", "fastest");
    fmt::print("{:<44}{:>9}{:>8}{:>11}{:>8}{:>8}{:>11}{:>8}\n", "", "s", "ratio", "s", "ratio", "CPU s",
               "stored MB", "RSS MB");
    if (names_.empty()) return;
    const Line& base = lines_.at(names_.front());
    for (const std::string& name : names_) {
      const Line& line = lines_.at(name);
      fmt::print("{:<44}{:>9.2f}{:>8.2f}{:>11.2f}{:>8.2f}{:>8.2f}{:>11.1f}{:>8.1f}\n", name,
                 median(line.ms) / 1000, median(line.ms) / median(base.ms), fastest(line.ms) / 1000,
                 fastest(line.ms) / fastest(base.ms), median(line.cpu_ms) / 1000, median(line.stored) / mb,
                 static_cast<double>(line.rss_kib) * 1024 / mb);
    }
    std::fflush(stdout);
  }

 private:
  std::vector<std::string> names_;
  std::map<std::string, Line> lines_;
};

class Benchmark {
 public:
  Benchmark(const Options& options, const Places& places) : options_(options), places_(places) {
    if (!options.without_peers) peers_ = peers(places);
  }

  /// Nobody writes.
  void measure_quiet() {
    Results results;
    std::vector<double> changed;
    for (int round = 0; round < options_.rounds; ++round) {
      read_database();
      const Contestant cp = cp_and_fsync(places_);
      back_up(cp, "", results);
      for (NerveForm form : nerve_forms()) {
        form.is_encrypted = false;
        const Contestant plain = nerve_db(places_, form);
        back_up(plain, ": full", results);
        remove(plain);
        form.is_encrypted = true;
        back_up(nerve_db(places_, form), ": full", results);
      }
      for (const Contestant& peer : peers_) {
        if (!peer.prepare.empty()) run_program(peer.prepare);
        back_up(peer, "", results);
        if (peer.restore.empty()) remove(peer);
      }
      in_process([&] { change_pages(places_.database(), static_cast<unsigned>(round)); });
      changed.push_back(static_cast<double>(changed_bytes(places_.copy(), places_.database())));
      for (const NerveForm& form : nerve_forms()) go_on(nerve_db(places_, form), results);
      for (const Contestant& peer : peers_) {
        if (!peer.restore.empty()) go_on(peer, results);
      }
      remove(cp);
    }
    results.print();
    fmt::print("changed by one page in a hundred: {:.1f} MB\n", median(changed) / mb);
  }

  void measure_with_writer() {
    fmt::print("\n{:<42}{:>8}{:>8}{:>8}{:>10}{:>11}{:>11}{:>8}  {}\n", "", "s", "p50 ms", "p99 ms", "max ms",
               "p99 ratio", "commits/s", "RSS MB", "copy");
    const Contestant ours = nerve_db(places_, {.is_checked = false});
    std::vector<Contestant> contestants{cp_and_fsync(places_)};
    contestants.insert(contestants.end(), peers_.begin(), peers_.end());
    std::vector<double> alone;
    std::map<std::string, std::vector<WithWriter>> found;
    for (int round = 0; round < options_.rounds; ++round) {
      read_database();
      alone.push_back(alone_with_writer().p99_ms);
      found[ours.name + ": full"].push_back(with_writer(ours));
      found[ours.name + ": increment"].push_back(with_writer(ours));
      remove(ours);
      for (const Contestant& contestant : contestants) {
        if (!contestant.prepare.empty()) run_program(contestant.prepare);
        found[contestant.name].push_back(with_writer(contestant));
        remove(contestant);
      }
    }
    fmt::print("{:<42}{:>8}{:>8}{:>8.2f}\n", "the writer alone", "", "", median(alone));
    for (const auto& [name, runs] : found) print_with_writer(name, runs, median(alone));
  }

 private:
  struct WithWriter {
    ProgramRun run;
    Latencies latencies;
    std::string defect;
  };

  /// Those that are measured in turns, encrypted.
  std::vector<NerveForm> nerve_forms() const {
    std::vector<NerveForm> forms;
    for (const bool is_checked : {true, false}) {
      if (!places_.nerve_db_before.empty()) forms.push_back({is_checked, true, true});
      forms.push_back({is_checked, true, false});
    }
    return forms;
  }

  void back_up(const Contestant& who, const std::string& what, Results& results) {
    const std::uint64_t before = stored_bytes(who.stored);
    const ProgramRun run = run_settled(who.back_up);
    results.add(who.name + what, run, stored_bytes(who.stored) - before);
  }

  /// The increment and the way back; then all of it is removed.
  void go_on(const Contestant& who, Results& results) {
    back_up(who, ": increment", results);
    if (!who.verify.empty()) results.add(who.name + ": verify", run_settled(who.verify), 0);
    results.add(who.name + ": restore", run_settled(who.restore), 0);
    if (changed_bytes(who.restored, places_.database()) != 0) {
      throw std::runtime_error(who.name + " restored another database");
    }
    remove(who);
  }

  Latencies alone_with_writer() const {
    settle();
    Writer writer(places_.database());
    writer.begin();
    std::this_thread::sleep_for(alone_for);
    return writer.end();
  }

  WithWriter with_writer(const Contestant& who) {
    settle();
    WithWriter result;
    {
      Writer writer(places_.database());
      writer.begin();
      result.run =
          run_program(who.back_up, {.exit_code_max = 1, .timeout = std::chrono::seconds(options_.timeout_s)});
      result.latencies = writer.end();
    }
    result.defect = result.run.is_ended ? defect_after(who) : "no copy";
    return result;
  }

  std::string defect_after(const Contestant& who) const {
    if (!who.restore.empty()) run_program(who.restore);
    std::string defect;
    const std::filesystem::path report = places_.folder / "defect";
    in_process([&] { std::ofstream(report) << defect_of(who.restored); });
    std::getline(std::ifstream(report), defect);
    std::filesystem::remove(report);
    if (!who.restore.empty()) remove_restored(who);
    return defect;
  }

  static void print_with_writer(const std::string& name, const std::vector<WithWriter>& runs,
                                double alone_ms) {
    std::vector<double> seconds, p50, p99, most, rate;
    long rss_kib = 0;
    std::string defect;
    for (const WithWriter& one : runs) {
      seconds.push_back(one.run.ms / 1000);
      p50.push_back(one.latencies.p50_ms);
      p99.push_back(one.latencies.p99_ms);
      most.push_back(one.latencies.max_ms);
      rate.push_back(one.latencies.per_second);
      rss_kib = std::max(rss_kib, one.run.rss_kib);
      if (!one.defect.empty()) defect = one.defect;
    }
    const bool is_ended = std::ranges::all_of(runs, [](const WithWriter& one) { return one.run.is_ended; });
    fmt::print("{:<42}{:>8}{:>8.2f}{:>8.2f}{:>10.2f}{:>11.2f}{:>11.0f}{:>8.1f}  {}\n", name,
               is_ended ? fmt::format("{:.2f}", median(seconds)) : fmt::format(">{:.0f}", median(seconds)),
               median(p50), median(p99), median(most), median(p99) / alone_ms, median(rate),
               static_cast<double>(rss_kib) * 1024 / mb, defect.empty() ? "intact" : defect);
    std::fflush(stdout);
  }

  ProgramRun run_settled(const Words& words) const {
    settle();
    return run_program(words);
  }

  /// Waits until what was written is on the disk.
  void settle() const {
    const int folder = ::open(places_.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ::syncfs(folder);
    ::close(folder);
  }

  void read_database() const { run_program({"cat", places_.database()}); }

  static void remove_restored(const Contestant& who) {
    const bool is_in_folder = who.restored.filename() == "sample.db";
    std::filesystem::remove_all(is_in_folder ? who.restored.parent_path() : who.restored);
  }

  void remove(const Contestant& who) const {
    std::filesystem::remove_all(who.stored);
    // Or it would be remembered that the backups in this place were encrypted.
    std::filesystem::remove_all(places_.state());
    remove_restored(who);
  }

  const Options& options_;
  const Places& places_;
  std::vector<Contestant> peers_;
};

/// Of the last 1, 5 and 15 minutes.
std::string load_average() {
  std::array<double, 3> load{};
  ::getloadavg(load.data(), 3);
  return fmt::format("{:.1f} {:.1f} {:.1f}", load[0], load[1], load[2]);
}

void measure(const Options& options) {
  ::setenv("TMPDIR", options.folder.c_str(), 1);
  const nerve::test::TempFolder folder;
  const Places places{folder.path(), options.nerve_db, options.nerve_db_before};
  ::setenv("XDG_STATE_HOME", places.state().c_str(), 1);
  in_process([&] { make_sample(places.database(), options.size_mb); });
  fmt::print("{:.0f} MB, median of {} rounds, page cache warm, load average {}\n",
             static_cast<double>(stored_bytes(places.database())) / mb, options.rounds, load_average());
  Benchmark benchmark(options, places);
  if (!options.without_quiet) benchmark.measure_quiet();
  if (!options.without_writer) benchmark.measure_with_writer();
  fmt::print("load average {}\n", load_average());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Measures nerve-db backup against cp, sqlite3, restic and borg.");
  app.add_option("--program", options.nerve_db, "the nerve-db to be measured")->capture_default_str();
  app.add_option("--before", options.nerve_db_before, "another nerve-db, measured in turns with it")
      ->check(CLI::ExistingFile);
  app.add_option("--folder", options.folder, "where the folder of the run is made; it is removed afterwards")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  app.add_option("--size-mb", options.size_mb, "size of the database")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "runs of each")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--timeout", options.timeout_s,
                 "seconds after which a program is killed that does not end beside the writer")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--without-peers", options.without_peers, "measure cp and nerve-db only");
  app.add_flag("--without-quiet", options.without_quiet, "measure with the writer only");
  app.add_flag("--without-writer", options.without_writer, "measure without the writer only");
  CLI11_PARSE(app, argc, argv);
  try {
    measure(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_backup: {}\n", error.what());
    return 1;
  }
  return 0;
}
