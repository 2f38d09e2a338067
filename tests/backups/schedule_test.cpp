// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/schedule.h"

#include "backups/scratch_database.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/health.h"
#include "nerve/core/error.h"
#include "nerve/health/report.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

using namespace nerve::backups;
using namespace std::chrono_literals;
using nerve::ManualClock;
using nerve::Timestamp;
using nerve::health::Check;
using nerve::health::Report;
using nerve::health::Status;
using nerve::test::make_database;
using nerve::test::TempFolder;

namespace {

/// A database, a repository, and a clock that the test sets.
struct ScheduleScene {
  ScheduleScene() { make_database(folder / "app.db", 10, "wal"); }

  Manifest back_up(const BackupOptions& options = {}) const {
    return create_backup(folder / "app.db", repository, options, clock);
  }
  Promise promise(std::chrono::seconds interval) const {
    return {.database = source_name(folder / "app.db"),
            .interval = interval,
            .full_interval = std::nullopt,
            .since = clock.now(),
            .starter = Starter::user_timer,
            .unit = "nerve-backup-app.timer"};
  }
  PromiseState state() const {
    return state_of(*promise_of(repository, folder / "app.db"), repository.list(), clock);
  }
  /// The check of the schedule; absent where there is none.
  std::optional<Check> check() const {
    Report report;
    check_backups(folder / "app.db", repository.path(), {}, clock, report);
    for (const Check& one : report.checks) {
      if (one.id == "backup.schedule") return one;
    }
    return std::nullopt;
  }
  std::filesystem::path file() const { return repository.path() / "schedule.json"; }

  TempFolder folder;
  Repository repository = Repository::open_or_create(folder / "backups");
  ManualClock clock{Timestamp::parse("2026-05-01T08:00:00Z")};
};

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

}  // namespace

TEST_CASE("a promise is read as it was recorded, and only its user may read the file") {
  const ScheduleScene scene;
  CHECK_FALSE(promise_of(scene.repository, scene.folder / "app.db"));
  Promise promise = scene.promise(15min);
  promise.full_interval = 24h;
  record_promise(scene.repository, promise);
  const auto read = promise_of(scene.repository, scene.folder / "app.db");
  REQUIRE(read);
  CHECK(read->database == source_name(scene.folder / "app.db"));
  CHECK(read->interval == 15min);
  CHECK(read->full_interval == 24h);
  CHECK(read->since == scene.clock.now());
  CHECK(read->starter == Starter::user_timer);
  CHECK(read->unit == "nerve-backup-app.timer");
  CHECK_FALSE(promise_of(scene.repository, scene.folder / "other.db"));
  struct stat status {};
  REQUIRE(::stat(scene.file().c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
}

TEST_CASE("the same promise again keeps its time, and another one begins anew") {
  ScheduleScene scene;
  const Timestamp first = scene.clock.now();
  record_promise(scene.repository, scene.promise(15min));
  scene.clock.advance(1h);
  record_promise(scene.repository, scene.promise(15min));
  CHECK(promise_of(scene.repository, scene.folder / "app.db")->since == first);
  record_promise(scene.repository, scene.promise(1min));
  CHECK(promise_of(scene.repository, scene.folder / "app.db")->since == first + 1h);
}

TEST_CASE("a withdrawn promise is gone, and those of other databases stay") {
  const ScheduleScene scene;
  Promise other = scene.promise(1h);
  other.database = source_name(scene.folder / "other.db");
  record_promise(scene.repository, scene.promise(15min));
  record_promise(scene.repository, other);
  CHECK(withdraw_promise(scene.repository, scene.folder / "app.db"));
  CHECK_FALSE(withdraw_promise(scene.repository, scene.folder / "app.db"));
  CHECK_FALSE(promise_of(scene.repository, scene.folder / "app.db"));
  CHECK(promise_of(scene.repository, scene.folder / "other.db")->interval == 1h);
}

TEST_CASE("promises that are recorded at once are all there afterwards") {
  const ScheduleScene scene;
  constexpr int count = 8;
  std::vector<std::thread> threads;
  threads.reserve(count);
  for (int index = 0; index < count; ++index) {
    threads.emplace_back([&scene, index] {
      Promise promise = scene.promise(1h);
      promise.database = source_name(scene.folder / ("db" + std::to_string(index)));
      record_promise(scene.repository, promise);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int index = 0; index < count; ++index) {
    CHECK(promise_of(scene.repository, scene.folder / ("db" + std::to_string(index))));
  }
  for (const auto& entry : std::filesystem::directory_iterator(scene.repository.path())) {
    CHECK_FALSE(entry.path().filename().string().ends_with(".partial"));
  }
}

TEST_CASE("a schedule.json that is none is refused with what mends it, and left as it is") {
  const ScheduleScene scene;
  record_promise(scene.repository, scene.promise(1h));
  for (
      const std::string& text :
      {std::string("{"), std::string("{}"), std::string(R"({"format":1,"promises":[{"database":"/a"}]})"),
       std::string(R"({"format":1,"promises":[{"database":"/a","interval_s":0,"full_interval_s":null,
                        "since":"2026-05-01T08:00:00Z","starter":"cron","unit":""}]})"),
       std::string(
           R"({"format":1,"promises":[{"database":"/a","interval_s":9223372036854775807,"full_interval_s":null,
                        "since":"2026-05-01T08:00:00Z","starter":"cron","unit":""}]})"),
       std::string(R"({"format":1,"promises":[{"database":"/a","interval_s":60,"full_interval_s":null,
                        "since":"2026-05-01T08:00:00Z","starter":"moon","unit":""}]})")}) {
    CAPTURE(text);
    write(scene.file(), text);
    CHECK_THROWS_AS(promise_of(scene.repository, scene.folder / "app.db"), nerve::IntegrityError);
    CHECK_THROWS_AS(record_promise(scene.repository, scene.promise(2h)), nerve::IntegrityError);
    CHECK(scene.check()->status == Status::unknown);
    CHECK_FALSE(scene.check()->fix.empty());
    CHECK(nerve::test::bytes_of(scene.file()) == text);
  }
  write(scene.file(), R"({"format":2})");
  CHECK_THROWS_AS(promise_of(scene.repository, scene.folder / "app.db"), nerve::UnsupportedError);
}

