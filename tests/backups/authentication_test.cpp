// SPDX-License-Identifier: Apache-2.0
// What a key proves of the backups of a repository that somebody else may write to.
#include "authentication.h"

#include "backups/container_scene.h"
#include "backups/hostile_hand.h"
#include "container/keys.h"
#include "support/file_bytes.h"

#include "nerve/backups/retention.h"
#include "nerve/backups/verify.h"
#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/random.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::bytes_of;
using test::ContainerScene;
using test::edit_manifest;
using test::fit_catalogue;
using test::key_of_file;
using test::plant;
using test::problem_of;

namespace {

/// Some encrypted backups of one database; somebody has no key, and may write to the repository.
struct SealedScene : ContainerScene {
  Manifest seal(Form form = Form::automatic) {
    clock.advance(std::chrono::minutes(1));
    change(++changes);
    return back_up({.form = form, .key = &key});
  }
  Repository keyed() const { return repository.authenticated_by(key); }

  /// What verify_all() says of a backup, or of the catalogue.
  std::string verified(const std::string& id) const {
    std::string all;
    for (const VerifyReport& report : verify_all(repository, {.key = &key})) {
      if (report.id != id) continue;
      for (const std::string& problem : report.problems) all += problem + "\n";
    }
    return all;
  }
  std::string catalogue_problem() const { return verified(std::string(catalogue_report_id)); }

  BackupKey key = key_of_file();
  int changes = 0;
};

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// Backups of another database, in a repository and with a key of the attacker's.
struct Attacker {
  explicit Attacker(const SealedScene& victim) : source(victim.database.string()) {
    PlainSqlite(database).run(
        "CREATE TABLE users(id INTEGER PRIMARY KEY, name); INSERT INTO users VALUES(1, 'x')");
  }

  /// Puts a backup that claims to be the newest of the victim's database into the victim's repository.
  Manifest invent(const Repository& target, const BackupKey* with_key) const {
    Manifest made = create_backup(database, repository, {.key = with_key}, system_clock());
    edit_manifest(repository, made.id, [&](Json& json) {
      json["source"]["path"] = source;
      json["sequence"] = 99;
    });
    plant(repository, made.id, target);
    return made;
  }

  using PlainSqlite = test::PlainSqlite;
  test::TempFolder folder;
  std::filesystem::path database = folder / "app.db";
  Repository repository = Repository::open_or_create(folder / "backups");
  std::string source;
};

}  // namespace

TEST_CASE("with the key an edited manifest is found whatever was edited, and is never latest") {
  const std::vector<std::pair<std::string, std::function<void(Json&)>>> edits = {
      {"sequence", [](Json& json) { json["sequence"] = 50; }},
      {"source", [](Json& json) { json["source"]["path"] = "/srv/other.db"; }},
      {"time", [](Json& json) { json["created_at"] = "2027-01-01T00:00:00Z"; }},
      {"kind", [](Json& json) { json["kind"] = "safety"; }},
      {"rows", [](Json& json) { json["has_rows"] = false; }},
      {"line", [](Json& json) { json["line"] = new_id<LineTag>().to_string(); }},
      {"a field that nobody knows", [](Json& json) { json["color"] = "red"; }},
  };
  for (const auto& one : edits) {
    const std::string& name = one.first;
    const auto& edit = one.second;
    CAPTURE(name);
    SealedScene scene;
    const Manifest older = scene.seal(Form::full);
    const Manifest newer = scene.seal(Form::full);
    edit_manifest(scene.repository, older.id, edit);
    CHECK(says(problem_of(scene.keyed(), older.id), "is not what the catalogue says that was stored"));
    fit_catalogue(scene.repository);
    // Another path is another database; of that one nothing is encrypted that the key proves.
    CHECK(says(scene.verified(older.id.to_string()), "its manifest was altered by somebody without the key"));
    // One that claims to be later may be the newest that there was.
    if (name == "sequence") {
      CHECK_THROWS_WITH_AS(scene.keyed().latest(scene.database), doctest::Contains("is not authenticated"),
                           IntegrityError);
    } else {
      CHECK(scene.keyed().latest(scene.database).id == newer.id);
    }
    CHECK_THROWS_WITH_AS(scene.restored(scene.repository.read(older.id), &scene.key),
                         doctest::Contains("is not authenticated"), IntegrityError);
  }
}

