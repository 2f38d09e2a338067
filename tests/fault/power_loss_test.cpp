// SPDX-License-Identifier: Apache-2.0
// Goal: where the power goes at any moment, all that was reported as done is there and sound, and the rest is
// there as a whole or not at all.
//
// Method: an ext4 file system in a file holds a database and its repository. A process changes, backs up,
// consolidates, restores and prunes there, and says before and after each step (workload.h). At a random
// moment (a fixed seed, printed) the file system is shut down without flushing its journal, unmounted, and
// mounted again. Then the repository is inspected and the database is read, both from a copy, and compared
// with what the process said.
//
// Control: the first of these moments with a process whose syncs are not made must lose or break something.
#include "backups/scratch_database.h"
#include "fault/loop_file_system.h"
#include "fault/preload.h"
#include "fault/repository_scene.h"
#include "support/effort.h"

#include "nerve/backups/backup.h"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <thread>

namespace {

using namespace nerve::test;

const int moments = at_most_in_ci(kills_in_ci, 20);
const int moments_of_control = at_most_in_ci(kills_in_ci, 6);
constexpr unsigned int power_seed = 20'261'122;
constexpr std::chrono::milliseconds delay_max{500};
constexpr std::uint64_t image_bytes = std::uint64_t{32} << 20;
constexpr int rows = 60;
constexpr int body_bytes = 2'200;

/// What a process said that it had done, and what it was doing at its end.
struct Promises {
  std::map<std::string, std::string> states;  ///< SHA-256 of the database by id of the backup
  std::map<std::string, std::string> numbers;
  std::set<std::string> kept;             ///< the backups that are to be there
  std::string newest;                     ///< of `states`; empty where there is none
  std::set<std::string> may_hold{{"0"}};  ///< the numbers that the database may hold
  bool is_pruning = false;
  std::size_t steps = 0;  ///< that were done
};

void take_line(const std::string& line, Promises& promises) {
  std::istringstream words(line);
  std::string when;
  std::string step;
  std::string id;
  std::string second;
  words >> when >> step >> id;
  const bool is_done = when == "done";
  if (is_done) ++promises.steps;
  if (step == "change" || step == "restore") {
    const std::string number = step == "change" ? id : promises.numbers[id];
    if (is_done) promises.may_hold.clear();
    promises.may_hold.insert(number);
  } else if (step == "backup" && is_done) {
    words >> promises.numbers[id] >> promises.states[id];
    promises.kept.insert(id);
    promises.newest = id;
  } else if (step == "consolidate" && is_done) {
    words >> second;
    promises.numbers[id] = promises.numbers[second];
    promises.states[id] = promises.states[second];
    promises.kept.insert(id);
  } else if (step == "prune") {
    promises.is_pruning = !is_done;
    if (!is_done) return;
    promises.kept.clear();
    for (; !id.empty(); id.clear(), words >> id) {
      if (promises.states.contains(id)) promises.kept.insert(id);
    }
  }
}

Promises parse_promises(const std::string& text) {
  Promises promises;
  std::istringstream lines(text);
  // A line without its end was not said.
  for (std::string line; std::getline(lines, line) && !lines.eof();) take_line(line, promises);
  return promises;
}

class PowerScene {
 public:
  PowerScene() {
    LoopFileSystem::make(pristine_, image_bytes);
    const LoopFileSystem mounted(pristine_, place_);
    make_database(database(), rows, "wal", body_bytes);
    PlainSqlite(database()).run("CREATE TABLE state(n INTEGER); INSERT INTO state VALUES(0)");
    const auto repository = nerve::backups::Repository::open_or_create(repository_path());
    nerve::backups::create_backup(database(), repository, {}, nerve::system_clock());
  }

  /// Cuts the power after this time, and returns what is wrong then; nothing where all is well.
  std::vector<std::string> cut_power_after(std::chrono::microseconds delay, const ProcessOptions& options) {
    REQUIRE(run_process({"cp", "--sparse=always", pristine_, image_}).exit_code == 0);
    std::optional<LoopFileSystem> mounted(std::in_place, image_, place_);
    Process process({FAULT_DRIVER, "work", database(), repository_path(), "-"}, options);
    std::this_thread::sleep_for(delay);
    mounted->cut_power();
    const ProcessResult result = process.wait();
    // SQLite's index of the -wal is mapped, and cannot be written any more.
    CAPTURE(result.err);
    CHECK((result.exit_code == 1 || result.signal == SIGBUS));
    mounted.reset();
    const Promises promises = parse_promises(result.out);
    steps_ += promises.steps;
    try {
      mounted.emplace(image_, place_);
      std::vector<std::string> wrong = compare(promises);
      if (wrong.empty()) wrong = run_again();
      return wrong;
    } catch (const std::exception& error) {
      return {error.what()};
    }
  }

