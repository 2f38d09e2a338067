// SPDX-License-Identifier: Apache-2.0
#include "nerve/migrations/migration_set.h"

#include "support/temp_folder.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace nerve;
using migrations::EmbeddedFile;
using migrations::MigrationSet;
using migrations::ModuleOrder;
using migrations::Reference;

namespace {

std::string content(std::string_view headers = {}) {
  return std::string(headers) + "-- irreversible: it is a test\n-- migrate:up\nSELECT 1;\n";
}

std::string order_of(const MigrationSet& set) {
  std::string order;
  for (const auto& migration : set.in_order()) order += migration.reference.to_string() + " ";
  return order;
}

std::string refusal(const std::vector<EmbeddedFile>& files) {
  try {
    return order_of(MigrationSet::from_files(files, {}));
  } catch (const ValidationError& error) {
    CHECK_FALSE(error.hint().empty());
    return error.what();
  }
}

}  // namespace

TEST_CASE("modules come in their order, after those they depend on") {
  const std::string plain = content();
  const std::string later = content("-- requires: audit@0002\n");
  const std::vector<EmbeddedFile> files{{"audit", "0002_b.sql", plain},
                                        {"audit", "0001_a.sql", plain},
                                        {"identity", "0001_a.sql", plain},
                                        {"identity", "0002_b.sql", later},
                                        {"keys", "0001_a.sql", plain}};
  const std::vector<ModuleOrder> modules{{"keys", {"identity"}}, {"identity", {}}, {"audit", {}}};
  CHECK(order_of(MigrationSet::from_files(files, modules)) ==
        "identity@0001 audit@0001 audit@0002 identity@0002 keys@0001 ");
}

TEST_CASE("what a migration stands on is its closure") {
  const std::string plain = content();
  const std::string needs = content("-- requires: b@0001\n");
  const MigrationSet set = MigrationSet::from_files(std::vector<EmbeddedFile>{{"a", "0001_x.sql", plain},
                                                                              {"a", "0002_x.sql", needs},
                                                                              {"a", "0003_x.sql", plain},
                                                                              {"b", "0001_x.sql", plain},
                                                                              {"b", "0002_x.sql", plain}},
                                                    {});
  std::string closure;
  for (const Reference& reference : set.closure({"a", 2})) closure += reference.to_string() + " ";
  CHECK(closure == "a@0001 b@0001 a@0002 ");
  CHECK_THROWS_AS(set.closure({"a", 9}), NotFoundError);
}

TEST_CASE("a missing requirement, a circle and a number given twice are refused by name") {
  const std::string plain = content();
  const std::string missing = content("-- requires: gone@0001\n");
  const std::string to_b = content("-- requires: b@0001\n");
  const std::string to_a = content("-- requires: a@0001\n");
  CHECK(refusal({{"a", "0001_x.sql", missing}}) ==
        "migrations/a/0001_x.sql: requires gone@0001, which is not there");
  CHECK(refusal({{"a", "0001_x.sql", to_b}, {"b", "0001_x.sql", to_a}}) ==
        "the migrations require each other in a circle: a@0001 requires b@0001 requires a@0001");
  CHECK(refusal({{"a", "0001_x.sql", plain}, {"a", "0001_y.sql", plain}}) ==
        "migrations/a/0001_x.sql and migrations/a/0001_y.sql have one number");
}

TEST_CASE("a folder is read with its subfolders as modules") {
  const test::TempFolder folder;
  std::filesystem::create_directories(folder / "billing");
  std::filesystem::create_directories(folder / "empty folder");
  std::ofstream(folder / "0001_first.sql") << content();
  std::ofstream(folder / "README.md") << "not a migration";
  std::ofstream(folder / "billing" / "0001_invoices.sql") << content("-- requires: app@0001\n");
  const MigrationSet set = MigrationSet::from_folder(folder.path());
  CHECK(order_of(set) == "app@0001 billing@0001 ");
  CHECK(set.default_module().empty());
  CHECK_THROWS_AS(MigrationSet::from_folder(folder / "nowhere"), NotFoundError);
  std::ofstream(folder / "notes.sql") << content();
  CHECK_THROWS_AS(MigrationSet::from_folder(folder.path()), ValidationError);
}

TEST_CASE("a file is read whole, whatever its size, up to the largest one") {
  const test::TempFolder folder;
  const std::string file = folder / "0001_first.sql";
  for (const std::size_t size : {std::size_t{8191}, std::size_t{8192}, std::size_t{8193}, std::size_t{16384},
                                 std::size_t{100'000}, migrations::Migration::size_bytes_max}) {
    CAPTURE(size);
    const std::string text = content() + "-- ";
    const std::string padded = text + std::string(size - text.size() - 1, 'x') + '\n';
    std::ofstream(file) << padded;
    const MigrationSet set = MigrationSet::from_folder(folder.path(), {});
    REQUIRE(set.in_order().size() == 1);
    CHECK(set.in_order().front().text == padded);
  }
  std::ofstream(file, std::ios::app) << "\n";
  CHECK_THROWS_AS(MigrationSet::from_folder(folder.path(), {}), ValidationError);
}

TEST_CASE("a folder's links are followed, and what is hidden or leads nowhere is left alone") {
  const test::TempFolder folder;
  const test::TempFolder elsewhere;
  std::filesystem::create_directories(folder / ".hidden");
  std::ofstream(folder / ".hidden" / "0001_first.sql") << content();
  std::ofstream(folder / ".0001_first.sql") << content();
  std::filesystem::create_symlink(folder / "gone", folder / "0003_nowhere.sql");
  std::ofstream(elsewhere / "first.sql") << content();
  std::filesystem::create_symlink(elsewhere / "first.sql", folder / "0001_first.sql");
  std::filesystem::create_directories(elsewhere / "invoices");
  std::ofstream(elsewhere / "invoices" / "0001_invoices.sql") << content();
  std::filesystem::create_directory_symlink(elsewhere / "invoices", folder / "billing");
  CHECK(order_of(MigrationSet::from_folder(folder.path())) == "app@0001 billing@0001 ");
  CHECK(MigrationSet::from_folder(folder.path() / "").in_order().front().file ==
        (folder / "0001_first.sql").string());
}
