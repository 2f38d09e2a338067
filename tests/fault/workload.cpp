// SPDX-License-Identifier: Apache-2.0
#include "fault/workload.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/consolidation.h"
#include "nerve/backups/repository.h"
#include "nerve/backups/restore.h"
#include "nerve/backups/retention.h"
#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/crypto/hash.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstdio>
#include <memory>
#include <string>

namespace nerve::test {
namespace {

using namespace nerve::backups;

/// A round ends with a restore, every third with a prune before it.
constexpr int backups_a_round = 2;
constexpr int rounds_a_prune = 3;
constexpr int backups_kept = 3;

void say(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void run_sql(const std::filesystem::path& database, const std::string& sql) {
  ::sqlite3* opened = nullptr;
  const int code = ::sqlite3_open(database.c_str(), &opened);
  const std::unique_ptr<::sqlite3, decltype(&::sqlite3_close)> connection(opened, ::sqlite3_close);
  if (code != SQLITE_OK || ::sqlite3_exec(opened, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw Error(ErrorKind::unavailable, fmt::format("SQLite fails: {}", ::sqlite3_errmsg(opened)));
  }
}

class Workload {
 public:
  Workload(const std::filesystem::path& database, const std::filesystem::path& repository,
           const BackupKey* key)
      : database_(database), repository_(Repository::open(repository)), key_(key) {}

  void run_round(int round) {
    Manifest newest = back_up(round * backups_a_round);
    const Manifest first = newest;
    for (int turn = 1; turn < backups_a_round; ++turn) newest = back_up(round * backups_a_round + turn);
    if (newest.container->parent) consolidate(newest);
    restore(first);
    if (round % rounds_a_prune == rounds_a_prune - 1) prune_all();
  }

 private:
  /// Of a database that holds `number`.
  Manifest back_up(int number) {
    say(fmt::format("begin change {}", number));
    run_sql(database_,
            fmt::format("PRAGMA synchronous = FULL; BEGIN; UPDATE state SET n = {0}; UPDATE users SET score "
                        "= score + 1 WHERE id % 7 = {0} % 7; COMMIT",
                        number));
    say(fmt::format("done change {}", number));
    say("begin backup");
    Manifest manifest = create_backup(database_, repository_, {.key = key_}, system_clock());
    // The connection that changed it has moved its -wal into it.
    say(fmt::format("done backup {} {} {}", manifest.id.to_string(), number,
                    to_hex(crypto::sha256_file(database_))));
    return manifest;
  }

  void consolidate(const Manifest& delta) {
    say(fmt::format("begin consolidate {}", delta.id.to_string()));
    const Manifest full = consolidate_backup(repository_, delta, key_, system_clock());
    say(fmt::format("done consolidate {} {}", full.id.to_string(), delta.id.to_string()));
  }

  void restore(const Manifest& manifest) {
    say(fmt::format("begin restore {}", manifest.id.to_string()));
    restore_backup(repository_, manifest, {database_, RestoreTarget::Mode::in_place}, {.key = key_},
                   system_clock());
    say(fmt::format("done restore {}", manifest.id.to_string()));
  }

  void prune_all() {
    say("begin prune");
    const PruneReport report =
        prune(repository_, {.policy = {.last = backups_kept, .safety = std::chrono::days(0)}, .key = key_},
              system_clock());
    std::string line = "done prune";
    for (const PruneDecision& decision : report.decisions) {
      if (decision.fate != Fate::remove) line += " " + decision.backup.id.to_string();
    }
    say(line);
  }

  std::filesystem::path database_;
  Repository repository_;
  const BackupKey* key_;
};

}  // namespace

void work(const std::filesystem::path& database, const std::filesystem::path& repository,
          const backups::BackupKey* key) {
  Workload workload(database, repository, key);
  for (int round = 1;; ++round) workload.run_round(round);
}

}  // namespace nerve::test
