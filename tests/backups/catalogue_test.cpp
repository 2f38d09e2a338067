// SPDX-License-Identifier: Apache-2.0
#include "catalogue.h"

#include "backups/scratch_database.h"
#include "layout.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/repository.h"
#include "nerve/backups/retention.h"
#include "nerve/backups/verify.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::bytes_of;
using test::make_database;
using test::PlainSqlite;
using test::TempFolder;

namespace {

struct CatalogueScene {
  CatalogueScene() { make_database(database, 50, "wal"); }

  Manifest back_up() {
    clock.advance(std::chrono::minutes(1));
    PlainSqlite(database).run(fmt::format("UPDATE users SET score = score + 1 WHERE id = {}", ++changes));
    return create_backup(database, repository, {}, clock);
  }
  std::filesystem::path catalogue() const { return repository.path() / catalogue_file_name; }
  std::string text() const { return bytes_of(catalogue()); }
  void write(const std::string& bytes) const { std::ofstream(catalogue(), std::ios::binary) << bytes; }
  std::ptrdiff_t lines() const {
    const std::string bytes = text();
    return std::ranges::count(bytes, '\n');
  }
  void remove(const Manifest& manifest) const {
    std::filesystem::remove_all(repository.folder_of(manifest.id));
  }
  /// The only thing that is wrong with the catalogue; empty where nothing is.
  std::string problem() const {
    const std::vector<std::string> problems = repository.catalogue_problems();
    REQUIRE(problems.size() <= 1);
    return problems.empty() ? std::string() : problems.front();
  }

