// SPDX-License-Identifier: Apache-2.0
// Which database a backup is of, where a path stands for several.
#include "lines.h"

#include "backups/container_scene.h"
#include "backups/hostile_hand.h"
#include "support/file_bytes.h"

#include "nerve/backups/health.h"
#include "nerve/backups/retention.h"
#include "nerve/backups/verification.h"
#include "nerve/backups/verify.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::ContainerScene;
using test::PlainSqlite;
namespace fs = std::filesystem;

namespace {

struct LineScene : ContainerScene {
  LineScene() : ContainerScene("delete") {}

  Manifest again(BackupOptions options = {}) {
    clock.advance(std::chrono::minutes(1));
    return back_up(std::move(options));
  }
  /// Puts the file that stands there aside, and returns where to.
  fs::path put_aside(const std::string& name) const {
    fs::rename(database, folder / name);
    return folder / name;
  }
  /// A database that shares no page with that of the scene.
  void make_other(int seed = 1) const {
    PlainSqlite(database).run(
        fmt::format("CREATE TABLE invoices(id INTEGER PRIMARY KEY, text);"
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)"
                    "INSERT INTO invoices SELECT i, printf('%0900d', {} * i) FROM n",
                    1000 + seed));
  }
};

}  // namespace

TEST_CASE("another database under the same path begins a line of its own, and that is told") {
  LineScene scene;
  const Manifest of_first = scene.again();
  scene.put_aside("first.db");
  scene.make_other();
  const Manifest of_other = scene.again();
  CHECK(of_other.line != of_first.line);
  CHECK_FALSE(of_other.container->parent);
  REQUIRE(scene.notes.size() == 1);
  CHECK(scene.notes.front().find("it is taken for another database") != std::string::npos);
  CHECK(scene.notes.front().find("--same-database") != std::string::npos);
  CHECK(scene.again().container->parent == of_other.id);
  CHECK(scene.notes.size() == 1);
}

TEST_CASE("latest follows the file that stands there, whichever was backed up last") {
  LineScene scene;
  const Manifest of_first = scene.again();
  const fs::path first = scene.put_aside("first.db");
  scene.make_other();
  const Manifest of_other = scene.again();
  CHECK(scene.repository.latest(scene.database).id == of_other.id);
  const fs::path other = scene.put_aside("other.db");
  fs::rename(first, scene.database);
  CHECK(scene.repository.latest(scene.database).id == of_first.id);
  CHECK(scene.repository.latest().id == of_first.id);
  // The next backup of it builds on its own, not on the newest.
  scene.change(5);
  CHECK(scene.again().container->parent == of_first.id);
  scene.put_aside("first.db");
  fs::rename(other, scene.database);
  CHECK(scene.repository.latest(scene.database).id == of_other.id);
}

TEST_CASE(
    "where several lines have the path and its file is of none, latest asks which, and names the newest of "
    "each") {
  LineScene scene;
  const Manifest of_first = scene.again();
  scene.put_aside("first.db");
  scene.make_other();
  const Manifest of_other = scene.again();
  scene.put_aside("other.db");
  const auto require_question = [&] {
    CHECK_THROWS_WITH_AS(scene.repository.latest(scene.database),
                         doctest::Contains(of_first.id.short_text().c_str()), ConflictError);
    CHECK_THROWS_WITH_AS(scene.repository.latest(scene.database),
                         doctest::Contains(of_other.id.short_text().c_str()), ConflictError);
    CHECK_THROWS_AS(scene.repository.at(scene.clock.now(), scene.database), ConflictError);
  };
  require_question();
  scene.make_other(7);
  require_question();
}

TEST_CASE("a database that was moved, copied or put back as a new file is known by its pages") {
  LineScene scene;
  const Manifest full = scene.again();
  const fs::path aside = scene.put_aside("aside.db");
  fs::copy_file(aside, scene.database);
  scene.change(3);
  const Manifest delta = scene.again();
  CHECK(delta.line == full.line);
  CHECK(delta.container->parent == full.id);
  CHECK(delta.source.file != full.source.file);
  CHECK(scene.notes.empty());
}

TEST_CASE("an encrypted database and a plain copy are known by their pages as well") {
  const BackupKey key = test::key_of_file();
  for (const BackupOptions& options : {BackupOptions{.key = &key}, BackupOptions{.form = Form::plain}}) {
    LineScene scene;
    const Manifest first = scene.again(options);
    fs::copy_file(scene.put_aside("aside.db"), scene.database);
    scene.change(3);
    CHECK(scene.again(options).line == first.line);
    scene.put_aside("again.db");
    scene.make_other();
    CHECK(scene.again(options).line != first.line);
  }
}

TEST_CASE("a database that VACUUM wrote anew in place is known by its file") {
  LineScene scene;
  const Manifest before = scene.again();
  PlainSqlite(scene.database).run("DELETE FROM users WHERE id % 2; PRAGMA page_size=1024; VACUUM");
  const Manifest after = scene.again();
  CHECK(after.line == before.line);
  CHECK(scene.notes.empty());
  CHECK(scene.repository.latest().id == after.id);
}

TEST_CASE(
    "what a restore put in place goes on with the line, though it shares few pages with the newest backup") {
  LineScene scene;
  const Manifest early = scene.again();
  PlainSqlite(scene.database).run("UPDATE events SET body = hex(randomblob(100))");
  PlainSqlite(scene.database).run("PRAGMA page_size=8192; VACUUM");
  const Manifest late = scene.again();
  restore_backup(scene.repository, early, {scene.database}, {}, scene.clock);
  scene.change(1);
  const Manifest next = scene.again();
  CHECK(next.line == early.line);
  CHECK(next.line == late.line);
  CHECK(next.source.file != early.source.file);
  CHECK(scene.notes.empty());
}

