// SPDX-License-Identifier: Apache-2.0
#include "nerve/workspace/initialize.h"

#include "support/effort.h"
#include "support/temp_folder.h"
#include "workspace/scene.h"

#include "nerve/core/error.h"
#include "nerve/workspace/store_identity.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace nerve;
using test::Postgresql;
using test::Scene;
using test::Sqlite;

namespace {

namespace fs = std::filesystem;

unsigned mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777U;
}

std::string names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  std::string text;
  for (const std::string& name : names) text += name + " ";
  return text;
}

/// Stands for a process that was killed: the migrations of a store end with an exception.
workspace::Composition that_fails_at(Store failing) {
  workspace::Composition broken = test::composition();
  broken.migrations = [failing](Store store) {
    if (store == failing) throw Error(ErrorKind::failure, "cut off", "Run it again.");
    return test::composition().migrations(store);
  };
  return broken;
}

}  // namespace

TEST_CASE("a new workspace holds two stores, settings and backups, open to their owner only") {
  const Scene<Sqlite> scene;
  CHECK(names_in(scene.folder()) == "backups nerve-secure.db nerve.db nerve.toml ");
  CHECK(mode_of(scene.folder()) == 0700);
  CHECK(mode_of(scene.folder() / "backups") == 0700);
  for (const std::string file : {"nerve.toml", "nerve.db", "nerve-secure.db"}) {
    CHECK_MESSAGE(mode_of(scene.folder() / file) == 0600, file);
  }
}

CONFORMANCE_TEST("both stores hold the id that nerve.toml says, and which of the two they are") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  const Config config = Config::load(scene.folder() / "nerve.toml");
  for (const Store store : every_store) {
    const auto identity = scene.stores().database(store).read(
        [](db::Transaction& t) { return workspace::read_store_identity(t); });
    REQUIRE(identity);
    CHECK(identity->workspace_id.to_string() == config.text("workspace.id"));
    CHECK(identity->store == store);
  }
}

CONFORMANCE_TEST("a workspace is never made over another one") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  const Uuid id = *scene.open_again()->id();
  CHECK_THROWS_AS(workspace::initialize(scene.wish()), ConflictError);
  // Neither when the settings are lost: the stores are there.
  fs::remove(scene.folder() / "nerve.toml");
  CHECK_THROWS_AS(workspace::initialize(scene.wish()), ConflictError);
  CHECK_FALSE(fs::exists(scene.folder() / "nerve.toml.part"));
  CHECK(scene.stores().id() == id);
}

CONFORMANCE_TEST("a run that was cut off in either store is completed by the next, with the same id") {
  if (Engine::is_waived()) return;
  for (const Store failing : every_store) {
    const test::TempFolder folder;
    const test::StorePlaces<Engine> places;
    workspace::NewWorkspace wanted{
        .folder = folder / "space", .core_url = places.core, .secure_url = places.secure};
    wanted.options.composition = that_fails_at(failing);
    CHECK_THROWS_WITH(workspace::initialize(wanted), "cut off");
    CHECK(fs::exists(folder / "space" / "nerve.toml.part"));
    CHECK_FALSE(fs::exists(folder / "space" / "nerve.toml"));
    const std::string id = Config::load(folder / "space" / "nerve.toml.part").text("workspace.id");

    wanted.options.composition = test::composition();
    const workspace::Initialized made = workspace::initialize(wanted);
    CHECK(made.was_resumed);
    CHECK(made.id.to_string() == id);
    CHECK_FALSE(fs::exists(folder / "space" / "nerve.toml.part"));
    workspace::WorkspaceOptions options;
    options.composition = test::composition();
    workspace::Workspace space(folder / "space", Config::load(folder / "space" / "nerve.toml"), options);
    CHECK_NOTHROW(space.store(Store::core));
    CHECK_NOTHROW(space.store(Store::secure));
  }
}

TEST_CASE("what was begun with other databases is not completed with these") {
  const test::TempFolder folder;
  workspace::NewWorkspace wanted{.folder = folder / "space"};
  wanted.options.composition = that_fails_at(Store::secure);
  CHECK_THROWS_AS(workspace::initialize(wanted), Error);
  wanted.core_url = (folder / "a.db").string();
  wanted.secure_url = (folder / "b.db").string();
  CHECK_THROWS_AS(workspace::initialize(wanted), ConflictError);
  CHECK_FALSE(fs::exists(folder / "a.db"));
}

TEST_CASE("a file that stands where a store would go is left alone, and nothing is begun") {
  const test::TempFolder folder;
  std::ofstream(folder / "nerve-secure.db") << "not ours";
  CHECK_THROWS_AS(workspace::initialize({.folder = folder.path()}), ConflictError);
  CHECK(names_in(folder.path()) == "nerve-secure.db ");
}

TEST_CASE("a URL with a password, one store without the other, and one database for both are refused") {
  const test::TempFolder folder;
  const auto attempt = [&](const std::string& core, const std::string& secure) {
    return workspace::NewWorkspace{.folder = folder / "space", .core_url = core, .secure_url = secure};
  };
  CHECK_THROWS_AS(workspace::initialize(attempt("postgresql://u:secret@h/a", "postgresql://h/b")),
                  ValidationError);
  CHECK_THROWS_AS(workspace::initialize(attempt("postgresql://h/a", "")), ValidationError);
  CHECK_THROWS_AS(workspace::initialize(attempt("x.db", "./x.db")), ValidationError);
  CHECK(names_in(folder.path()).empty());
}

TEST_CASE("a PostgreSQL database that holds something is refused") {
  if (Postgresql::is_waived()) return;
  const test::TempFolder folder;
  const test::StorePlaces<Postgresql> places;
  open_database(places.secure)->write([](db::Transaction& t) { t.execute("CREATE TABLE notes(body text)"); });
  CHECK_THROWS_AS(workspace::initialize(
                      {.folder = folder / "space", .core_url = places.core, .secure_url = places.secure}),
                  ConflictError);
  CHECK_FALSE(fs::exists(folder / "space" / "nerve.toml.part"));
}

TEST_CASE("of several that make one workspace at once one does, and its settings name its stores") {
  constexpr int at_once = 4;
  const int rounds = test::scaled(5, 30);
  for (int round = 0; round < rounds; ++round) {
    const test::TempFolder folder;
    workspace::NewWorkspace wanted;
    wanted.folder = folder / "space";
    wanted.options.composition = test::composition();
    std::atomic<int> made = 0;
    std::atomic<int> refused = 0;
    std::vector<std::thread> threads;
    threads.reserve(at_once);
    for (int number = 0; number < at_once; ++number) {
      threads.emplace_back([&] {
        try {
          workspace::initialize(wanted);
          ++made;
        } catch (const ConflictError&) {
          ++refused;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(made == 1);
    CHECK(refused == at_once - 1);
    CHECK(names_in(wanted.folder) == "backups nerve-secure.db nerve.db nerve.toml ");
    const Config config = Config::load(wanted.folder / "nerve.toml");
    for (const std::string file : {"nerve.db", "nerve-secure.db"}) {
      const auto store = open_database((wanted.folder / file).string());
      const auto identity = store->read(
          [](db::Transaction& transaction) { return workspace::read_store_identity(transaction); });
      REQUIRE(identity);
      CHECK(identity->workspace_id.to_string() == config.text("workspace.id"));
    }
  }
}