TEST_CASE("a promise is kept for two intervals, late after them, and broken after ten") {
  ScheduleScene scene;
  CHECK_FALSE(scene.check());
  record_promise(scene.repository, scene.promise(15min));
  CHECK(scene.check()->status == Status::ok);
  CHECK(scene.state().next_due == scene.clock.now() + 15min);
  scene.clock.advance(30min);
  CHECK(scene.check()->status == Status::ok);
  scene.clock.advance(1s);
  CHECK(scene.check()->status == Status::warning);
  CHECK(scene.check()->message == "a backup every 15 min is promised, and 2 in a row did not come");
  CHECK(scene.check()->fix ==
        "systemctl --user enable --now nerve-backup-app.timer && systemctl --user start "
        "nerve-backup-app.service");
  scene.back_up();
  CHECK(scene.check()->status == Status::ok);
  scene.clock.advance(150min);
  CHECK(scene.check()->status == Status::warning);
  scene.clock.advance(1s);
  CHECK(scene.check()->status == Status::critical);
  CHECK(*scene.check()->number == 9001);
}

TEST_CASE("what starts the backups decides what health says to do") {
  ScheduleScene scene;
  Promise promise = scene.promise(1min);
  promise.starter = Starter::system_timer;
  promise.unit = "nerve-backup-my\\x20app.timer";
  record_promise(scene.repository, promise);
  scene.clock.advance(1h);
  CHECK(scene.check()->fix ==
        "systemctl enable --now 'nerve-backup-my\\x20app.timer' && systemctl start "
        "'nerve-backup-my\\x20app.service'");
  promise.starter = Starter::cron;
  promise.unit.clear();
  record_promise(scene.repository, promise);
  CHECK(scene.check()->fix == "nerve-db backup --db " + (scene.folder / "app.db").string());
}

TEST_CASE("an old backup does not break a promise that was just given") {
  ScheduleScene scene;
  scene.back_up();
  scene.clock.advance(1000h);
  record_promise(scene.repository, scene.promise(1min));
  CHECK(scene.state().keeping == Keeping::kept);
  CHECK(scene.state().newest);
}

TEST_CASE("after the clock was set back a year the promise is missed at once, until the next backup") {
  ScheduleScene scene;
  record_promise(scene.repository, scene.promise(1h));
  scene.back_up();
  scene.clock.advance(-24h * 365);
  CHECK(scene.state().keeping == Keeping::broken);
  scene.back_up();
  CHECK(scene.state().keeping == Keeping::kept);
  scene.clock.advance(3h);
  CHECK(scene.state().keeping == Keeping::late);
}

TEST_CASE("a full is made when the last one is as old as it may be, and the reason is told") {
  ScheduleScene scene;
  std::vector<std::string> notes;
  const BackupOptions daily{.full_age_max = 24h,
                            .on_note = [&](const std::string& note) { notes.push_back(note); }};
  const Manifest full = scene.back_up(daily);
  CHECK_FALSE(full.container->parent);
  CHECK(notes.empty());
  scene.clock.advance(23h);
  CHECK(scene.back_up(daily).container->parent);
  // A timer that comes a minute early must not put the full off by a day.
  scene.clock.advance(59min);
  CHECK_FALSE(scene.back_up(daily).container->parent);
  REQUIRE(notes.size() == 1);
  CHECK(notes[0] == "this is a full: the last one, " + full.id.short_text() + ", is 23 h 59 min old");
  CHECK(scene.back_up(daily).container->parent);
}

TEST_CASE("a full from the future makes one full, and not one each time") {
  ScheduleScene scene;
  std::vector<std::string> notes;
  const BackupOptions daily{.full_age_max = 24h,
                            .on_note = [&](const std::string& note) { notes.push_back(note); }};
  scene.back_up(daily);
  scene.clock.advance(-24h * 365);
  CHECK_FALSE(scene.back_up(daily).container->parent);
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].ends_with("is 365 d in the future"));
  scene.clock.advance(1min);
  CHECK(scene.back_up(daily).container->parent);
}

TEST_CASE("the next full is due by the last one") {
  ScheduleScene scene;
  Promise promise = scene.promise(1h);
  promise.full_interval = 24h;
  record_promise(scene.repository, promise);
  CHECK(scene.state().full_due == scene.clock.now() + 1h);
  const Timestamp full_at = scene.clock.now();
  scene.back_up();
  scene.clock.advance(1h);
  scene.back_up();
  CHECK(scene.state().full_due == full_at + 24h);
  CHECK(scene.state().next_due == full_at + 2h);
}