TEST_CASE("with same_database a file that shares nothing goes on with the line that had the last backup") {
  LineScene scene;
  const Manifest before = scene.again();
  scene.put_aside("first.db");
  scene.make_other();
  const Manifest after = scene.again({.same_database = true});
  CHECK(after.line == before.line);
  CHECK(scene.repository.latest().id == after.id);
  CHECK(scene.notes.empty());
}

TEST_CASE("a database that lost all its rows is no other database") {
  LineScene scene;
  const Manifest before = scene.again();
  scene.put_aside("first.db");
  PlainSqlite(scene.database).run("CREATE TABLE users(id INTEGER PRIMARY KEY)");
  const Manifest emptied = scene.again();
  CHECK(emptied.is_emptied);
  CHECK(emptied.line == before.line);
  CHECK(scene.repository.latest(scene.database).id == before.id);
}

TEST_CASE("a prune keeps what it should of each line") {
  LineScene scene;
  scene.again({.form = Form::full});
  const Manifest of_first = scene.again({.form = Form::full});
  scene.put_aside("first.db");
  scene.make_other();
  scene.again({.form = Form::full});
  const Manifest of_other = scene.again({.form = Form::full});
  prune(scene.repository, {.policy = {.last = 1}, .source = scene.database}, scene.clock);
  std::vector<std::string> left;
  for (const Entry& entry : scene.repository.list()) left.push_back(entry.name);
  CHECK(left == std::vector<std::string>{of_first.id.to_string(), of_other.id.to_string()});
}

TEST_CASE("a database whose backups say neither line nor file goes on with them") {
  LineScene scene;
  scene.again();
  test::age_manifests(scene.repository, [](Json& json) {
    json.erase("line");
    json["source"].erase("file");
  });
  const Manifest old = scene.repository.latest();
  CHECK_FALSE(old.line);
  SUBCASE("where it is the same") {
    scene.change(1);
    const Manifest next = scene.again();
    CHECK_FALSE(next.line);
    CHECK(next.container->parent == old.id);
  }
  SUBCASE("where it shares nothing, since nothing says that it is another file") {
    scene.put_aside("first.db");
    scene.make_other();
    CHECK_FALSE(scene.again().line);
  }
  CHECK(scene.notes.empty());
}

TEST_CASE("a line goes on where all its backups are damaged, and latest means no other line then") {
  LineScene scene;
  const Manifest first = scene.again();
  scene.put_aside("first.db");
  scene.make_other();
  const Manifest of_other = scene.again();
  scene.alter(of_other, 40);
  CHECK_FALSE(verify_backup(scene.repository, of_other, {}).ok());
  CHECK_THROWS_WITH_AS(scene.repository.latest(scene.database),
                       doctest::Contains(of_other.id.to_string().c_str()), IntegrityError);
  const Manifest next = scene.again();
  CHECK(next.line == of_other.line);
  CHECK(next.line != first.line);
  CHECK(scene.repository.latest(scene.database).id == next.id);
}

TEST_CASE(
    "with same_database a history that was begun by mistake is left for the one before it, and stays left") {
  LineScene scene;
  const Manifest before = scene.again();
  scene.put_aside("first.db");
  scene.make_other();
  const Manifest begun = scene.again();
  CHECK(begun.line != before.line);
  CHECK(scene.again({.same_database = true}).line == before.line);
  CHECK(scene.again().line == before.line);
  CHECK(scene.again({.same_database = true}).line == before.line);
  CHECK(scene.repository.latest().line == before.line);
}

TEST_CASE("health looks at the backups of the database that stands there, not at those of another one") {
  LineScene scene;
  const Manifest of_first = scene.again();
  const fs::path aside = scene.put_aside("first.db");
  scene.make_other();
  const Manifest of_other = scene.again();
  REQUIRE(of_other.line != of_first.line);
  const auto age = [&] {
    health::Report report;
    check_backups(scene.database, scene.repository.path(), {}, scene.clock, report);
    return report.checks.front();
  };
  CHECK(age().message.find(of_other.id.short_text()) != std::string::npos);
  scene.clock.advance(std::chrono::hours(40));
  scene.again();
  scene.put_aside("other.db");
  fs::rename(aside, scene.database);
  CHECK(age().message.find(of_first.id.short_text()) != std::string::npos);
  CHECK(age().status == health::Status::warning);
  scene.put_aside("first.db");
  scene.make_other(7);
  CHECK(age().value == "none");
  CHECK(age().message.find("databases that were called") != std::string::npos);
}

TEST_CASE("a note that no key proves does not choose among encrypted histories") {
  for (const bool is_encrypted : {false, true}) {
    CAPTURE(is_encrypted);
    LineScene scene;
    const BackupKey key = test::key_of_file();
    const BackupOptions options{.key = is_encrypted ? &key : nullptr};
    const Manifest of_first = scene.again(options);
    scene.put_aside("first.db");
    scene.make_other();
    scene.again(options);
    scene.put_aside("other.db");
    scene.make_other(9);
    // Somebody who may write to the repository says that the file there was restored from the first.
    record_restore(scene.repository, of_first.id, scene.database, scene.clock);
    const Repository repository = is_encrypted ? scene.repository.authenticated_by(key) : scene.repository;
    if (is_encrypted) {
      CHECK_THROWS_WITH_AS(repository.latest(), doctest::Contains("none of them"), ConflictError);
    } else {
      CHECK(repository.latest().id == of_first.id);
    }
  }
}
