// SPDX-License-Identifier: Apache-2.0
#include "workspace/scene.h"

#include "nerve/core/error.h"
#include "nerve/health/checklist.h"
#include "nerve/jobs/runner.h"
#include "nerve/workspace/module_checks.h"

#include <doctest/doctest.h>

#include <array>
#include <stdexcept>
#include <string>

using namespace nerve;
using test::Scene;

namespace {

std::string names_of(const std::vector<jobs::JobRun>& runs) {
  std::string names;
  for (const jobs::JobRun& run : runs) names += std::string(run.job) + " ";
  return names;
}

/// The names of the jobs of all built-in modules, in their order.
std::string names_of_all() {
  std::string names;
  for (const Module* module : builtin_modules()) {
    for (const Job& job : module->jobs) names += std::string(job.name) + " ";
  }
  return names;
}

[[noreturn]] void throw_foreign() {
  throw std::out_of_range("a foreign text that quotes a value");
}

int first_checks_made = 0;

/// Its first check and job throw what is no Error.
const Module broken{.name = "broken",
                    .description = "throws",
                    .version = "1.0.0",
                    .checks = {{"broken.first",
                                [](Stores&) -> health::Check {
                                  ++first_checks_made;
                                  throw_foreign();
                                }},
                               {"broken.second",
                                [](Stores&) {
                                  return health::Check{.status = health::Status::ok,
                                                       .value = "1",
                                                       .threshold = {},
                                                       .message = "it is made",
                                                       .fix = {}};
                                }}},
                    .jobs = {{"broken-first", "throws", std::chrono::hours(1),
                              [](JobContext&) -> JobReport { throw_foreign(); }},
                             {"broken-second", "counts", std::chrono::hours(1), [](JobContext&) {
                                return JobReport{{{"done", 1}}};
                              }}}};

/// The stores of a scene as a program with that module alone sees them.
class BrokenStores final : public Stores {
 public:
  explicit BrokenStores(Stores& stores) : stores_(stores) {}
  OpenStore store(Store store) override { return stores_.store(store); }
  std::span<const Module* const> modules() const override { return modules_; }
  void run_exclusively(const std::function<void()>& work) override { stores_.run_exclusively(work); }

 private:
  Stores& stores_;
  std::array<const Module*, 1> modules_{&broken};
};

}  // namespace

CONFORMANCE_TEST(
    "a job runs when it is due, when it is named, and with all others; a dry run is not remembered") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  CHECK(names_of(jobs::run_jobs(scene.stores(), {.is_dry_run = true})) == names_of_all());
  CHECK(names_of(jobs::run_jobs(scene.stores())) == names_of_all());
  CHECK(names_of(jobs::run_jobs(scene.stores())).empty());
  scene.clock().advance(std::chrono::minutes(1));
  CHECK(names_of(jobs::run_jobs(scene.stores())).starts_with("outbox-drain "));
  CHECK(names_of(jobs::run_jobs(scene.stores(), {.job = "outbox-purge"})) == "outbox-purge ");
  CHECK(names_of(jobs::run_jobs(scene.stores(), {.all = true})) == names_of_all());
  CHECK_THROWS_AS(jobs::run_jobs(scene.stores(), {.job = "outbox-purg"}), NotFoundError);
}

CONFORMANCE_TEST(
    "a job that throws what is no error of ours has failed, without its text, and the others still run") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  BrokenStores stores(scene.stores());
  const std::vector<jobs::JobRun> runs = jobs::run_jobs(stores);
  REQUIRE(names_of(runs) == "broken-first broken-second ");
  CHECK(runs[0].outcome == jobs::Outcome::failed);
  CHECK(runs[0].report.problems.at(0).starts_with("unexpected failure"));
  CHECK(runs[0].report.problems.at(0).find("quotes a value") == std::string::npos);
  CHECK(runs[1].outcome == jobs::Outcome::succeeded);
}

TEST_CASE(
    "a check of a module has the id that the module states, is unknown when it throws, and is not made when "
    "it "
    "is left out") {
  Scene<test::Sqlite> scene;
  BrokenStores stores(scene.stores());
  health::Report report;
  const health::Skipped none;
  health::Checklist checklist(report, none);
  workspace::add_module_checks(stores, checklist);
  REQUIRE(report.checks.size() == 2);
  CHECK(report.checks[0].id == "broken.first");
  CHECK(report.checks[0].status == health::Status::unknown);
  CHECK(report.checks[0].message.starts_with("could not be checked: unexpected failure"));
  CHECK(report.checks[1].id == "broken.second");
  CHECK(report.checks[1].status == health::Status::ok);

  health::Report rest;
  first_checks_made = 0;
  const health::Skipped first{"broken.first"};
  health::Checklist short_list(rest, first);
  workspace::add_module_checks(stores, short_list);
  REQUIRE(rest.checks.size() == 1);
  CHECK(rest.checks[0].id == "broken.second");
  CHECK(first_checks_made == 0);
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
