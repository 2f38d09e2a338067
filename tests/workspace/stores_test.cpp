// SPDX-License-Identifier: Apache-2.0
#include "workspace/scene.h"

#include "nerve/core/error.h"
#include "nerve/migrations/migrator.h"
#include "nerve/workspace/store_status.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>

using namespace nerve;
using test::Postgresql;
using test::Scene;
using test::Sqlite;

namespace {

template <class Work>
std::string error_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    CHECK_FALSE(std::string(error.hint()).empty());
    return std::string(to_string(error.kind())) + ": " + error.what();
  }
  return "no error";
}

/// A workspace whose settings name these databases.
std::unique_ptr<workspace::Workspace> workspace_of(const std::filesystem::path& folder,
                                                   const std::string& core, const std::string& secure,
                                                   const std::string& id = {}) {
  std::string text = "[database]\nurl = \"" + core + "\"\nsecure_url = \"" + secure + "\"\n";
  if (!id.empty()) text += "[workspace]\nid = \"" + id + "\"\n";
  workspace::WorkspaceOptions options;
  options.composition = test::composition();
  return std::make_unique<workspace::Workspace>(folder, Config::parse(text, folder / "nerve.toml"), options);
}

template <class Engine>
std::pair<std::string, std::string> urls_of(Scene<Engine>& scene) {
  return {scene.stores().url(Store::core), scene.stores().url(Store::secure)};
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

CONFORMANCE_TEST("stores that were swapped are refused, each of them, before anything is written") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  const auto [core, secure] = urls_of(scene);
  const auto swapped = workspace_of(scene.folder(), secure, core);
  const std::string error = error_of([&] { swapped->store(Store::core); });
  CHECK(contains(error, "integrity: "));
  CHECK(contains(error, "is the secure store, and stands in the place of the core store"));
  CHECK(contains(error_of([&] { swapped->store(Store::secure); }), "is the core store"));
}

CONFORMANCE_TEST(
    "a store of another workspace is refused, by the id in nerve.toml or by that of the other store") {
  if (Engine::is_waived()) return;
  Scene<Engine> ours;
  Scene<Engine> theirs;
  const auto mixed = workspace_of(ours.folder(), urls_of(ours).first, urls_of(theirs).second);
  mixed->store(Store::core);
  CHECK(contains(error_of([&] { mixed->store(Store::secure); }), "belongs to another workspace"));
  const auto foreign = workspace_of(ours.folder(), urls_of(theirs).first, urls_of(theirs).second,
                                    ours.stores().id()->to_string());
  CHECK(contains(error_of([&] { foreign->store(Store::core); }), "belongs to another workspace"));
}

CONFORMANCE_TEST("a database that is no store is not found, and stays as it is") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  const Engine engine;
  const auto database = engine.open();
  database->write([](db::Transaction& t) { t.execute("CREATE TABLE notes(body TEXT)"); });
  const auto space = workspace_of(scene.folder(), engine.url(), urls_of(scene).second);
  CHECK(contains(error_of([&] { space->store(Store::core); }), "not_found: "));
}

CONFORMANCE_TEST(
    "while migrations are pending a store is not handed to modules, and its status says how many") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  const migrations::MigrationSet set = test::composition().migrations(Store::core);
  migrations::Migrator(scene.core().database, set).down(2);
  scene.open();
  CHECK(contains(error_of([&] { scene.core(); }), "pending_migrations: "));
  CHECK(contains(error_of([&] { scene.core(); }), "2 migrations are pending"));
  const workspace::StoreStatus status = workspace::describe(scene.stores(), Store::core);
  CHECK(status.pending == 2);
  CHECK(status.applied == set.in_order().size() - 2);
  CHECK(status.size_bytes > 0);
  CHECK(workspace::describe(scene.stores(), Store::secure).pending == 0);
}

TEST_CASE(
    "on PostgreSQL a store is not opened by who sees every tenant, nor with a wall that was taken away") {
  if (Postgresql::is_waived()) return;
  Scene<Postgresql> scene;
  std::string superuser = scene.places().secure;
  superuser.replace(superuser.find("owner@"), 6, "postgres@");
  const auto seen = workspace_of(scene.folder(), scene.places().core, superuser);
  CHECK(contains(
      error_of([&] { seen->store(Store::secure); }),
      "denied: the role postgres of " + seen->database(Store::secure).name() + " is held by no policy"));
  for (const std::string_view change :
       {"ALTER TABLE vault_items NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE vault_items DISABLE ROW LEVEL SECURITY",
        "DROP POLICY of_tenant ON vault_items; DROP POLICY of_all_tenants ON vault_items"}) {
    CAPTURE(std::string(change));
    Scene<Postgresql> changed;
    changed.secure().database.write([&](db::Transaction& t) { t.execute_script(change); });
    changed.open();
    CHECK(contains(error_of([&] { changed.secure(); }),
                   "integrity: no wall stands between the tenants in the table vault_items of "));
  }
}

TEST_CASE("the paths of stores begin at the folder of nerve.toml, and a URL stays as it is") {
  const auto space = workspace_of("/srv/space", "data/../core.db", "postgresql://db.example/secure");
  CHECK(space->url(Store::core) == "/srv/space/core.db");
  CHECK(space->url(Store::secure) == "postgresql://db.example/secure");
  const workspace::Workspace plain("/srv/space", Config::defaults());
  CHECK(plain.url(Store::core) == "/srv/space/nerve.db");
  CHECK(plain.url(Store::secure) == "/srv/space/nerve-secure.db");
}
