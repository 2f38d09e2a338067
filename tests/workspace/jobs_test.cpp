// SPDX-License-Identifier: Apache-2.0
#include "workspace/scene.h"

#include "nerve/core/error.h"
#include "nerve/jobs/runner.h"

#include <doctest/doctest.h>

#include <string>

using namespace nerve;
using test::Scene;

namespace {

std::string names_of(const std::vector<jobs::JobRun>& runs) {
  std::string names;
  for (const jobs::JobRun& run : runs) names += std::string(run.job) + " ";
  return names;
}

}  // namespace

CONFORMANCE_TEST(
    "a job runs when it is due, when it is named, and with all others; a dry run is not remembered") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  CHECK(names_of(jobs::run_jobs(scene.stores(), {.is_dry_run = true})) ==
        "outbox-drain orphan-sweep outbox-purge ");
  CHECK(names_of(jobs::run_jobs(scene.stores())) == "outbox-drain orphan-sweep outbox-purge ");
  CHECK(names_of(jobs::run_jobs(scene.stores())).empty());
  scene.clock().advance(std::chrono::minutes(1));
  CHECK(names_of(jobs::run_jobs(scene.stores())) == "outbox-drain ");
  CHECK(names_of(jobs::run_jobs(scene.stores(), {.job = "outbox-purge"})) == "outbox-purge ");
  CHECK(jobs::run_jobs(scene.stores(), {.all = true}).size() == 3);
  CHECK_THROWS_AS(jobs::run_jobs(scene.stores(), {.job = "outbox-purg"}), NotFoundError);
}

CONFORMANCE_TEST("a job that was cut off is due at once") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  jobs::run_jobs(scene.stores());
  scene.execute(Store::core,
                "UPDATE job_states SET outcome = 'running', finished_at = NULL WHERE job = 'orphan-sweep'");
  CHECK(names_of(jobs::run_jobs(scene.stores())) == "orphan-sweep ");
}

CONFORMANCE_TEST(
    "a second runner, of this workspace on whatever machine, is turned away and nothing stays locked") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  const auto second = scene.open_again();
  bool was_refused = false;
  scene.stores().run_exclusively([&] {
    try {
      jobs::run_jobs(*second);
    } catch (const Error& error) {
      was_refused = error.kind() == ErrorKind::unavailable;
    }
  });
  CHECK(was_refused);
  CHECK_NOTHROW(jobs::run_jobs(*second));
}

TEST_CASE("on PostgreSQL a runner with another folder, as on another machine, is turned away too") {
  if (test::Postgresql::is_waived()) return;
  Scene<test::Postgresql> scene;
  const std::filesystem::path copy = scene.folder().parent_path() / "copy";
  std::filesystem::create_directory(copy);
  std::filesystem::copy_file(scene.folder() / "nerve.toml", copy / "nerve.toml");
  workspace::WorkspaceOptions options;
  options.composition = test::composition();
  workspace::Workspace elsewhere(copy, Config::load(copy / "nerve.toml"), options);
  bool was_refused = false;
  scene.stores().run_exclusively([&] {
    try {
      elsewhere.run_exclusively([] {});
    } catch (const Error& error) {
      was_refused = error.kind() == ErrorKind::unavailable;
    }
  });
  CHECK(was_refused);
}
