// SPDX-License-Identifier: Apache-2.0
// Goal: kill -9 at a random moment of a backup or restore of a database of about 20 MB leaves it sound, and
// the same command run again succeeds without help.
//
// Method: one run is timed; then 50 runs (fewer outside of a long run, effort.h) are killed, each after a
// random part of that time (a fixed seed, printed).
#include "fault/scene.h"
#include "support/random_moments.h"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>

namespace {

using nerve::test::FaultScene;
using nerve::test::Process;
using nerve::test::ProcessResult;
using nerve::test::RandomMoments;
using nerve::test::run_process;
using Command = std::vector<std::string>;

constexpr int kills = 50;
constexpr unsigned int seed = 20'260'101;

template <class Check, class CheckAgain>
void kill_at_random(const FaultScene& scene, const Command& command, Check check, CheckAgain check_again) {
  const auto started = std::chrono::steady_clock::now();
  REQUIRE(run_process(command).exit_code == 0);
  const auto duration =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started);
  MESSAGE("seed ", seed, ", one run takes ", duration.count() / 1000, " ms");
  RandomMoments moments(seed, kills);
  while (moments.is_one_wanted()) {
    scene.reset();
    const auto delay = moments.next(duration);
    CAPTURE(delay.count());
    const ProcessResult result = Process(command).kill_after(delay);
    CHECK((result.exit_code == 0 || result.signal == SIGKILL));
    moments.count(result.signal == SIGKILL);
    check(result);
    const ProcessResult again = run_process(command);
    CAPTURE(again.err);
    CHECK(again.exit_code == 0);
    check_again();
  }
  MESSAGE(moments.runs(), " runs, of which ", moments.wanted(), " were to be killed before their end");
  CHECK(moments.is_enough());
}

}  // namespace

TEST_CASE("kill -9 at random moments of a backup leaves the database sound and no half backup") {
  const FaultScene scene(FaultScene::Start::clean_large);
  CHECK(std::filesystem::file_size(scene.database()) > 15'000'000);
  kill_at_random(
      scene, scene.backup_command(),
      [&](const ProcessResult&) {
        CHECK(scene.content_now() == scene.content_before());
        scene.whole_backups();
      },
      [&] {
        CHECK(scene.content_now() == scene.content_before());
        CHECK(scene.whole_backups() >= 2);
        CHECK(scene.is_tidy());
      });
}

TEST_CASE("kill -9 at random moments of a restore leaves the old content or the new one") {
  const FaultScene scene(FaultScene::Start::clean_large);
  kill_at_random(
      scene, scene.restore_command(),
      [&](const ProcessResult&) {
        const std::string content = scene.content_now();
        CHECK((content == scene.content_before() || content == scene.content_of_backup()));
        scene.whole_backups();
      },
      [&] {
        CHECK(scene.content_now() == scene.content_of_backup());
        CHECK(scene.whole_backups() >= 2);
        CHECK(scene.is_tidy());
      });
}
