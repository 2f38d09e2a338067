// SPDX-License-Identifier: Apache-2.0
#include "nerve/modules/builtin.h"

#include "modules/migrated_store.h"
#include "support/file_bytes.h"

#include "nerve/migrations/migrator.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using namespace nerve;

namespace {

/// The words behind DEPENDS in the CMakeLists.txt of a module.
std::set<std::string> linked_modules(std::string_view module) {
  const std::string text =
      test::bytes_of(std::filesystem::path(NERVE_SOURCE_DIR) / "modules" / module / "CMakeLists.txt");
  const std::size_t begin = text.find("DEPENDS");
  if (begin == std::string::npos) return {};
  std::istringstream words(text.substr(begin, text.find(')', begin) - begin));
  std::set<std::string> names(std::istream_iterator<std::string>(words), {});
  names.erase("DEPENDS");
  return names;
}

}  // namespace

TEST_CASE("every migration file in the tree is compiled in, as it is, and can be read for both engines") {
  const std::filesystem::path folder = std::filesystem::path(NERVE_SOURCE_DIR) / "migrations";
  std::set<std::string> in_tree;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".sql") in_tree.insert(entry.path().lexically_relative(folder).string());
  }
  std::set<std::string> compiled_in;
  for (const Store store : every_store) {
    const migrations::MigrationSet set = builtin_migrations(store, migrations::every_dialect);
    for (const migrations::Migration& migration : set.in_order()) {
      const std::string name = migration.title() + ".sql";
      compiled_in.insert(name);
      CHECK_MESSAGE(migration.text == test::bytes_of(folder / name), name);
      CHECK_MESSAGE(!migration.description.summary.empty(), name << " has no description");
    }
  }
  for (const std::string& name : in_tree) {
    CHECK_MESSAGE(compiled_in.contains(name),
                  "migrations/" << name << " belongs to no module of modules/builtin.cpp");
  }
}

TEST_CASE("every module stands behind those it depends on, and shares a store with them") {
  std::set<std::string_view> before;
  for (const Module* module : builtin_modules()) {
    for (const std::string_view name : module->depends_on) CHECK_MESSAGE(before.contains(name), name);
    CHECK_MESSAGE(before.insert(module->name).second, module->name);
  }
}

TEST_CASE("a module depends on the modules that its CMakeLists.txt names, and on no other") {
  for (const Module* module : builtin_modules()) {
    const std::vector<std::string_view> stated(module->depends_on);
    const std::set<std::string> depends_on(stated.begin(), stated.end());
    const std::set<std::string> linked = linked_modules(module->name);
    INFO("module ", std::string(module->name));
    for (const std::string& name : linked)
      CHECK_MESSAGE(depends_on.contains(name), "depends_on() lacks " << name);
    for (const std::string& name : depends_on) CHECK_MESSAGE(linked.contains(name), "DEPENDS lacks " << name);
  }
}

TEST_CASE("no two checks have one id, and no two jobs one name") {
  std::set<std::string_view> ids;
  std::set<std::string_view> names;
  for (const Module* module : builtin_modules()) {
    for (const ModuleCheck& check : module->checks) CHECK_MESSAGE(ids.insert(check.id).second, check.id);
    for (const Job& job : module->jobs) CHECK_MESSAGE(names.insert(job.name).second, job.name);
  }
}

CONFORMANCE_TEST(
    "in new stores every check is ok, and every job ends without a problem, its dry run as well") {
  if (Engine::is_waived()) return;
  test::MigratedStore<Engine> store;
  Stores& stores = store.stores();
  for (const Module* module : builtin_modules()) {
    for (const ModuleCheck& check : module->checks) {
      INFO("check ", std::string(check.id));
      CHECK(check.run(stores).status == health::Status::ok);
    }
    for (const Job& job : module->jobs) {
      INFO("job ", std::string(job.name));
      for (const bool is_dry_run : {true, false}) {
        JobContext context{stores, Scope(), is_dry_run};
        CHECK(job.run(context).problems.empty());
      }
    }
  }
}

CONFORMANCE_TEST("the migrations of both stores go up, down and up again") {
  for (const Store store : every_store) {
    START_ENGINE(engine);
    const auto database = engine.open();
    const migrations::MigrationSet set = builtin_migrations(store);
    migrations::Migrator migrator(*database, set);
    CHECK(migrator.up().size() == set.in_order().size());
    CHECK(migrator.down(set.in_order().size()).size() == set.in_order().size());
    CHECK(migrator.up().size() == set.in_order().size());
  }
}
