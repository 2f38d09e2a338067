// SPDX-License-Identifier: Apache-2.0
// What is detected of what somebody does who may write to a repository and has no key.
//
// Some hundred mutations of manifests and catalogue, by classes, each of a new copy of a repository and each
// with all hashes made right again that need no key. Four onlookers say whether they see it: one with the
// key, one without, one who remembers the repository, and one who has a second repository. The table of what
// they saw is the one in docs/backup_format.md: NERVE_UPDATE_TABLE=1 writes it there anew.
#include "backups/container_scene.h"
#include "backups/hostile_hand.h"
#include "support/effort.h"
#include "support/file_bytes.h"
#include "witness.h"

#include "nerve/backups/replication.h"
#include "nerve/backups/verify.h"
#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/crypto/hash.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::edit_manifest;
using test::put_back;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t seed = 20260511;
constexpr std::size_t class_count = 6;
constexpr std::array<const char*, class_count> class_names = {"planted",   "edited",      "reordered",
                                                              "exchanged", "rolled back", "shortened"};
constexpr std::size_t backups_count = 6;

using Generator = std::mt19937_64;

std::size_t one_of(Generator& random, std::size_t count) {
  return static_cast<std::size_t>(random() % count);
}

/// A repository of some backups, what it was after each of them, and what others hold of it.
struct Original : test::ContainerScene {
  explicit Original(bool encrypted) : is_encrypted(encrypted) {
    for (std::size_t count = 0; count < backups_count; ++count) {
      clock.advance(std::chrono::minutes(1));
      change(static_cast<int>(count) + 1);
      const BackupOptions options{.form = count % 3 == 0 ? Form::full : Form::automatic,
                                  .key = key_or_null()};
      made.push_back(create_backup(database, remembered(), options, clock));
      contents.insert(test::content_of(database));
      put_back(repository.path(), folder / fmt::format("after-{}", count));
    }
    const Repository second = Repository::open_or_create(folder / "second");
    replicate_backups(repository, second, database, key_or_null(), clock);
    test::make_database(other, 5, "delete");
    const Repository elsewhere = Repository::open_or_create(folder / "elsewhere");
    invented = create_backup(other, elsewhere, {}, clock);
    put_back(folder / "second", folder / "second-kept");
    put_back(folder / "state", folder / "state-kept");
    put_back(repository.path(), folder / "backups-kept");
  }
  void begin() const {
    for (const std::string name : {"backups", "second", "state"})
      put_back(folder / (name + "-kept"), folder / name);
  }
  const BackupKey* key_or_null() const { return is_encrypted ? &key : nullptr; }
  Repository remembered() const { return repository.for_key(key_or_null()).witnessed_in(folder / "state"); }
  Repository elsewhere() const { return Repository::open(folder / "elsewhere"); }

  bool is_encrypted;
  BackupKey key = test::key_of_file();
  std::vector<Manifest> made;
  std::set<std::string> contents;  ///< that the database has had
  fs::path other = folder / "other.db";
  Manifest invented;
};

/// How the catalogue is made to fit what was done.
enum class Fit : std::uint8_t { anew, appended };

void append_stored(const Original& original, const BackupId& id) {
  const Repository& repository = original.repository;
  const std::string text = test::bytes_of(repository.folder_of(id) / "manifest.json");
  const Json manifest = Json::parse(text);
  const std::string last = test::catalogue_lines(repository).back();
  const Json line = {{"at", "2026-05-01T09:00:00Z"},
                     {"created_at", manifest.at("created_at")},
                     {"event", "stored"},
                     {"id", id.to_string()},
                     {"manifest_sha256", to_hex(crypto::sha256(as_bytes(text)))},
                     {"previous", to_hex(crypto::sha256(as_bytes(last)))},
                     {"sequence", manifest.at("sequence")},
                     {"source", manifest.at("source").at("path")}};
  std::ofstream(repository.path() / "catalogue.jsonl", std::ios::app) << line.dump() << "\n";
}

void fit(const Original& original, const std::vector<BackupId>& changed, Generator& random) {
  if (static_cast<Fit>(one_of(random, 2)) == Fit::anew) return test::fit_catalogue(original.repository);
  for (const BackupId& id : changed) append_stored(original, id);
}

/// A backup of somebody else's that claims to be of the database, and perhaps the newest.
void mutate_planted(const Original& original, Generator& random) {
  const Repository elsewhere = original.elsewhere();
  const auto sequence = static_cast<std::int64_t>(1 + one_of(random, 99));
  edit_manifest(elsewhere, original.invented.id, [&](Json& json) {
    json["source"]["path"] = original.database.string();
    json["sequence"] = sequence;
    json["created_at"] = fmt::format("2026-05-01T08:{:02}:00Z", one_of(random, 60));
    if (one_of(random, 2) == 0) json["line"] = original.made.front().line->to_string();
  });
  test::plant(elsewhere, original.invented.id, original.repository);
  fit(original, {original.invented.id}, random);
}

