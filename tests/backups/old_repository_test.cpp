// SPDX-License-Identifier: Apache-2.0
// What people have today stays readable: tests/data/repository-0.1 holds repositories of the program before
// backups were authenticated. Each test works on a copy.
#include "backups/scratch_database.h"
#include "support/temp_folder.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/key.h"
#include "nerve/backups/repository.h"
#include "nerve/backups/restore.h"
#include "nerve/backups/verify.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/secret.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
namespace test = nerve::test;
using namespace nerve::backups;

const fs::path old_data = fs::path(NERVE_SOURCE_DIR) / "tests" / "data" / "repository-0.1";

/// A copy of one of them, and keys with the modes that keys must have.
struct OldRepository {
  explicit OldRepository(const std::string& name)
      : repository((fs::copy(old_data / name, folder / name, fs::copy_options::recursive),
                    Repository::open(folder / name))) {
    for (const char* const key : {"key", "pass"}) {
      fs::copy_file(old_data / key, folder / key);
      fs::permissions(folder / key, fs::perms::owner_read);
    }
  }

  BackupKey key() const { return BackupKey::from_file(folder / "key"); }
  BackupKey passphrase() const { return BackupKey::of_passphrase(nerve::Secret::from_file(folder / "pass")); }

  /// The rows of the table in what a backup restores to.
  std::string rows(const Manifest& manifest, const RestoreOptions& options = {}) {
    const fs::path path = folder / fmt::format("restored-{}", ++restored_count);
    restore_backup(repository, manifest, {path, RestoreTarget::Mode::new_file}, options, clock);
    return test::PlainSqlite(path).text("SELECT count(*) FROM events");
  }

  std::vector<std::string> rows_of_all(const RestoreOptions& options = {}) {
    std::vector<std::string> all;
    for (const Entry& entry : repository.list()) {
      REQUIRE(entry.manifest);
      all.push_back(rows(*entry.manifest, options));
    }
    return all;
  }

  bool is_sound(const BackupKey* key = nullptr) const {
    return std::ranges::all_of(verify_all(repository, {.key = key}), &VerifyReport::ok);
  }

  test::TempFolder folder;
  nerve::ManualClock clock{nerve::Timestamp::parse("2026-12-24T08:00:00Z")};
  Repository repository;
  int restored_count = 0;
};

}  // namespace

TEST_CASE("plain copies, fulls and deltas of an older program verify and restore to their rows") {
  OldRepository plain("plain");
  CHECK(plain.is_sound());
  CHECK(plain.rows_of_all() == std::vector<std::string>{"50"});
  OldRepository chain("repository");
  CHECK(chain.is_sound());
  CHECK(chain.rows_of_all() == std::vector<std::string>{"50", "51", "52"});
  CHECK(chain.rows(chain.repository.latest("/srv/app/app.db")) == "52");
}

TEST_CASE(
    "encrypted backups of an older program restore by their ids, and count when somebody vouches for them") {
  OldRepository old("sealed");
  const BackupKey key = old.key();
  CHECK(old.rows_of_all({.key = &key, .may_be_unauthenticated = true}) ==
        std::vector<std::string>{"52", "53"});
  CHECK_THROWS_AS(old.repository.authenticated_by(key).latest("/srv/app/app.db"), nerve::IntegrityError);
  CHECK_FALSE(old.is_sound(&key));
  CHECK(Repository::repair(old.repository.path(), {.key = &key, .vouch = true}).vouched_for.size() == 2);
  CHECK(old.is_sound(&key));
  const Repository keyed = old.repository.authenticated_by(key);
  CHECK(old.rows(keyed.latest("/srv/app/app.db"), {.key = &key}) == "53");
}

TEST_CASE("a passphrase of an older program opens its backups at the cost that they have") {
  OldRepository old("passphrase");
  const BackupKey passphrase = old.passphrase();
  CHECK(old.rows_of_all({.key = &passphrase, .may_be_unauthenticated = true}) ==
        std::vector<std::string>{"53"});
}

TEST_CASE("the next backup goes on in a repository of an older program") {
  OldRepository old("repository");
  const fs::path database = old.folder / "app.db";
  test::make_database(database, 30, "wal");
  const Manifest made = create_backup(database, old.repository, {}, old.clock);
  CHECK(made.sequence == 4);
  CHECK(old.is_sound());
}