  TempFolder folder;
  std::filesystem::path database = folder / "app.db";
  Repository repository = Repository::open_or_create(folder / "backups");
  ManualClock clock{Timestamp::parse("2026-05-01T00:00:00Z")};
  int changes = 0;
};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("each backup is in the catalogue before and after it has its name") {
  CatalogueScene scene;
  CHECK(scene.problem().empty());
  const Manifest first = scene.back_up();
  CHECK(scene.lines() == 3);
  scene.back_up();
  CHECK(scene.lines() == 5);
  CHECK(scene.problem().empty());
  const Catalogue catalogue = Catalogue::read(scene.repository.path(), nullptr);
  CHECK(catalogue.highest_sequence() == 2);
  const Expectation* expected = catalogue.find(first.id.to_string());
  REQUIRE(expected != nullptr);
  CHECK(expected->must_be_there);
  CHECK(std::filesystem::status(scene.catalogue()).permissions() ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("what is remembered of a catalogue is used where its bytes are the same, and only there") {
  CatalogueScene scene;
  for (int number = 0; number < 3; ++number) scene.back_up();
  const auto is_as_read_anew = [&](const std::string& watched = {}) {
    const Catalogue remembering = Catalogue::read(scene.repository, watched);
    const Catalogue anew = Catalogue::read(scene.repository.path(), nullptr, watched);
    std::set<std::string> ids;
    for (const auto& [id, expected] : remembering.expectations()) ids.insert(id);
    bool is_same = ids.size() == anew.expectations().size();
    for (const auto& [id, expected] : anew.expectations()) is_same = is_same && ids.contains(id);
    return is_same && remembering.problem() == anew.problem() &&
           remembering.last_hash() == anew.last_hash() &&
           remembering.highest_sequence() == anew.highest_sequence() &&
           remembering.is_there() == anew.is_there() &&
           (watched.empty() || remembering.has_watched_line() == anew.has_watched_line());
  };
  const std::string last_of_three = Catalogue::read(scene.repository).last_hash();
  const std::string whole = scene.text();
  CHECK(scene.repository.catalogue_memory().text == whole);
  CHECK(is_as_read_anew());
  CHECK(is_as_read_anew(last_of_three));
  CHECK(is_as_read_anew(std::string(64, '0')));
  // Longer, then with a line that was cut off, altered at its beginning, shorter, gone, and back.
  scene.back_up();
  CHECK(is_as_read_anew(last_of_three));
  const std::string longer = scene.text();
  std::string altered = longer;
  altered[altered.find("storing")] = 'S';
  for (const std::string& text :
       {longer + "{\"at\":", altered, longer, whole, longer + std::string(70'000, 'x'),
        longer + std::string(70'000, 'x') + "\n", whole}) {
    scene.write(text);
    CAPTURE(text.size());
    CHECK(is_as_read_anew());
    CHECK(is_as_read_anew(last_of_three));
  }
  std::filesystem::remove(scene.catalogue());
  CHECK(is_as_read_anew());
  scene.write(whole);
  CHECK(is_as_read_anew());
  // It is not parsed again: what is remembered of these bytes is what is said of them.
  CatalogueScene other;
  for (int number = 0; number < 7; ++number) other.back_up();
  scene.repository.catalogue_memory().catalogue = Catalogue::read(other.repository);
  CHECK(Catalogue::read(scene.repository).highest_sequence() == 7);
}

TEST_CASE("a backup that somebody removed is missed by list, latest, a point in time, verify and prune") {
  CatalogueScene scene;
  const Manifest first = scene.back_up();
  const Manifest second = scene.back_up();
  scene.remove(second);
  const std::vector<Entry> entries = scene.repository.list();
  REQUIRE(entries.size() == 2);
  CHECK(entries[1].is_gone);
  CHECK(entries[1].name == second.id.to_string());
  CHECK_THROWS_WITH_AS(scene.repository.latest(), doctest::Contains("its folder is gone"), IntegrityError);
  CHECK_THROWS_AS(scene.repository.at(second.created_at), IntegrityError);
  CHECK(scene.repository.at(first.created_at).id == first.id);
  const std::vector<VerifyReport> reports = verify_all(scene.repository, {});
  REQUIRE(reports.size() == 2);
  CHECK_FALSE(reports[1].ok());
  scene.back_up();
  scene.back_up();
  CHECK_THROWS_AS(prune(scene.repository, {.policy = {.last = 1}}, scene.clock), IntegrityError);
  // Whoever did it says so, and everything goes on.
  const Repair repair = Repository::repair(scene.repository.path());
  CHECK(repair.made_catalogue);
  CHECK_FALSE(repair.made_marker);
  CHECK(repair.forgotten == std::vector<std::string>{second.id.to_string()});
  CHECK(scene.repository.list().size() == 3);
  CHECK(prune(scene.repository, {.policy = {.last = 1}}, scene.clock).done);
  CHECK_FALSE(Repository::repair(scene.repository.path()).made_catalogue);
}

TEST_CASE("an older catalogue that was put back is told by what it does not know") {
  CatalogueScene scene;
  scene.back_up();
  const std::string older = scene.text();
  const Manifest second = scene.back_up();
  scene.write(older);
  CHECK(contains(scene.problem(), "an older catalogue was put back"));
  CHECK(contains(scene.problem(), second.id.to_string()));
  const std::vector<VerifyReport> reports = verify_all(scene.repository, {});
  REQUIRE(reports.size() == 3);
  CHECK(reports.back().id == catalogue_report_id);
  // The backup is worth what its own hashes say, and the next one does not get its number.
  CHECK(scene.repository.latest().id == second.id);
  CHECK(scene.back_up().sequence == 3);
  CHECK(contains(scene.problem(), second.id.to_string()));
  CHECK(Repository::repair(scene.repository.path()).made_catalogue);
  CHECK(scene.problem().empty());
}

TEST_CASE("a catalogue that is lost is told, and made again by a repair") {
  CatalogueScene scene;
  scene.back_up();
  std::filesystem::remove(scene.catalogue());
  CHECK(contains(scene.problem(), "is missing"));
  CHECK(Repository::repair(scene.repository.path()).made_catalogue);
  CHECK(scene.problem().empty());
  CHECK(scene.back_up().sequence == 2);
}

TEST_CASE("a line that a crash cut off is passed over and overwritten") {
  CatalogueScene scene;
  scene.back_up();
  const std::string whole = scene.text();
  for (std::size_t length : {std::size_t{1}, std::size_t{40}}) {
    scene.write(whole + whole.substr(0, length));
    CHECK(scene.problem().empty());
  }
  scene.back_up();
  CHECK(scene.problem().empty());
  CHECK(scene.lines() == 5);
  // Also where nothing but a part of the first line is there.
  scene.write(whole.substr(0, 10));
  CHECK(scene.repository.catalogue_problems().size() == 2);
}

TEST_CASE("each altered byte of a catalogue is told, but for a cut-off end") {
  CatalogueScene scene;
  scene.back_up();
  scene.back_up();
  const std::string whole = scene.text();
  // The last line is held by nothing that follows; its own words are what it may lie about.
  const std::size_t last_line = whole.rfind('\n', whole.size() - 2) + 1;
  for (std::size_t offset = 0; offset < last_line; ++offset) {
    std::string altered = whole;
    altered[offset] = static_cast<char>(altered[offset] ^ 1);
    scene.write(altered);
    INFO("byte ", offset);
    bool is_told = false;
    try {
      is_told = !scene.repository.catalogue_problems().empty();
    } catch (const UnsupportedError&) {
      is_told = true;  // the number of its format
    }
    CHECK(is_told);
  }
  // Two lines exchanged, and one left out.
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < whole.size(); at = whole.find('\n', at) + 1)
    lines.push_back(whole.substr(at, whole.find('\n', at) + 1 - at));
  REQUIRE(lines.size() == 5);
  scene.write(lines[0] + lines[2] + lines[1] + lines[3] + lines[4]);
  CHECK(contains(scene.problem(), "line 2 does not follow"));
  scene.write(lines[0] + lines[1] + lines[2] + lines[4]);
  CHECK(contains(scene.problem(), "line 4 does not follow"));
}

TEST_CASE("an earlier form of a backup that is put back is not what was stored") {
  CatalogueScene scene;
  scene.back_up();
  scene.back_up();
  const Manifest third = scene.back_up();
  const std::filesystem::path aside = scene.folder / "aside";
  std::filesystem::copy(scene.repository.folder_of(third.id), aside,
                        std::filesystem::copy_options::recursive);
  const PruneReport report = prune(scene.repository, {.policy = {.last = 1}}, scene.clock);
  CHECK(report.count(Fate::merge) == 1);
  std::filesystem::remove_all(scene.repository.folder_of(third.id));
  std::filesystem::rename(aside, scene.repository.folder_of(third.id));
  const std::vector<Entry> entries = scene.repository.list();
  CHECK(contains(entries.back().problem, "is not what the catalogue says that was stored"));
}

TEST_CASE("a prune leaves a catalogue of what is kept, which goes on from the one before") {
  CatalogueScene scene;
  for (int i = 0; i < 6; ++i) scene.back_up();
  CHECK(scene.lines() == 13);
  prune(scene.repository, {.policy = {.last = 2}}, scene.clock);
  CHECK(scene.problem().empty());
  CHECK(scene.lines() == static_cast<std::ptrdiff_t>(scene.repository.list().size()) + 1);
  CHECK_FALSE(contains(scene.text().substr(0, scene.text().find('\n')), "\"previous\":\"\""));
  CHECK(scene.back_up().sequence == 7);
  CHECK(scene.problem().empty());
}

TEST_CASE("a damaged catalogue is not made to look sound by a prune") {
  CatalogueScene scene;
  for (int i = 0; i < 3; ++i) scene.back_up();
  std::string text = scene.text();
  text[text.find("stored")] = 'S';
  scene.write(text);
  prune(scene.repository, {.policy = {.last = 1}}, scene.clock);
  CHECK(contains(scene.problem(), "is damaged"));
}

TEST_CASE("backups made at once get sequences of their own") {
  CatalogueScene scene;
  constexpr int count = 4;
  for (int i = 0; i < count; ++i) make_database(scene.folder / fmt::format("{}.db", i), 20, "wal");
  std::vector<std::int64_t> sequences(count);
  std::vector<std::thread> threads;
  threads.reserve(count);
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      sequences[static_cast<std::size_t>(i)] =
          create_backup(scene.folder / fmt::format("{}.db", i), scene.repository, {}, system_clock())
              .sequence;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(std::set<std::int64_t>(sequences.begin(), sequences.end()) == std::set<std::int64_t>{1, 2, 3, 4});
  CHECK(scene.problem().empty());
}