void mutate_edited(const Original& original, Generator& random) {
  const Manifest& chosen = original.made[one_of(random, backups_count)];
  edit_manifest(original.repository, chosen.id, [&](Json& json) {
    switch (one_of(random, 6)) {
      case 0:
        json["sequence"] = 10 + one_of(random, 90);
        return;
      case 1:
        json["created_at"] = fmt::format("2026-04-{:02}T08:00:00Z", 1 + one_of(random, 28));
        return;
      case 2:
        json["kind"] = "safety";
        return;
      case 3:
        json["has_rows"] = false;
        return;
      case 4:
        json["line"] = new_id<LineTag>().to_string();
        return;
      default:
        json["source"]["path"] = fmt::format("/srv/{}.db", one_of(random, 100));
        return;
    }
  });
  fit(original, {chosen.id}, random);
}

/// Two change their places in the order, or the lines of the catalogue do.
void mutate_reordered(const Original& original, Generator& random) {
  const std::size_t first = one_of(random, backups_count);
  const std::size_t second = (first + 1 + one_of(random, backups_count - 1)) % backups_count;
  const std::array<const Manifest*, 2> chosen = {&original.made[first], &original.made[second]};
  for (std::size_t index = 0; index < 2; ++index) {
    edit_manifest(original.repository, chosen[index]->id, [&](Json& json) {
      json["sequence"] = chosen[1 - index]->sequence;
      json["created_at"] = chosen[1 - index]->created_at.to_text();
    });
  }
  fit(original, {chosen[0]->id, chosen[1]->id}, random);
}

/// The contents of one backup under the name of another.
void mutate_exchanged(const Original& original, Generator& random) {
  const Repository& repository = original.repository;
  const std::size_t first = one_of(random, backups_count);
  const std::size_t second = (first + 1 + one_of(random, backups_count - 1)) % backups_count;
  const Manifest& name = original.made[first];
  const Manifest& content = original.made[second];
  fs::remove_all(repository.folder_of(name.id));
  fs::copy(repository.folder_of(content.id), repository.folder_of(name.id), fs::copy_options::recursive);
  edit_manifest(repository, name.id, [&](Json& json) {
    json["id"] = name.id.to_string();
    json["sequence"] = name.sequence;
    json["created_at"] = name.created_at.to_text();
  });
  fit(original, {name.id}, random);
}

void mutate_rolled_back(const Original& original, Generator& random) {
  put_back(original.folder / fmt::format("after-{}", one_of(random, backups_count - 1)),
           original.repository.path());
}

/// The newest ones go, and the end of the catalogue with them.
void mutate_shortened(const Original& original, Generator& random) {
  const std::size_t kept = 1 + one_of(random, backups_count - 1);
  for (std::size_t index = kept; index < backups_count; ++index) {
    fs::remove_all(original.repository.folder_of(original.made[index].id));
  }
  std::vector<std::string> lines = test::catalogue_lines(original.repository);
  // The first line begins it, and each backup has two.
  lines.resize(1 + 2 * kept);
  std::ofstream file(original.repository.path() / "catalogue.jsonl", std::ios::trunc);
  for (const std::string& line : lines) file << line << "\n";
}

constexpr std::array<void (*)(const Original&, Generator&), class_count> mutations = {
    mutate_planted, mutate_edited, mutate_reordered, mutate_exchanged, mutate_rolled_back, mutate_shortened};

/// Whether anything is said of the repository by who looks at all of it.
bool is_told(const Repository& repository, const BackupKey* key, bool may_read) {
  const auto has_problem = [](const Entry& entry) { return !entry.problem.empty(); };
  if (std::ranges::any_of(repository.list(), has_problem) || !repository.catalogue_problems().empty())
    return true;
  if (!may_read) return false;
  return std::ranges::any_of(verify_all(repository, {.key = key}),
                             [](const VerifyReport& one) { return !one.ok(); });
}

bool is_told_by_second(const Original& original) {
  const Repository second = Repository::open(original.folder / "second");
  try {
    const ReplicationReport report = replicate_backups(original.repository, second, original.database,
                                                       original.key_or_null(), original.clock);
    return !report.unknown_here.empty();
  } catch (const IntegrityError&) {
    return true;
  }
}

/// What "latest" restores to.
enum class Outcome : std::uint8_t { refused, newest, older, never_was };

