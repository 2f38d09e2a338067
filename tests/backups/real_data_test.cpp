// SPDX-License-Identifier: Apache-2.0
// Databases of other people: each must come back from a backup with the content it had.
#include "backups/plain_copy.h"
#include "backups/scratch_database.h"
#include "support/temp_folder.h"
#include "support/test_data.h"

#include "nerve/backends/sqlite/content.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/backups/backup.h"
#include "nerve/backups/restore.h"
#include "nerve/backups/verify.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>

namespace {

using namespace nerve::backups;
using nerve::test::plain_copy;
using nerve::test::TempFolder;
using nerve::test::test_data;

std::string digest_of(const std::filesystem::path& path) {
  nerve::sqlite::Session session(path);
  return nerve::sqlite::combine_digests(nerve::sqlite::digest_content(session));
}

}  // namespace

TEST_CASE("each real database has the same content after backup and restore, and is not touched") {
  const auto folder = test_data("sqlite");
  if (!folder) {
    MESSAGE("skipped: there is no real data");
    return;
  }
  const TempFolder scratch;
  const Repository repository = Repository::open_or_create(scratch / "backups");
  int databases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
    if (entry.path().extension() == ".md") continue;
    CAPTURE(entry.path().filename().string());
    // Straight from the folder that may be write-protected, as a user would do it.
    const Manifest manifest = create_backup(entry.path(), repository, plain_copy, nerve::system_clock());
    const VerifyReport report = verify_backup(repository, manifest, {.deep = true});
    CHECK(report.ok());
    const auto restored = scratch / ("restored-" + entry.path().filename().string());
    restore_backup(repository, manifest, {restored, RestoreTarget::Mode::new_file}, {},
                   nerve::system_clock());
    CHECK(digest_of(restored) == digest_of(entry.path()));
    CHECK(report.content_sha256 == digest_of(entry.path()));
    std::filesystem::copy(entry.path(), scratch / "original.db",
                          std::filesystem::copy_options::overwrite_existing);
    std::filesystem::permissions(scratch / "original.db", std::filesystem::perms::owner_all);
    CHECK(nerve::test::content_of(restored) == nerve::test::content_of(scratch / "original.db"));
    ++databases;
  }
  CHECK(databases >= 10);
}

TEST_CASE("chinook with a page overwritten is not backed up, and the earlier backup brings all rows back") {
  const auto original = test_data("sqlite/chinook.sqlite");
  if (!original) {
    MESSAGE("skipped: there is no real data");
    return;
  }
  const TempFolder scratch;
  const Repository repository = Repository::open_or_create(scratch / "backups");
  const auto database = scratch / "chinook.sqlite";
  std::filesystem::copy(*original, database);
  std::filesystem::permissions(database, std::filesystem::perms(0600));
  const Manifest good = create_backup(database, repository, plain_copy, nerve::system_clock());
  CHECK(good.rows_total() == 15607);  // as SOURCES.md of the data says
  nerve::test::damage_page(database, 100);
  bool refused = false;
  try {
    create_backup(database, repository, plain_copy, nerve::system_clock());
  } catch (const nerve::IntegrityError& error) {
    refused = true;
    CHECK(std::string(error.what()).find("damaged") != std::string::npos);
    CHECK(error.hint().find(good.id.short_text()) != std::string::npos);
  }
  CHECK(refused);
  CHECK(repository.list().size() == 1);
  const RestoreResult result =
      restore_backup(repository, repository.latest(database), {database}, {}, nerve::system_clock());
  CHECK(result.done);
  CHECK(result.safety_is_damaged);
  CHECK(digest_of(database) == digest_of(*original));
}