  /// How many were done, of all that the processes did.
  std::size_t steps() const noexcept { return steps_; }

 private:
  std::filesystem::path database() const { return place_ / "app.db"; }
  std::filesystem::path repository_path() const { return place_ / "backups"; }

  std::vector<std::string> compare(const Promises& promises) const {
    const Inspection inspection = inspect_copy(repository_path(), folder_.path(), "-");
    std::vector<std::string> wrong = inspection.problems;
    std::set<std::string> wanted = promises.kept;
    // A prune that was cut off may have removed any but the newest.
    if (promises.is_pruning) wanted = {promises.newest};
    for (const std::string& id : wanted) {
      if (!inspection.states.contains(id)) wrong.push_back("backup " + id + " was made and is not there");
    }
    for (const auto& [id, state] : inspection.states) {
      const auto known = promises.states.find(id);
      if (known != promises.states.end() && known->second != state) {
        wrong.push_back("backup " + id + " is of another state");
      }
    }
    const std::string number = number_in_database();
    if (!promises.may_hold.contains(number)) wrong.push_back("the database holds " + number);
    return wrong;
  }

  /// Read from a copy, as the next program would: with its -wal or journal.
  std::string number_in_database() const {
    const auto looked_at = folder_ / "looked_at";
    std::filesystem::remove_all(looked_at);
    std::filesystem::create_directory(looked_at);
    for (const char* suffix : {"", "-wal", "-journal"}) {
      const std::filesystem::path from = database().string() + suffix;
      if (std::filesystem::exists(from)) std::filesystem::copy(from, looked_at / from.filename());
    }
    if (integrity_of(looked_at / "app.db") != "ok") return "damage";
    return PlainSqlite(looked_at / "app.db").text("SELECT n FROM state");
  }

  /// The next backup and prune find nothing in their way, and leave nothing behind.
  std::vector<std::string> run_again() const {
    const std::vector<std::vector<std::string>> commands = {
        {FAULT_DRIVER, "backup", database(), repository_path(), "container", "-"},
        {FAULT_DRIVER, "prune", repository_path(), "2", "-"}};
    for (const auto& command : commands) {
      const ProcessResult result = run_process(command, preloaded());
      if (result.exit_code != 0) return {command[1] + " fails afterwards: " + result.err};
    }
    for (const auto& entry : std::filesystem::directory_iterator(repository_path())) {
      if (entry.path().filename().string().starts_with(".")) return {entry.path().string() + " is left"};
    }
    return inspect_copy(repository_path(), folder_.path(), "-").problems;
  }

  TempFolder folder_;
  std::filesystem::path pristine_ = folder_ / "pristine";
  std::filesystem::path image_ = folder_ / "image";
  std::filesystem::path place_ = folder_ / "place";
  std::size_t steps_ = 0;
};

/// Returns at how many of the first `count` moments something was wrong; `tell` is told what.
template <class Tell>
int cut_power_at_moments(int count, const ProcessOptions& options, Tell tell) {
  PowerScene scene;
  std::mt19937 random(power_seed);
  std::uniform_int_distribution<long> delay_us(0, std::chrono::microseconds(delay_max).count());
  int broken = 0;
  for (int moment = 0; moment < count; ++moment) {
    const std::chrono::microseconds delay(delay_us(random));
    const std::vector<std::string> wrong = scene.cut_power_after(delay, options);
    if (!wrong.empty()) ++broken;
    for (const std::string& one : wrong) tell("after " + std::to_string(delay.count()) + " us: " + one);
  }
  MESSAGE("seed ", power_seed, ": ", broken, " of ", count, " runs broken, in which ", scene.steps(),
          " steps were done");
  // Of few moments most may fall into the first step, on a busy machine.
  CHECK(scene.steps() > (is_long_run() ? static_cast<std::size_t>(count) : 0));
  return broken;
}

}  // namespace

TEST_CASE("a power loss at random moments loses nothing that was reported as done and breaks nothing") {
  const std::string reason = LoopFileSystem::why_impossible();
  if (!reason.empty()) {
    MESSAGE("no power is cut here: ", reason);
    return;
  }
  const auto fail = [](const std::string& wrong) { FAIL_CHECK(wrong); };
  cut_power_at_moments(moments, {}, fail);
  // Without syncs the same moments do harm, so they are moments at which harm can be seen.
  std::string first;
  const int broken = cut_power_at_moments(moments_of_control, preloaded(), [&](const std::string& wrong) {
    if (first.empty()) first = wrong;
  });
  MESSAGE("without syncs, ", first);
  CHECK(broken > 0);
}