TEST_CASE("with the key two backups that changed their order are both found") {
  SealedScene scene;
  const Manifest first = scene.seal(Form::full);
  const Manifest older = scene.seal(Form::full);
  const Manifest newer = scene.seal(Form::full);
  edit_manifest(scene.repository, older.id, [&](Json& json) { json["sequence"] = newer.sequence; });
  edit_manifest(scene.repository, newer.id, [&](Json& json) { json["sequence"] = older.sequence; });
  fit_catalogue(scene.repository);
  for (const Manifest& one : {older, newer}) {
    CHECK(says(scene.verified(one.id.to_string()), "was altered by somebody without the key"));
  }
  CHECK_THROWS_WITH_AS(scene.keyed().latest(), doctest::Contains("is not authenticated"), IntegrityError);
}

TEST_CASE(
    "with the key the backup of another database does not pass for one of this, though the key made it") {
  SealedScene scene;
  const Manifest newest = scene.seal();
  const auto other = scene.folder / "users.db";
  test::make_database(other, 5, "delete");
  const Manifest of_other = create_backup(other, scene.repository, {.key = &scene.key}, scene.clock);
  edit_manifest(scene.repository, of_other.id, [&](Json& json) {
    json["source"]["path"] = scene.database.string();
    json["sequence"] = 50;
  });
  fit_catalogue(scene.repository);
  CHECK(says(scene.verified(of_other.id.to_string()), "was altered by somebody without the key"));
  CHECK_THROWS_WITH_AS(scene.keyed().latest(scene.database), doctest::Contains("is not authenticated"),
                       IntegrityError);
}

TEST_CASE(
    "with the key an invented backup is found, encrypted with another key or not at all, and is not latest") {
  for (const bool is_encrypted : {true, false}) {
    CAPTURE(is_encrypted);
    SealedScene scene;
    const Manifest newest = scene.seal();
    const Attacker attacker(scene);
    const BackupKey of_attacker = key_of_file(std::byte{9});
    const Manifest invented = attacker.invent(scene.repository, is_encrypted ? &of_attacker : nullptr);
    // A catalogue that the key proves says what was not stored with it: that is passed over.
    CHECK(scene.keyed().latest().id == newest.id);
    CHECK(scene.keyed().at(Timestamp::parse("2030-01-01T00:00:00Z")).id == newest.id);
    fit_catalogue(scene.repository);
    CHECK(says(scene.verified(invented.id.to_string()),
               is_encrypted ? "it is not authenticated: its manifest is authenticated with another key"
                            : "it is not authenticated: it is not encrypted"));
    CHECK_THROWS_WITH_AS(scene.keyed().latest(), doctest::Contains("is not authenticated"), IntegrityError);
    CHECK(scene.seal().container->parent == newest.id);
  }
}

TEST_CASE("without the key a backup that is not encrypted is told where earlier ones of its database are") {
  SealedScene scene;
  scene.seal();
  const Manifest planted = Attacker(scene).invent(scene.repository, nullptr);
  fit_catalogue(scene.repository);
  CHECK(says(problem_of(scene.repository, planted.id),
             "it is not encrypted, and earlier backups of the database are"));
  CHECK_THROWS_WITH_AS(scene.repository.latest(), doctest::Contains("it is not authenticated"),
                       IntegrityError);
  CHECK_THROWS_AS(scene.restored(scene.repository.read(planted.id)), IntegrityError);
}

TEST_CASE("what is not authenticated is restored by its id where that is said, and not else") {
  SealedScene scene;
  scene.seal();
  const Manifest planted = Attacker(scene).invent(scene.repository, nullptr);
  fit_catalogue(scene.repository);
  const Manifest read = scene.repository.read(planted.id);
  const auto restore_to = [&](const std::string& name, bool is_said) {
    const RestoreOptions options{.key = &scene.key, .may_be_unauthenticated = is_said};
    restore_backup(scene.repository, read, {scene.folder / name, RestoreTarget::Mode::new_file}, options,
                   scene.clock);
  };
  CHECK_THROWS_WITH_AS(restore_to("refused.db", false), doctest::Contains("is not authenticated"),
                       IntegrityError);
  CHECK_FALSE(std::filesystem::exists(scene.folder / "refused.db"));
  restore_to("taken.db", true);
  CHECK(test::PlainSqlite(scene.folder / "taken.db").text("SELECT name FROM users") == "x");
}

