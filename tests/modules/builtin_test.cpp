// SPDX-License-Identifier: Apache-2.0
#include "nerve/modules/builtin.h"

#include "support/engine.h"

#include "nerve/migrations/migrator.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

using namespace nerve;

namespace {

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.is_open());
  return {std::istreambuf_iterator<char>(file), {}};
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
      CHECK_MESSAGE(migration.text == file_text(folder / name), name);
      CHECK_MESSAGE(!migration.description.summary.empty(), name << " has no description");
    }
  }
  CHECK(compiled_in == in_tree);
}

TEST_CASE("every module stands behind those it depends on, and shares a store with them") {
  std::set<std::string_view> before;
  for (const Module* module : builtin_modules()) {
    for (const std::string_view name : module->depends_on()) CHECK_MESSAGE(before.contains(name), name);
    CHECK_MESSAGE(before.insert(module->name()).second, module->name());
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
