// SPDX-License-Identifier: Apache-2.0
// Goal: kill -9 at a random moment of `migrate up` and `migrate down`, with a rebuild and with statements
// that run outside of a transaction, loses no row and leaves no lock: the same command run again finishes.
//
// Method: one run each way is timed; then 50 runs up and 50 runs down are killed after a random part of that
// time (a fixed seed, printed), and each is run again at once. A row that one migration adds to a log shows
// that no statement ran twice.
//
// And: kill -9 of `migrate verify`, whose replay makes the whole schema once more, leaves nothing of it: 30
// runs for each engine. Outside of a long run (effort.h) all of these are fewer.
#include "support/engine.h"
#include "support/process.h"
#include "support/random_moments.h"
#include "support/temp_folder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace nerve;
using test::Process;
using test::ProcessResult;
using test::RandomMoments;

namespace {

namespace fs = std::filesystem;

constexpr int kills = 50;
constexpr unsigned int seed = 20'261'121;

constexpr std::string_view schema = R"(-- irreversible: the rows are what the test is about
-- migrate:up
CREATE TABLE parent (id {{num}} NOT NULL PRIMARY KEY, name {{text}} NOT NULL);
CREATE TABLE child (id {{num}} NOT NULL PRIMARY KEY, parent_id {{num}} NOT NULL REFERENCES parent (id) ON DELETE CASCADE);
CREATE TABLE runs (what {{text}} NOT NULL);
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) INSERT INTO parent SELECT i, 'name ' || i FROM n;
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000) INSERT INTO child SELECT i, 1 + i % 4000 FROM n;
)";

constexpr std::string_view rebuild = R"(-- rebuild: parent
-- migrate:up
-- dialect:sqlite
CREATE TABLE parent_new (id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, note TEXT NOT NULL DEFAULT '');
INSERT INTO parent_new (id, name) SELECT id, name FROM parent;
DROP TABLE parent;
ALTER TABLE parent_new RENAME TO parent;
-- dialect:postgresql
ALTER TABLE parent ADD COLUMN note text NOT NULL DEFAULT '';
UPDATE parent SET note = '';
-- migrate:down
-- dialect:sqlite
CREATE TABLE parent_old (id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO parent_old SELECT id, name FROM parent;
DROP TABLE parent;
ALTER TABLE parent_old RENAME TO parent;
-- dialect:postgresql
ALTER TABLE parent DROP COLUMN note;
)";

constexpr std::string_view by_statement = R"(-- no-transaction
-- migrate:up
INSERT INTO runs VALUES ('up');
-- dialect:sqlite
CREATE INDEX child_parent ON child (parent_id);
-- dialect:postgresql
CREATE INDEX CONCURRENTLY child_parent ON child (parent_id);
-- dialect:end
VACUUM;
INSERT INTO runs VALUES ('up');
-- migrate:down
INSERT INTO runs VALUES ('down');
-- dialect:sqlite
DROP INDEX child_parent;
-- dialect:postgresql
DROP INDEX CONCURRENTLY child_parent;
-- dialect:end
VACUUM;
INSERT INTO runs VALUES ('down');
)";

class Scene {
 public:
  Scene(const std::string& url, db::Database& database) : url_(url), database_(database) {
    std::ofstream(folder_ / "0001_schema.sql") << schema;
    std::ofstream(folder_ / "0002_rebuild.sql") << rebuild;
    std::ofstream(folder_ / "0003_by_statement.sql") << by_statement;
  }

  std::vector<std::string> up() const { return command({"up", "--no-backup"}); }
  std::vector<std::string> down() const { return command({"down", "--to", "0001", "--yes", "--no-backup"}); }
  std::vector<std::string> verify() const { return command({"verify"}); }

  /// Runs it to its end and says how long that took.
  std::chrono::microseconds run(const std::vector<std::string>& words) const {
    const auto started = std::chrono::steady_clock::now();
    const ProcessResult result = test::run_process(words);
    CAPTURE(result.out);
    CAPTURE(result.err);
    CHECK(result.exit_code == 0);
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started);
  }

  std::int64_t number(const std::string& sql) const {
    return database_.read([&](db::Transaction& transaction) { return transaction.one<std::int64_t>(sql); });
  }

  void check_rows(int rounds_up, int rounds_down) const {
    CHECK(number("SELECT count(*) FROM parent") == 4000);
    CHECK(number("SELECT count(*) FROM child") == 8000);
    CHECK(number("SELECT count(*) FROM child JOIN parent ON parent.id = child.parent_id") == 8000);
    CHECK(number("SELECT count(*) FROM runs WHERE what = 'up'") == 2 * rounds_up);
    CHECK(number("SELECT count(*) FROM runs WHERE what = 'down'") == 2 * rounds_down);
  }

 private:
  std::vector<std::string> command(const std::vector<std::string>& verb) const {
    std::vector<std::string> words{NERVE_DB_PROGRAM, "migrate"};
    words.insert(words.end(), verb.begin(), verb.end());
    for (const std::string& word :
         {std::string("--db"), url_, std::string("--dir"), folder_.path().string(), std::string("--quiet")}) {
      words.push_back(word);
    }
    return words;
  }

  std::string url_;
  db::Database& database_;
  test::TempFolder folder_;
};