TEST_CASE("with the key a catalogue whose codes are gone is told, though its hashes fit") {
  SealedScene scene;
  const Manifest manifest = scene.seal();
  const std::string id = manifest.id.to_string();
  CHECK(scene.catalogue_problem().empty());
  std::vector<Json> lines;
  for (const std::string& line : test::catalogue_lines(scene.repository)) lines.push_back(Json::parse(line));
  SUBCASE("of every line") {
    for (Json& line : lines) line.erase("code");
    test::write_catalogue(scene.repository, lines);
    CHECK(says(scene.catalogue_problem(), "names backup " + id + " without a code of its key"));
  }
  SUBCASE("with the keys that they are of") {
    for (Json& line : lines) {
      line.erase("code");
      line.erase("key");
    }
    test::write_catalogue(scene.repository, lines);
    CHECK(says(scene.catalogue_problem(), "names backup " + id + " without a code of its key"));
  }
  SUBCASE("of the last line") {
    lines.back().erase("code");
    test::write_catalogue(scene.repository, lines);
    CHECK(says(scene.catalogue_problem(), "it is of backup " + id + ", and not authenticated with its key"));
  }
  SUBCASE("because what they are of was edited") {
    lines.back()["sequence"] = 77;
    test::write_catalogue(scene.repository, lines);
    CHECK(says(scene.catalogue_problem(), "it was altered by somebody without the key"));
  }
}

TEST_CASE("with the key a line without a code does not remove a backup that was authenticated") {
  SealedScene scene;
  scene.seal();
  const Manifest newest = scene.seal();
  std::vector<Json> lines;
  for (const std::string& line : test::catalogue_lines(scene.repository)) lines.push_back(Json::parse(line));
  Json removing = lines.back();
  removing["event"] = "removing";
  removing.erase("code");
  removing["previous"] = to_hex(crypto::sha256(as_bytes(test::catalogue_lines(scene.repository).back())));
  std::ofstream(scene.repository.path() / "catalogue.jsonl", std::ios::app) << removing.dump() << "\n";
  std::filesystem::remove_all(scene.repository.folder_of(newest.id));
  CHECK(says(scene.catalogue_problem(), "not authenticated with its key"));
  CHECK(says(problem_of(scene.keyed(), newest.id), "its folder is gone, and no prune removed it"));
  CHECK_THROWS_AS(scene.keyed().latest(), IntegrityError);
}

TEST_CASE("with the key an earlier form of a backup does not pass for the one that a prune made of it") {
  SealedScene scene;
  scene.seal();
  scene.seal();
  const Manifest last = scene.seal();
  const auto kept = scene.folder / "kept";
  std::filesystem::copy(scene.repository.path(), kept, std::filesystem::copy_options::recursive);
  prune(scene.repository, {.policy = {.last = 1}, .key = &scene.key}, scene.clock);
  CHECK(scene.keyed().latest().id == last.id);
  CHECK(bytes_of(scene.repository.folder_of(last.id) / "manifest.json") !=
        bytes_of(kept / last.id.to_string() / "manifest.json"));
  test::put_back(kept / last.id.to_string(), scene.repository.folder_of(last.id));
  CHECK(says(problem_of(scene.keyed(), last.id), "is not what the catalogue says that was stored"));
  CHECK_THROWS_AS(scene.keyed().latest(), IntegrityError);
}

TEST_CASE(
    "encrypted backups of a version without authentication do not count until a repair vouches for them") {
  SealedScene scene;
  scene.seal();
  const Manifest newest = scene.seal();
  test::age_manifests(scene.repository, [](Json& json) { json.erase("authentication"); });
  CHECK(says(scene.verified(newest.id.to_string()),
             "it was made by an older nerve-db, or by somebody without the key"));
  CHECK_THROWS_WITH_AS(scene.keyed().latest(), doctest::Contains("is not authenticated"), IntegrityError);
  CHECK(Repository::repair(scene.repository.path(), {.key = &scene.key}).vouched_for.empty());
  CHECK_THROWS_WITH_AS(scene.keyed().latest(), doctest::Contains("is not authenticated"), IntegrityError);
  const Repair repair = Repository::repair(scene.repository.path(), {.key = &scene.key, .vouch = true});
  CHECK(repair.vouched_for.size() == 2);
  CHECK(scene.keyed().latest().id == newest.id);
  CHECK(bytes_of(scene.restored(scene.repository.read(newest.id), &scene.key)) == bytes_of(scene.database));
  CHECK(scene.catalogue_problem().empty());
  CHECK(scene.seal().container->parent == newest.id);
}

TEST_CASE("a repair vouches neither for an edited container nor for one of another key") {
  SealedScene scene;
  const Manifest own = scene.seal();
  const BackupKey of_attacker = key_of_file(std::byte{9});
  const Manifest invented = Attacker(scene).invent(scene.repository, &of_attacker);
  scene.alter(own, 100);
  test::age_manifests(scene.repository, [](Json& json) { json.erase("authentication"); });
  CHECK_THROWS_AS(Repository::repair(scene.repository.path(), {.key = &scene.key, .vouch = true}),
                  DeniedError);
  CHECK_FALSE(problem_of(scene.keyed(), invented.id).empty());
}

