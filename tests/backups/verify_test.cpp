// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/verify.h"

#include "backups/plain_copy.h"
#include "backups/scratch_database.h"
#include "support/process.h"
#include "support/temp_folder.h"

#include "nerve/backups/backup.h"

#include <doctest/doctest.h>

#include <fstream>

namespace {

using nerve::backups::create_backup;
using nerve::backups::Manifest;
using nerve::backups::Repository;
using nerve::backups::verify_all;
using nerve::backups::verify_backup;
using nerve::backups::VerifyReport;
using nerve::test::make_database;
using nerve::test::plain_copy;
using nerve::test::TempFolder;

/// A repository with one backup.
struct VerifyScene {
  VerifyScene() {
    make_database(folder / "app.db", 300, "wal");
    manifest = create_backup(folder / "app.db", repository, plain_copy, nerve::system_clock());
  }
  std::filesystem::path file(const std::string& name) const {
    return repository.folder_of(manifest.id) / name;
  }
  VerifyReport verify(bool deep = false) const { return verify_backup(repository, manifest, {deep}); }

  TempFolder folder;
  Repository repository = Repository::open_or_create(folder / "backups");
  Manifest manifest;
};

}  // namespace

TEST_CASE("a whole backup verifies, and deep verification counts its rows") {
  const VerifyScene scene;
  CHECK(scene.verify().ok());
  const VerifyReport deep = scene.verify(true);
  CHECK(deep.ok());
  CHECK(deep.rows == 600);
  CHECK(deep.foreign_key_violations == 0);
  CHECK(deep.content_sha256.size() == 64);
  CHECK_FALSE(std::filesystem::exists(scene.file("database.sqlite-wal")));
}

TEST_CASE("the manifest holds the SHA-256 that sha256sum computes") {
  const VerifyScene scene;
  const auto result = nerve::test::run_process({"sha256sum", scene.file("database.sqlite")});
  REQUIRE(result.exit_code == 0);
  CHECK(result.out.substr(0, 64) == scene.manifest.file.sha256);
}

TEST_CASE("one changed bit, one byte more or less, and a missing file are each a problem") {
  const VerifyScene scene;
  SUBCASE("bit") {
    std::fstream file(scene.file("database.sqlite"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(5000);
    const int byte = file.get();
    file.seekp(5000);
    file.put(static_cast<char>(byte ^ 1));
  }
  SUBCASE("longer") {
    std::ofstream(scene.file("database.sqlite"), std::ios::app) << 'x';
  }
  SUBCASE("shorter") {
    std::filesystem::resize_file(scene.file("database.sqlite"), scene.manifest.file.size_bytes - 1);
  }
  SUBCASE("missing") {
    std::filesystem::remove(scene.file("database.sqlite"));
  }
  const VerifyReport report = scene.verify(true);
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems.front().find("database.sqlite") != std::string::npos);
}

TEST_CASE("a -wal that appears beside the copy is a problem, since SQLite would read it") {
  const VerifyScene scene;
  std::ofstream(scene.file("database.sqlite-wal")) << "x";
  CHECK_FALSE(scene.verify().ok());
}

TEST_CASE("verification of all reports each backup, also one without a usable manifest") {
  const VerifyScene scene;
  create_backup(scene.folder / "app.db", scene.repository, plain_copy, nerve::system_clock());
  std::filesystem::remove(scene.file("manifest.json"));
  const std::vector<VerifyReport> reports = verify_all(scene.repository, {});
  REQUIRE(reports.size() == 2);
  CHECK(reports.at(0).id == scene.manifest.id.to_string());
  CHECK_FALSE(reports.at(0).ok());
  CHECK(reports.at(1).ok());
}
