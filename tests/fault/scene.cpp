// SPDX-License-Identifier: Apache-2.0
#include "fault/scene.h"

#include "backups/child_process.h"
#include "backups/scratch_database.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/backups/backup.h"
#include "nerve/backups/restore.h"
#include "nerve/backups/verify.h"
#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/crypto/hash.h"

#include <doctest/doctest.h>

#include <fstream>

namespace nerve::test {
namespace {

constexpr int rows_small = 40;
constexpr int body_bytes_small = 200;
/// Three groups of a container.
constexpr int rows_grouped = 300;
constexpr int body_bytes_grouped = 2'200;
constexpr int rows_large = 8'000;
constexpr int body_bytes_large = 2'400;

/// Of all content, so that a failed comparison stays readable.
std::string digest_of(const std::filesystem::path& database) {
  return to_hex(crypto::sha256(as_bytes(content_of(database))));
}

}  // namespace

void copy_folder(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::filesystem::remove_all(to);
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

FaultScene::FaultScene(Start start, Store store) : store_(store) {
  std::filesystem::create_directory(place_);
  std::filesystem::create_directory(scratch());
  if (store == Store::encrypted) {
    std::ofstream(key_file_) << std::string(64, 'a') << '\n';
    std::filesystem::permissions(key_file_, std::filesystem::perms::owner_read);
    key_.emplace(backups::BackupKey::from_file(key_file_));
  }
  prepare(start);
  copy_folder(place_, pristine_);
  if (start != Start::damaged) content_before_ = content_now();
}

void FaultScene::prepare(Start start) {
  const bool is_large = start == Start::clean_large;
  const bool is_grouped = store_ != Store::plain;
  make_database(database(), is_large ? rows_large : (is_grouped ? rows_grouped : rows_small),
                start == Start::with_journal ? "delete" : "wal",
                is_large ? body_bytes_large : (is_grouped ? body_bytes_grouped : body_bytes_small));
  if (start == Start::to_back_up) {
    run_sql_and_die(database(), "PRAGMA wal_autocheckpoint=0; UPDATE users SET score = 1");
    return;
  }
  back_up();
  if (is_grouped) {
    PlainSqlite(database()).run("UPDATE events SET user_id = 1 + user_id / 2 WHERE id > 200");
    back_up();
  }
  switch (start) {
    case Start::with_journal:
      PlainSqlite(database()).run("DELETE FROM events WHERE id % 2 = 0");
      run_sql_and_die(
          database(),
          "PRAGMA cache_size=1; BEGIN; UPDATE events SET body = zeroblob(150); DELETE FROM users");
      REQUIRE(sqlite::read_file_facts(database()).is_journal_live);
      break;
    case Start::damaged:
      run_sql_and_die(database(), "PRAGMA wal_autocheckpoint=0; UPDATE users SET score = 1");
      damage_page(database(), PlainSqlite(database(), PlainSqlite::Access::immutable)
                                  .number("SELECT rootpage FROM sqlite_schema WHERE name = 'events'"));
      break;
    case Start::clean_large:
      PlainSqlite(database()).run("DELETE FROM events WHERE id % 2 = 0");
      break;
    default:
      // The main file without its -wal must hold neither the old content nor the new one.
      PlainSqlite(database()).run("DELETE FROM events WHERE id % 2 = 0");
      run_sql_and_die(database(), "PRAGMA wal_autocheckpoint=0; UPDATE users SET score = 1");
      break;
  }
}

void FaultScene::back_up() {
  content_of_backup_ = digest_of(database());
  backups::BackupOptions options;
  options.form = store_ == Store::plain ? backups::Form::plain : backups::Form::automatic;
  options.key = key();
  const auto repository = backups::Repository::open_or_create(repository_path());
  const backups::Manifest manifest = backups::create_backup(database(), repository, options, system_clock());
  const bool is_delta = manifest.container && manifest.container->parent;
  REQUIRE(is_delta == (store_ != Store::plain && !backup_id_.empty()));
  backup_id_ = manifest.id.to_string();
}

void FaultScene::reset() const {
  copy_folder(pristine_, place_);
}

std::vector<std::string> FaultScene::backup_command() const {
  const char* form = store_ == Store::plain ? "plain" : "container";
  return {FAULT_DRIVER, "backup", database(), repository_path(), form, key_word()};
}

std::vector<std::string> FaultScene::restore_command() const {
  return {FAULT_DRIVER, "restore", database(), repository_path(), backup_id_, "in-place", key_word()};
}

std::vector<std::string> FaultScene::restore_to_new_file_command() const {
  return {FAULT_DRIVER, "restore", new_file(), repository_path(), backup_id_, "new-file", key_word()};
}

std::vector<std::string> FaultScene::verify_command() const {
  return {FAULT_DRIVER, "verify", repository_path(), backup_id_, scratch(), key_word()};
}

std::string FaultScene::content_at(const std::filesystem::path& database) const {
  if (!std::filesystem::exists(database)) return {};
  const auto looked_at = folder_ / "looked_at";
  std::filesystem::remove_all(looked_at);
  std::filesystem::create_directory(looked_at);
  for (const char* suffix : {"", "-wal", "-journal"}) {
    const std::filesystem::path from = database.string() + suffix;
    if (std::filesystem::exists(from)) std::filesystem::copy(from, looked_at / from.filename());
  }
  const auto copy = looked_at / database.filename();
  try {
    if (integrity_of(copy) != "ok") return "damaged";
    return digest_of(copy);
  } catch (const std::runtime_error&) {
    return "damaged";
  }
}

std::string FaultScene::content_of_restored(const backups::Manifest& manifest) const {
  const auto restored = folder_ / "restored";
  std::filesystem::remove(restored);
  backups::restore_backup(repository(), manifest, {restored, backups::RestoreTarget::Mode::new_file},
                          {.key = key()}, system_clock());
  return digest_of(restored);
}

std::string FaultScene::content_of_newest() const {
  return content_of_restored(repository().latest(database()));
}

std::string FaultScene::content_of_safety() const {
  std::optional<backups::Manifest> newest;
  for (const backups::Entry& entry : repository().list()) {
    const bool is_meant = entry.manifest && entry.manifest->kind == backups::Kind::safety;
    if (is_meant && (!newest || newest->sequence < entry.manifest->sequence)) newest = entry.manifest;
  }
  return newest ? content_of_restored(*newest) : "";
}

std::vector<std::string> FaultScene::problems() const {
  try {
    std::vector<std::string> problems = repository().catalogue_problems();
    for (const backups::VerifyReport& report : backups::verify_all(repository(), {.key = key()})) {
      problems.insert(problems.end(), report.problems.begin(), report.problems.end());
    }
    return problems;
  } catch (const Error& error) {
    return {error.what()};
  }
}

std::size_t FaultScene::whole_backups() const {
  if (!std::filesystem::exists(repository_path() / "nerve-repository.json")) return 0;
  const auto reports = backups::verify_all(repository(), {.key = key()});
  for (const backups::VerifyReport& report : reports) {
    CAPTURE(report.id);
    CHECK(report.ok());
  }
  return reports.size();
}

bool FaultScene::is_tidy() const {
  for (const auto& folder : {place_, repository_path(), scratch()}) {
    if (!std::filesystem::exists(folder)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(".")) return false;
    }
  }
  return true;
}

}  // namespace nerve::test
