// SPDX-License-Identifier: Apache-2.0
// Goal: an abort or a failing system call at any point of a backup or a restore leaves usable data, and the
// same command run again succeeds without help.
//
// Method: a run without faults counts the calls that change files (fault_inject.cpp). Then, for each kind of
// fault and each call, everything is put back, the command runs with that call going wrong, and the promises
// are checked: the database holds the old content or the new one and nothing else, each backup in the
// repository is whole, and a second run without faults does its work and tidies up.
#include "fault/scene.h"
#include "fault/sweep.h"

#include "nerve/backups/manifest.h"

#include <doctest/doctest.h>

namespace {

using nerve::test::FaultScene;
using nerve::test::ProcessResult;
using nerve::test::sweep;
using nerve::test::sweep_restore;
using nerve::test::SweepExtent;

}  // namespace

TEST_CASE("a backup cut off or failing at any call harms nothing, and the next one succeeds") {
  const FaultScene scene(FaultScene::Start::to_back_up);
  sweep(scene, scene.backup_command(), SweepExtent::every_call,
        {[&](const ProcessResult& result, const std::string& kind) {
           CHECK(scene.content_now() == scene.content_before());
           const std::size_t backups = scene.whole_backups();
           if (result.exit_code == 0) CHECK(backups == 1);
           // On a disk that stays full a finished backup cannot always be taken back.
           if (result.exit_code == 1 && kind != "full") CHECK(backups == 0);
         },
         [&](const ProcessResult&) {
           CHECK(scene.content_now() == scene.content_before());
           CHECK(scene.whole_backups() >= 1);
           CHECK(scene.is_tidy());
         }});
}

TEST_CASE(
    "a restore cut off or failing at any call leaves old or new content, over a -wal of a dead process") {
  sweep_restore(FaultScene(FaultScene::Start::with_wal), SweepExtent::every_call);
}

TEST_CASE(
    "a restore cut off or failing at any call leaves old or new content, over the journal of a dead "
    "process") {
  sweep_restore(FaultScene(FaultScene::Start::with_journal), SweepExtent::every_call);
}

TEST_CASE(
    "a restore over a damaged database that is cut off anywhere can be made again, and loses no byte of it") {
  const FaultScene scene(FaultScene::Start::damaged);
  const auto wal = scene.database().string() + "-wal";
  const auto wal_size_bytes = std::filesystem::file_size(wal);
  sweep(scene, scene.restore_command(), SweepExtent::every_call,
        {[&](const ProcessResult& result, const std::string&) {
           const std::string content = scene.content_now();
           CHECK((content == "damaged" || content == scene.content_of_backup()));
           if (result.exit_code == 0) CHECK(content == scene.content_of_backup());
         },
         [&](const ProcessResult&) {
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
         }});
}