Outcome outcome_of_latest(const Original& original, int number) {
  const fs::path target = original.folder / fmt::format("out-{}", number);
  try {
    const Repository repository = original.repository.for_key(original.key_or_null());
    const RestoreOptions options{.key = original.key_or_null()};
    restore_backup(repository, repository.latest(original.database), {target, RestoreTarget::Mode::new_file},
                   options, original.clock);
    const std::string content = test::content_of(target);
    if (content == test::content_of(original.database)) return Outcome::newest;
    return original.contents.contains(content) ? Outcome::older : Outcome::never_was;
  } catch (const Error&) {
    return Outcome::refused;
  }
}

struct Seen {
  int tried = 0;
  int with_key = 0;
  int without_key = 0;
  int by_witness = 0;
  int by_second = 0;
  int older = 0;      ///< "latest" is an earlier state, without an error
  int never_was = 0;  ///< or one that the database never had
};

Seen try_class(const Original& original, std::size_t which, int count, Generator& random) {
  Seen seen;
  for (; seen.tried < count; ++seen.tried) {
    original.begin();
    mutations[which](original, random);
    const Repository& plain = original.repository;
    seen.without_key += is_told(plain, nullptr, !original.is_encrypted) ? 1 : 0;
    if (original.is_encrypted) {
      seen.with_key += is_told(plain.authenticated_by(original.key), &original.key, true) ? 1 : 0;
    }
    seen.by_witness += reason_to_miss(original.remembered()).empty() ? 0 : 1;
    const Outcome outcome = outcome_of_latest(original, seen.tried);
    seen.older += outcome == Outcome::older ? 1 : 0;
    seen.never_was += outcome == Outcome::never_was ? 1 : 0;
    seen.by_second += is_told_by_second(original) ? 1 : 0;
    fs::remove(original.folder / fmt::format("out-{}", seen.tried));
  }
  return seen;
}

std::string share(int count, int tried) {
  if (count == 0) return "none";
  return count == tried ? "all" : fmt::format("{} of {}", count, tried);
}

std::string row_of(const char* name, bool is_encrypted, const Seen& seen) {
  return fmt::format(
      "| {} | {} | {} | {} | {} | {} | {} | {} |\n", name, is_encrypted ? "encrypted" : "plain",
      is_encrypted ? share(seen.with_key, seen.tried) : "-", share(seen.without_key, seen.tried),
      share(seen.by_witness, seen.tried), share(seen.by_second, seen.tried), share(seen.older, seen.tried),
      share(seen.never_was, seen.tried));
}

constexpr std::string_view table_head =
    "| what was done | repository | told with the key | without it | by the witness | by the second "
    "repository | "
    "`latest` is older | `latest` is what never was |\n|---|---|---|---|---|---|---|---|\n";

fs::path page() {
  return fs::path(NERVE_SOURCE_FOLDER) / "docs" / "backup_format.md";
}

/// What lies between the two comments of the page, and where.
struct Place {
  std::size_t begin = 0;
  std::size_t size = 0;
};

Place place_of_table(const std::string& text) {
  constexpr std::string_view before = "<!-- mutations: begin -->\n";
  constexpr std::string_view after = "<!-- mutations: end -->";
  const std::size_t begin = text.find(before);
  const std::size_t end = text.find(after);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  return {begin + before.size(), end - begin - before.size()};
}

}  // namespace

TEST_CASE(
    "the table of docs/backup_format.md says what is detected of 200 mutations of manifests and catalogue") {
  const int count = test::scaled(17, 170);
  MESSAGE("seed ", seed, ", ", count, " mutations of each class and repository");
  std::string table(table_head);
  for (const bool is_encrypted : {true, false}) {
    const Original original(is_encrypted);
    for (std::size_t which = 0; which < class_count; ++which) {
      CAPTURE(class_names[which]);
      CAPTURE(is_encrypted);
      Generator random(seed + which);
      const Seen seen = try_class(original, which, count, random);
      table += row_of(class_names[which], is_encrypted, seen);
      if (!is_encrypted) continue;
      CHECK(seen.never_was == 0);
      const bool is_older_state = which >= 4;
      if (!is_older_state) CHECK(seen.with_key == seen.tried);
      if (is_older_state) CHECK(seen.by_witness == seen.tried);
    }
  }
  std::string text = test::bytes_of(page());
  const Place place = place_of_table(text);
  if (std::getenv("NERVE_UPDATE_TABLE") != nullptr &&
      !test::is_long_run()) {  // NOLINT(concurrency-mt-unsafe)
    text.replace(place.begin, place.size, table);
    std::ofstream(page(), std::ios::trunc) << text;
    return;
  }
  // In a long run there are other counts; the checks above hold there, too.
  if (test::is_long_run()) return;
  INFO("With NERVE_UPDATE_TABLE=1 this test writes the table to ", page().string());
  CHECK(text.substr(place.begin, place.size) == table);
}
