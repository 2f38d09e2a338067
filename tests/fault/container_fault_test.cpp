// SPDX-License-Identifier: Apache-2.0
// Goal and method are those of fault_test.cpp, for backups that are containers: fulls and deltas, encrypted
// or not. The sweeps are thinned out: each kind of fault meets each operation on each kind of file.
#include "fault/scene.h"
#include "fault/sweep.h"

#include <doctest/doctest.h>

#include <csignal>

namespace {

using nerve::test::FaultScene;
using nerve::test::ProcessResult;
using nerve::test::run_process;
using nerve::test::sweep;
using nerve::test::sweep_restore;
using nerve::test::SweepExtent;
using Start = FaultScene::Start;
using Store = FaultScene::Store;

constexpr auto extent = SweepExtent::every_kind_of_call;

void sweep_backup(const FaultScene& scene) {
  const std::size_t before = scene.whole_backups();
  sweep(scene, scene.backup_command(), extent,
        {[&](const ProcessResult& result, const std::string& kind) {
           CHECK(scene.content_now() == scene.content_before());
           const std::size_t backups = scene.whole_backups();
           if (result.exit_code == 0) {
             CHECK(backups == before + 1);
             CHECK(scene.content_of_newest() == scene.content_before());
           }
           // On a disk that stays full a finished backup cannot always be taken back.
           if (result.exit_code == 1 && kind != "full") CHECK(backups == before);
         },
         [&](const ProcessResult&) {
           CHECK(scene.content_now() == scene.content_before());
           CHECK(scene.whole_backups() > before);
           CHECK(scene.content_of_newest() == scene.content_before());
           CHECK(scene.is_tidy());
         }});
}

}  // namespace

TEST_CASE("a first full cut off or failing at any call harms nothing, and the next one succeeds") {
  sweep_backup(FaultScene(Start::to_back_up, Store::container));
}

TEST_CASE("a delta of a database with a rollback journal cut off or failing at any call harms no backup") {
  sweep_backup(FaultScene(Start::with_journal, Store::container));
}

TEST_CASE("an encrypted delta cut off or failing at any call harms no backup, and the next one succeeds") {
  sweep_backup(FaultScene(Start::with_wal, Store::encrypted));
}

TEST_CASE("a restore of an encrypted delta cut off or failing at any call leaves old or new content") {
  sweep_restore(FaultScene(Start::with_wal, Store::encrypted), extent);
}

TEST_CASE("a restore of a delta to a new file cut off or failing at any call leaves the whole file or none") {
  const FaultScene scene(Start::with_wal, Store::container);
  bool may_leave_note = false;
  sweep(scene, scene.restore_to_new_file_command(), extent,
        {[&](const ProcessResult& result, const std::string& kind) {
           may_leave_note = result.signal == SIGKILL || kind == "full";
           const std::string content = scene.content_at(scene.new_file());
           CHECK((content.empty() || content == scene.content_of_backup()));
           if (result.exit_code == 0) CHECK_FALSE(content.empty());
           CHECK(scene.content_now() == scene.content_before());
           // What is there is not restored over.
           for (const char* suffix : {"", "-wal", "-shm"}) {
             std::filesystem::remove(scene.new_file().string() + suffix);
           }
         },
         [&](const ProcessResult&) {
           CHECK(scene.content_at(scene.new_file()) == scene.content_of_backup());
           scene.whole_backups();
           if (may_leave_note && !scene.is_tidy()) {
             // The note of a proof that could not be removed is removed by the next backup.
             CHECK(run_process(scene.backup_command()).exit_code == 0);
           }
           CHECK(scene.is_tidy());
         }});
}

TEST_CASE(
    "a deep look at an encrypted delta cut off or failing at any call neither accuses nor leaves text") {
  const FaultScene scene(Start::with_wal, Store::encrypted);
  const std::string digest = run_process(scene.verify_command()).out;
  REQUIRE(digest.size() == 65);
  sweep(scene, scene.verify_command(), extent,
        {[&](const ProcessResult& result, const std::string&) {
           if (result.exit_code == 0) CHECK(result.out == digest);
           scene.whole_backups();
         },
         [&](const ProcessResult& again) {
           CHECK(again.out == digest);
           CHECK(scene.is_tidy());
         }});
}