TEST_CASE("a prune leaves invented backups alone, counts none of them, and still removes what is due") {
  SealedScene scene;
  const Manifest first = scene.seal(Form::full);
  const Manifest second = scene.seal(Form::full);
  const Manifest third = scene.seal(Form::full);
  const Manifest planted = Attacker(scene).invent(scene.repository, nullptr);
  const PruneReport report = prune(scene.repository, {.policy = {.last = 1}, .key = &scene.key}, scene.clock);
  CHECK(report.unauthenticated == std::vector<std::string>{planted.id.to_string()});
  CHECK(report.unreadable.empty());
  CHECK(report.count(Fate::remove) == 2);
  CHECK_FALSE(std::filesystem::exists(scene.repository.folder_of(first.id)));
  CHECK_FALSE(std::filesystem::exists(scene.repository.folder_of(second.id)));
  CHECK(std::filesystem::exists(scene.repository.folder_of(third.id)));
  CHECK(std::filesystem::exists(scene.repository.folder_of(planted.id)));
}

TEST_CASE("encrypted backups are not removed without their key, which the catalogue needs to say so") {
  SealedScene scene;
  scene.seal(Form::full);
  scene.seal(Form::full);
  CHECK_THROWS_WITH_AS(prune(scene.repository, {.policy = {.last = 1}}, scene.clock),
                       doctest::Contains("no key is given"), DeniedError);
  CHECK(scene.repository.list().size() == 2);
}

TEST_CASE("one scrypt opens a repository of several generations, at the cost that is the default") {
  SealedScene scene;
  const BackupKey words = BackupKey::of_passphrase(Secret::copy_of(as_bytes("correct horse battery staple")));
  const Manifest first = scene.back_up({.form = Form::full, .key = &words});
  scene.change(1);
  const Manifest second = scene.back_up({.form = Form::full, .key = &words});
  CHECK(first.container->generation != second.container->generation);
  REQUIRE(first.authentication);
  REQUIRE(second.authentication);
  CHECK(first.authentication->key.starts_with("passphrase:17:8:1:"));
  CHECK(second.authentication->key == first.authentication->key);
}

TEST_CASE("a wrong passphrase is tried with eight salts at most, and what was opened before stays open") {
  const BackupKey words = BackupKey::of_passphrase(Secret::copy_of(as_bytes("correct horse battery staple")));
  Keyring maker(&words);
  const KeyFacts right = maker.new_key_facts(system_random());
  const auto code = [&](Keyring& keyring, const KeyFacts& facts) {
    return keyring.code_of(facts, Authenticated::manifest, as_bytes("text"));
  };
  const auto with_misfits = [&](Keyring& keyring, int count) {
    for (int number = 0; number < count; ++number) {
      KeyFacts wrong = right;
      wrong.cost.log2_n = 4;
      wrong.salt[0] = static_cast<std::byte>(number);
      // The second time it is known, and does not count.
      CHECK_FALSE(code(keyring, wrong));
      CHECK_FALSE(code(keyring, wrong));
    }
  };
  Keyring few(&words);
  with_misfits(few, 7);
  CHECK(code(few, right) == code(maker, right));
  with_misfits(few, 9);
  CHECK(code(few, right) == code(maker, right));
  Keyring many(&words);
  with_misfits(many, 8);
  CHECK_FALSE(code(many, right));
}

TEST_CASE("a repair vouches for no manifest that differs from what the key has stored") {
  SealedScene scene;
  const Manifest older = scene.seal(Form::full);
  const Manifest newer = scene.seal(Form::full);
  edit_manifest(scene.repository, older.id, [](Json& json) {
    json.erase("authentication");
    json["sequence"] = 99;
  });
  CHECK(Repository::repair(scene.repository.path(), {.key = &scene.key, .vouch = true}).vouched_for.empty());
  CHECK_FALSE(problem_of(scene.keyed(), older.id).empty());
  CHECK(newer.sequence == 2);
}

TEST_CASE("a repair with a wrong key vouches for nothing, and keeps what this machine has seen") {
  SealedScene scene;
  const std::filesystem::path state = scene.folder / "state";
  create_backup(scene.database, scene.repository.witnessed_in(state), {.key = &scene.key}, scene.clock);
  const auto files = [&] { return std::distance(std::filesystem::directory_iterator(state), {}); };
  const auto before = files();
  REQUIRE(before > 0);
  const BackupKey wrong = key_of_file(std::byte{9});
  CHECK_THROWS_AS(
      Repository::repair(scene.repository.path(), {.key = &wrong, .vouch = true, .witness_folder = state}),
      DeniedError);
  CHECK(files() == before);
}
