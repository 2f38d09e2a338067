// SPDX-License-Identifier: Apache-2.0
// Recovery keys: what they open, and what becomes of their slots.
#include "nerve/backups/recovery.h"

#include "backups/container_scene.h"
#include "backups/scratch_database.h"
#include "container/recovery_text.h"
#include "layout.h"
#include "support/file_bytes.h"

#include "nerve/backups/consolidation.h"
#include "nerve/backups/replication.h"
#include "nerve/backups/verify.h"
#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::bytes_of;
using test::ContainerScene;
using test::make_database;
using test::TempFolder;

namespace {

namespace fs = std::filesystem;

Secret secret(std::string_view text) {
  return Secret::copy_of(as_bytes(text));
}

/// As a key file holds it: cheap to open, unlike a passphrase.
BackupKey key_file(const TempFolder& folder, char digit = 'a') {
  const fs::path path = folder / fmt::format("key-{}", digit);
  std::ofstream(path) << std::string(64, digit);
  ::chmod(path.c_str(), 0600);
  return BackupKey::from_file(path);
}

/// The repository of a database with a full and a delta under one key, and a recovery key for it.
struct RecoveryScene : ContainerScene {
  RecoveryScene() : key(key_file(folder)) {
    full = back_up({.key = &key});
    change(7);
    delta = back_up({.key = &key});
    recovery_text = text_of_new();
    notes.clear();
  }

  std::string text_of_new(std::string_view name = "") {
    const NewRecoveryKey made =
        make_recovery_key(repository.authenticated_by(key), std::nullopt, name, random, clock);
    return std::string(made.text.reveal_text());
  }
  BackupKey recovery_key() const { return BackupKey::of_recovery_text(secret(recovery_text)); }
  fs::path root_note() const { return repository.path() / recovery_file_name; }
  fs::path note_of(const Manifest& manifest) const {
    return repository.folder_of(manifest.id) / recovery_file_name;
  }
  bool opens(const BackupKey& one) {
    try {
      return bytes_of(restored(delta, &one)) == bytes_of(database);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::denied && error.kind() != ErrorKind::integrity) throw;
      return false;
    }
  }

  SeededRandom random{20260501};
  BackupKey key;
  Manifest full;
  Manifest delta;
  std::string recovery_text;
};

/// Changes one hexadecimal digit of the first sealed key.
void alter_slot(const fs::path& note) {
  std::string text = bytes_of(note);
  const std::size_t place = text.find("\"wrapped\": \"") + 20;
  REQUIRE(place < text.size());
  text[place] = text[place] == '0' ? '1' : '0';
  std::ofstream(note, std::ios::trunc) << text;
}

std::string refusal_of(const std::string& text) {
  try {
    recovery_key_from(secret(text));
  } catch (const ValidationError& error) {
    CHECK(error.hint().starts_with("Compare it"));
    return error.what();
  }
  return "none";
}

// As python3 prints base64.b32encode(key + hashlib.sha256(key).digest()[:3]) in groups of four.
const std::string text_of_counted = "AAAQ-EAYE-AUDA-OCAJ-BIFQ-YDIO-B4IB-CEQT-CQKR-MFYY-DENB-WHA5-DYPW-GDON";

}  // namespace