/// What a run that was cut off might leave: files beside the database and in the folder for temporary ones.
class Leftovers {
 public:
  Leftovers(const std::string& url, db::Database& database) : database_(database) {
    constexpr std::string_view scheme = "sqlite:";
    if (url.starts_with(scheme)) database_folder_ = fs::path(url.substr(scheme.size())).parent_path();
    before_ = names();
  }

  test::ProcessOptions options() const {
    test::ProcessOptions options;
    options.env = {{"TMPDIR", temporary_.path()}, {"SQLITE_TMPDIR", temporary_.path()}};
    return options;
  }

  void check_none() const {
    CHECK(names() == before_);
    if (database_.dialect() != db::Dialect::postgresql) return;
    CHECK(number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'nerve%'") == 0);
  }

  /// The server ends a session whose client is gone as soon as it has to tell it something.
  void check_no_session() const {
    if (database_.dialect() != db::Dialect::postgresql) return;
    constexpr std::string_view others =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
        "pg_backend_pid()";
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (number(others) > 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    CHECK(number(others) == 0);
  }

 private:
  std::set<std::string> names() const {
    std::set<std::string> found;
    for (const fs::path& folder : {database_folder_, temporary_.path()}) {
      if (folder.empty()) continue;
      for (const auto& entry : fs::directory_iterator(folder)) found.insert(entry.path().string());
    }
    return found;
  }
  std::int64_t number(std::string_view sql) const {
    return database_.read([&](db::Transaction& transaction) { return transaction.one<std::int64_t>(sql); });
  }

  db::Database& database_;
  fs::path database_folder_;
  test::TempFolder temporary_;
  std::set<std::string> before_;
};

}  // namespace

CONFORMANCE_TEST("kill -9 at random moments of migrate verify leaves nothing of its replay") {
  START_ENGINE(engine);
  const auto database = engine.open({.wal = false});
  const Scene scene(engine.url(), *database);
  scene.run(scene.up());
  // The shortest of three: the first warms up what the others find warm.
  const auto duration =
      std::min({scene.run(scene.verify()), scene.run(scene.verify()), scene.run(scene.verify())});
  MESSAGE("seed ", seed, ", verify takes ", duration.count() / 1000, " ms");
  const Leftovers leftovers(engine.url(), *database);

  constexpr int kills_of_verify = 30;
  RandomMoments moments(seed, kills_of_verify);
  while (moments.is_one_wanted()) {
    const auto delay = moments.next(duration);
    CAPTURE(delay.count());
    const ProcessResult result = Process(scene.verify(), leftovers.options()).kill_after(delay);
    CHECK((result.exit_code == 0 || result.signal == SIGKILL));
    moments.count(result.signal == SIGKILL);
    leftovers.check_none();
    if (moments.runs() % 3 != 1) continue;
    scene.run(scene.verify());
    leftovers.check_no_session();
    leftovers.check_none();
  }
  scene.run(scene.verify());
  scene.check_rows(1, 0);
  MESSAGE(moments.runs(), " runs, of which ", moments.wanted(), " were to be killed before their end");
  CHECK(moments.is_enough());
}

CONFORMANCE_TEST("kill -9 at random moments of migrate up and down loses nothing and leaves no lock") {
  START_ENGINE(engine);
  const auto database = engine.open({.wal = false});
  const Scene scene(engine.url(), *database);
  scene.run(scene.up());
  const auto down_duration = scene.run(scene.down());
  const auto up_duration = scene.run(scene.up());
  scene.run(scene.down());
  MESSAGE("seed ", seed, ", up takes ", up_duration.count() / 1000, " ms, down ",
          down_duration.count() / 1000, " ms");

  RandomMoments moments(seed, 2 * kills);
  for (int round = 0; moments.is_one_wanted(); ++round) {
    for (const auto& [words, duration] :
         {std::pair(scene.up(), up_duration), std::pair(scene.down(), down_duration)}) {
      const auto delay = moments.next(duration);
      CAPTURE(round);
      CAPTURE(delay.count());
      const ProcessResult result = Process(words).kill_after(delay);
      CHECK((result.exit_code == 0 || result.signal == SIGKILL));
      moments.count(result.signal == SIGKILL);
      CHECK(scene.number("SELECT count(*) FROM parent") == 4000);
      CHECK(scene.number("SELECT count(*) FROM child") == 8000);
      scene.run(words);
    }
    scene.check_rows(round + 3, round + 3);
  }
  MESSAGE(moments.runs(), " runs, of which ", moments.wanted(), " were to be killed before their end");
  CHECK(moments.is_enough());
}
