// SPDX-License-Identifier: Apache-2.0
// Goal: an abort or a failing system call at any point of a backup or a restore leaves usable data, and the
// same command run again succeeds without help.
//
// Method: a run without faults counts the calls that change files (fault_inject.cpp). Then, for each kind of
// fault and each call, everything is put back, the command runs with that call going wrong, and the promises
// are checked: the database holds the old content or the new one and nothing else, each backup in the
// repository is whole, and a second run without faults does its work and tidies up.
#include "fault/scene.h"

#include "nerve/backups/manifest.h"

#include <doctest/doctest.h>

#include <csignal>
#include <fstream>

namespace {

using nerve::test::FaultScene;
using nerve::test::ProcessOptions;
using nerve::test::ProcessResult;
using nerve::test::run_process;
using nerve::test::TempFolder;
using Command = std::vector<std::string>;

const std::vector<std::string> kinds = {"kill", "torn", "short", "EIO", "ENOSPC", "full"};

ProcessOptions preloaded() {
  ProcessOptions options;
  options.env["LD_PRELOAD"] = FAULT_LIBRARY;
  // The sanitizers want to be loaded first; the library needs nothing of them. Elsewhere this changes
  // nothing.
  options.env["ASAN_OPTIONS"] = "verify_asan_link_order=0:detect_leaks=0";
  return options;
}

/// How many calls a run without faults makes.
long count_calls(const Command& command) {
  const TempFolder folder;
  ProcessOptions options = preloaded();
  options.env["NERVE_FAULT_COUNT"] = folder / "count";
  const ProcessResult result = run_process(command, options);
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  long count = 0;
  std::ifstream(folder / "count") >> count;
  return count;
}

ProcessResult run_with_fault(const Command& command, const std::string& kind, long call) {
  ProcessOptions options = preloaded();
  options.env["NERVE_FAULT_AT"] = std::to_string(call);
  options.env["NERVE_FAULT_KIND"] = kind;
  return run_process(command, options);
}

/// Runs `command` once for each kind of fault and each call; `check` judges what it left, `check_again` what
/// the run after it left.
template <class Check, class CheckAgain>
void sweep(const FaultScene& scene, const Command& command, Check check, CheckAgain check_again) {
  const long calls = count_calls(command);
  CHECK(calls > 20);
  long aborted = 0;
  for (const std::string& kind : kinds) {
    for (long call = 1; call <= calls; ++call) {
      CAPTURE(kind);
      CAPTURE(call);
      scene.reset();
      const ProcessResult result = run_with_fault(command, kind, call);
      CAPTURE(result.err);
      CHECK((result.exit_code == 0 || result.exit_code == 1 || result.signal == SIGKILL));
      if (kind == "short") CHECK(result.exit_code == 0);
      if (result.exit_code != 0) ++aborted;
      check(result, kind);
      const ProcessResult again = run_process(command, preloaded());
      CAPTURE(again.err);
      CHECK(again.exit_code == 0);
      check_again();
    }
  }
  MESSAGE(calls, " calls, ", kinds.size(), " kinds of fault, ", aborted, " runs cut off");
  CHECK(aborted > 2 * calls);
}

void sweep_restore(FaultScene::Start start) {
  const FaultScene scene(start);
  const std::size_t backups_before = scene.whole_backups();
  sweep(
      scene, scene.restore_command(),
      [&](const ProcessResult& result, const std::string&) {
        const std::string content = scene.content_now();
        const bool is_new = content == scene.content_of_backup();
        CHECK((is_new || content == scene.content_before()));
        if (result.exit_code == 0) CHECK(is_new);
        scene.whole_backups();
      },
      [&] {
        CHECK(scene.content_now() == scene.content_of_backup());
        CHECK(scene.whole_backups() > backups_before);
        CHECK(scene.is_tidy());
      });
}

}  // namespace

TEST_CASE("a backup cut off or failing at any call harms nothing, and the next one succeeds") {
  const FaultScene scene(FaultScene::Start::to_back_up);
  sweep(
      scene, scene.backup_command(),
      [&](const ProcessResult& result, const std::string& kind) {
        CHECK(scene.content_now() == scene.content_before());
        const std::size_t backups = scene.whole_backups();
        if (result.exit_code == 0) CHECK(backups == 1);
        // On a disk that stays full a finished backup cannot always be taken back.
        if (result.exit_code == 1 && kind != "full") CHECK(backups == 0);
      },
      [&] {
        CHECK(scene.content_now() == scene.content_before());
        CHECK(scene.whole_backups() >= 1);
        CHECK(scene.is_tidy());
      });
}

TEST_CASE(
    "a restore cut off or failing at any call leaves old or new content, over a -wal of a dead process") {
  sweep_restore(FaultScene::Start::with_wal);
}

TEST_CASE(
    "a restore cut off or failing at any call leaves old or new content, over the journal of a dead "
    "process") {
  sweep_restore(FaultScene::Start::with_journal);
}

TEST_CASE(
    "a restore over a damaged database that is cut off anywhere can be made again, and loses no byte of it") {
  const FaultScene scene(FaultScene::Start::damaged);
  const auto wal = scene.database().string() + "-wal";
  const auto wal_size_bytes = std::filesystem::file_size(wal);
  sweep(
      scene, scene.restore_command(),
      [&](const ProcessResult& result, const std::string&) {
        const std::string content = scene.content_now();
        CHECK((content == "damaged" || content == scene.content_of_backup()));
        if (result.exit_code == 0) CHECK(content == scene.content_of_backup());
      },
      [&] {
        CHECK(scene.content_now() == scene.content_of_backup());
        CHECK(scene.is_tidy());
        bool is_wal_kept = false;
        for (const auto& entry : scene.repository().list()) {
          REQUIRE(entry.manifest.has_value());
          for (const auto& companion : entry.manifest->companions) {
            is_wal_kept = is_wal_kept || companion.size_bytes == wal_size_bytes;
          }
        }
        CHECK(is_wal_kept);
      });
}