TEST_CASE(
    "a recovery key is written as base32 of its bytes and of the begin of their SHA-256, and read again") {
  Secret key(recovery_key_bytes);
  for (std::size_t index = 0; index < recovery_key_bytes; ++index) key.writable()[index] = std::byte(index);
  CHECK(recovery_text_of(key).reveal_text() == text_of_counted);
  std::string small = text_of_counted;
  std::ranges::transform(small, small.begin(), [](char letter) {
    if (letter == '-') return ' ';
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  for (const std::string& text : {text_of_counted, small, "\n" + text_of_counted + "\r\n"}) {
    CHECK(equal_constant_time(recovery_key_from(secret(text)).reveal(), key.reveal()));
  }
}

TEST_CASE("a typing error in a recovery key is told with its group") {
  for (std::size_t place = 0; place < text_of_counted.size(); ++place) {
    if (text_of_counted[place] == '-') continue;
    CAPTURE(place);
    std::string text = text_of_counted;
    text[place] = text[place] == 'Z' ? 'Q' : 'Z';
    CHECK(refusal_of(text) == fmt::format("the recovery key has a typing error in group {}", place / 5 + 1));
    text[place] = '8';
    CHECK(refusal_of(text) ==
          fmt::format("the recovery key has a typing error in group {}: there is a character that "
                      "no recovery key has",
                      place / 5 + 1));
  }
  std::string swapped = text_of_counted;
  std::swap(swapped[15], swapped[16]);
  CHECK(refusal_of(swapped) == "the recovery key has a typing error in group 4");
  std::string twice_wrong = text_of_counted;
  twice_wrong[0] = twice_wrong[20] = 'Q';
  CHECK(refusal_of(twice_wrong) == "the recovery key has a typing error: its checksum does not fit");
  CHECK(refusal_of(text_of_counted.substr(1)) == "the recovery key has 55 letters and digits instead of 56");
  CHECK(refusal_of(text_of_counted + "A") == "the recovery key has 57 letters and digits instead of 56");
}

TEST_CASE("a recovery key opens what the key opens, and neither it nor the key is stored") {
  RecoveryScene scene;
  const BackupKey recovery = scene.recovery_key();
  CHECK(scene.opens(recovery));
  for (const VerifyReport& report : verify_all(scene.repository, {.key = &recovery})) CHECK(report.ok());
  for (const Entry& entry : scene.repository.authenticated_by(recovery).list()) {
    CHECK(entry.problem == "");
    CHECK(entry.manifest);
  }
  const Json note = parse_json(bytes_of(scene.root_note()), "note");
  CHECK(note.at("slots").size() == 1);
  CHECK(note.at("slots").at(0).at("key") == scene.delta.authentication->key);
  CHECK(bytes_of(scene.root_note()).find(std::string(64, 'a')) == std::string::npos);
  CHECK(bytes_of(scene.note_of(scene.full)) == bytes_of(scene.root_note()));
  CHECK((fs::status(scene.root_note()).permissions() & fs::perms(0777)) == fs::perms(0600));
}

TEST_CASE("a recovery key of a passphrase opens its backups without the passphrase") {
  ContainerScene scene;
  const BackupKey passphrase = BackupKey::of_passphrase(secret("correct horse battery staple"));
  const Manifest made = scene.back_up({.key = &passphrase});
  SeededRandom random(1);
  const NewRecoveryKey recovery = make_recovery_key(scene.repository.authenticated_by(passphrase),
                                                    scene.database, "safe", random, scene.clock);
  CHECK(recovery.key.opens == RecoveryKey::Opens::passphrase);
  CHECK(recovery.left_out == 0);
  const BackupKey key = BackupKey::of_recovery_text(recovery.text);
  CHECK(bytes_of(scene.restored(made, &key)) == bytes_of(scene.database));
}

TEST_CASE("another recovery key opens nothing, and says so") {
  RecoveryScene scene;
  const BackupKey wrong = BackupKey::of_recovery_text(recovery_text_of(Secret(recovery_key_bytes)));
  CHECK_FALSE(scene.opens(wrong));
  CHECK_THROWS_WITH_AS(scene.restored(scene.delta, &wrong),
                       doctest::Contains("authenticated with another key"), IntegrityError);
  CHECK_THROWS_WITH_AS(verify_backup(scene.repository, scene.delta, {.key = &wrong}),
                       doctest::Contains("does not open with the recovery key"), DeniedError);
}

TEST_CASE("a slot of another repository does not open this one, and does not harm it") {
  RecoveryScene scene;
  ContainerScene other;
  const BackupKey other_key = key_file(other.folder, 'b');
  const Manifest made = other.back_up({.key = &other_key});
  fs::copy(scene.root_note(), other.repository.path() / recovery_file_name);
  const BackupKey recovery = scene.recovery_key();
  CHECK_THROWS_AS(other.restored(made, &recovery), IntegrityError);
  CHECK(bytes_of(other.restored(made, &other_key)) == bytes_of(other.database));
}

TEST_CASE("an altered slot opens nothing, and the copy in the folder of the full still does") {
  RecoveryScene scene;
  alter_slot(scene.root_note());
  CHECK(scene.opens(scene.recovery_key()));
  alter_slot(scene.note_of(scene.full));
  CHECK_FALSE(scene.opens(scene.recovery_key()));
  CHECK(scene.opens(scene.key));
}

TEST_CASE("a slot that names another key of its repository opens nothing") {
  RecoveryScene scene;
  fs::remove(scene.note_of(scene.full));
  Json note = parse_json(bytes_of(scene.root_note()), "note");
  Json& key = note.at("slots").at(0).at("key");
  std::string text = key.get<std::string>();
  text.back() = text.back() == '0' ? '1' : '0';
  key = text;
  std::ofstream(scene.root_note(), std::ios::trunc) << note.dump();
  CHECK_FALSE(scene.opens(scene.recovery_key()));
}

TEST_CASE("a lost or damaged note of the repository is made good by the folder of the full") {
  for (const bool is_lost : {true, false}) {
    CAPTURE(is_lost);
    RecoveryScene scene;
    const std::string note = bytes_of(scene.root_note());
    fs::remove(scene.root_note());
    if (!is_lost) std::ofstream(scene.root_note()) << "{\"format\": 1, \"slots\": [{}]}";
    CHECK(scene.opens(scene.recovery_key()));
    scene.text_of_new("second");
    CHECK(recovery_keys(scene.repository).size() == 2);
    CHECK(scene.opens(scene.recovery_key()));
  }
}

TEST_CASE("each new full takes the slots along, and writes the lost note of the repository anew") {
  RecoveryScene scene;
  const std::string note = bytes_of(scene.root_note());
  fs::remove(scene.root_note());
  scene.change(8);
  scene.delta = scene.back_up({.form = Form::full, .key = &scene.key});
  CHECK(bytes_of(scene.root_note()) == note);
  CHECK(bytes_of(scene.note_of(scene.delta)) == note);
  fs::remove(scene.root_note());
  fs::remove(scene.note_of(scene.full));
  CHECK(scene.opens(scene.recovery_key()));
  scene.change(9);
  const Manifest delta = scene.back_up({.key = &scene.key});
  CHECK_FALSE(fs::exists(scene.note_of(delta)));
  const Manifest consolidated = consolidate_backup(scene.repository, delta, &scene.key, scene.clock);
  CHECK(bytes_of(scene.note_of(consolidated)) == note);
  CHECK(scene.notes.empty());
}

TEST_CASE("a second repository opens with the recovery key of the first") {
  RecoveryScene scene;
  const Repository second = Repository::open_or_create(scene.folder / "second");
  replicate_backups(scene.repository, second, scene.database, &scene.key, scene.clock);
  CHECK(bytes_of(second.path() / recovery_file_name) == bytes_of(scene.root_note()));
  CHECK(bytes_of(second.folder_of(scene.full.id) / recovery_file_name) == bytes_of(scene.root_note()));
  fs::remove_all(scene.repository.path());
  const BackupKey recovery = scene.recovery_key();
  const fs::path path = scene.folder / "from-second";
  restore_backup(second, scene.delta, {path, RestoreTarget::Mode::new_file}, {.key = &recovery}, scene.clock);
  CHECK(bytes_of(path) == bytes_of(scene.database));
  for (const VerifyReport& report : verify_all(second, {.key = &recovery})) CHECK(report.ok());

  // A first repository that begins anew beside it has the slots again.
  scene.back_up({.key = &scene.key, .second = &second});
  CHECK(bytes_of(scene.root_note()) == bytes_of(second.path() / recovery_file_name));
}

TEST_CASE("no backup is made with a recovery key but what a restore keeps, under the key of the others") {
  RecoveryScene scene;
  const BackupKey recovery = scene.recovery_key();
  CHECK_THROWS_WITH_AS(scene.back_up({.key = &recovery}),
                       "a recovery key opens backups, and no new ones are made with it", DeniedError);
  CHECK(scene.repository.list().size() == 2);
  scene.change(9);
  const std::string before = bytes_of(scene.database);
  RestoreOptions options;
  options.key = &recovery;
  restore_backup(scene.repository, scene.full, {scene.database, RestoreTarget::Mode::in_place}, options,
                 scene.clock);
  const std::vector<Entry> entries = scene.repository.authenticated_by(scene.key).list();
  REQUIRE(entries.size() == 3);
  const std::optional<Manifest>& safety = entries.back().manifest;
  REQUIRE(safety);
  CHECK(safety->kind == Kind::safety);
  CHECK(safety->authentication->key == scene.full.authentication->key);
  CHECK(test::content_of(scene.restored(*safety, &scene.key)) != test::content_of(scene.database));
}

TEST_CASE("a backup under a key that no recovery key opens says so, and one that is opened does not") {
  RecoveryScene scene;
  scene.change(11);
  scene.back_up({.key = &scene.key});
  CHECK(scene.notes.empty());
  scene.database = scene.folder / "other.db";
  make_database(scene.database, 10, "wal");
  const BackupKey other = key_file(scene.folder, 'b');
  const Manifest made = scene.back_up({.key = &other});
  REQUIRE(scene.notes.size() == 1);
  CHECK(scene.notes.front() ==
        fmt::format("the recovery key does not open this backup: make a new one with 'nerve-db "
                    "backup recovery-key --repo {}'",
                    scene.repository.path().string()));
  CHECK_FALSE(fs::exists(scene.note_of(made)));
}

TEST_CASE("a recovery key is made with the key only, and where there is an encrypted backup") {
  RecoveryScene scene;
  const BackupKey recovery = scene.recovery_key();
  const BackupKey other = key_file(scene.folder, 'b');
  const auto make_with = [&](const Repository& repository) {
    make_recovery_key(repository, std::nullopt, "", scene.random, scene.clock);
  };
  CHECK_THROWS_AS(make_with(scene.repository), DeniedError);
  CHECK_THROWS_AS(make_with(scene.repository.authenticated_by(recovery)), DeniedError);
  CHECK_THROWS_AS(make_with(scene.repository.authenticated_by(other)), NotFoundError);
  ContainerScene plain;
  plain.back_up();
  const BackupKey key = key_file(plain.folder);
  CHECK_THROWS_AS(make_with(plain.repository.authenticated_by(key)), NotFoundError);
  CHECK_FALSE(fs::exists(plain.repository.path() / recovery_file_name));
  CHECK(recovery_keys(scene.repository).size() == 1);
}

TEST_CASE("a revoked recovery key opens nothing, and others still do") {
  RecoveryScene scene;
  const std::string kept = scene.text_of_new("kept");
  CHECK(recovery_keys(scene.repository).size() == 2);
  CHECK(revoke_recovery_keys(scene.repository, "") == 1);
  CHECK_FALSE(scene.opens(scene.recovery_key()));
  CHECK(scene.opens(BackupKey::of_recovery_text(secret(kept))));
  CHECK(revoke_recovery_keys(scene.repository, "nobody") == 0);
  CHECK(revoke_recovery_keys(scene.repository, std::nullopt) == 1);
  CHECK(recovery_keys(scene.repository).empty());
  CHECK_FALSE(fs::exists(scene.note_of(scene.full)));
  CHECK_FALSE(scene.opens(BackupKey::of_recovery_text(secret(kept))));
  scene.change(12);
  scene.back_up({.form = Form::full, .key = &scene.key});
  CHECK(recovery_keys(scene.repository).empty());
}

TEST_CASE("a note of a later format is not replaced, and one of 64 slots takes no other") {
  RecoveryScene scene;
  const std::string later = R"({"format": 2, "slots": []})";
  std::ofstream(scene.root_note(), std::ios::trunc) << later;
  CHECK_THROWS_AS(recovery_keys(scene.repository), UnsupportedError);
  CHECK_THROWS_AS(scene.text_of_new(), UnsupportedError);
  CHECK(bytes_of(scene.root_note()) == later);
  fs::remove(scene.root_note());
  // Each octet of such a name is six in JSON.
  const std::string name(100, '\x01');
  for (int count = 1; count < 64; ++count) scene.text_of_new(name);
  CHECK_THROWS_AS(scene.text_of_new(), ConflictError);
  CHECK_THROWS_AS(scene.text_of_new(name + "x"), ValidationError);
  CHECK(recovery_keys(scene.repository).size() == 64);
  CHECK(scene.opens(scene.recovery_key()));
}

TEST_CASE("a link or FIFO in the place of a note is refused, and the repository may be reached by a link") {
  RecoveryScene scene;
  const std::string note = bytes_of(scene.root_note());
  fs::create_directory_symlink(scene.repository.path(), scene.folder / "link");
  const Repository linked = Repository::open(scene.folder / "link");
  const BackupKey recovery = scene.recovery_key();
  const fs::path path = scene.folder / "by-link";
  restore_backup(linked, scene.delta, {path, RestoreTarget::Mode::new_file}, {.key = &recovery}, scene.clock);
  CHECK(bytes_of(path) == bytes_of(scene.database));
  const fs::path elsewhere = scene.folder / "elsewhere.json";
  fs::rename(scene.root_note(), elsewhere);
  for (const bool is_link : {true, false}) {
    CAPTURE(is_link);
    if (is_link) {
      fs::create_symlink(elsewhere, scene.root_note());
    } else {
      REQUIRE(::mkfifo(scene.root_note().c_str(), 0600) == 0);
    }
    CHECK_THROWS_AS(recovery_keys(scene.repository), IntegrityError);
    CHECK_THROWS_AS(scene.text_of_new(), IntegrityError);
    CHECK_THROWS_AS(revoke_recovery_keys(scene.repository, std::nullopt), IntegrityError);
    CHECK(scene.opens(scene.recovery_key()));
    fs::remove(scene.root_note());
  }
  CHECK(bytes_of(elsewhere) == note);
}
