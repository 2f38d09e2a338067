// SPDX-License-Identifier: Apache-2.0
#include "fault/repository_scene.h"

#include "backups/scratch_database.h"
#include "fault/preload.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/replication.h"
#include "nerve/backups/retention.h"
#include "nerve/core/bytes.h"
#include "nerve/crypto/hash.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

namespace nerve::test {
namespace {

using backups::Form;

constexpr int rows = 60;
constexpr int body_bytes = 2'200;
constexpr int rows_secure = 30;
constexpr int backups_in_generation = 5;

backups::BackupKey make_key(const std::filesystem::path& file) {
  std::ofstream(file) << std::string(64, 'a') << '\n';
  std::filesystem::permissions(file, std::filesystem::perms::owner_read);
  return backups::BackupKey::from_file(file);
}

std::string sha256_of(const std::filesystem::path& file) {
  return to_hex(crypto::sha256_file(file));
}

}  // namespace

Inspection parse_inspection(const std::string& text) {
  Inspection inspection;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "state") {
      std::string id;
      words >> id >> inspection.states[id];
    } else {
      inspection.problems.push_back(line);
    }
  }
  return inspection;
}

Inspection inspect_copy(const std::filesystem::path& repository, const std::filesystem::path& scratch,
                        const std::string& key_word) {
  const auto copy = scratch / "inspected";
  const auto restored = scratch / "restored";
  copy_folder(repository, copy);
  std::filesystem::create_directories(restored);
  // A sync of what is thrown away is waste.
  const ProcessResult result = run_process({FAULT_DRIVER, "inspect", copy, restored, key_word}, preloaded());
  Inspection inspection = parse_inspection(result.out);
  if (result.exit_code != 0) inspection.problems.push_back("the inspection fails: " + result.err);
  return inspection;
}

RepositoryScene::RepositoryScene(FaultScene::Store store)
    : key_(make_key(key_file_)), is_encrypted_(store == FaultScene::Store::encrypted) {
  std::filesystem::create_directory(place_);
  make_database(database(), rows, "wal", body_bytes);
  make_database(secure_database(), rows_secure, "wal");
  secure_state_ = sha256_of(secure_database());
  back_up(Form::full);
  back_up(Form::automatic);
  backups::replicate_backups(backups::Repository::open(repository_path()),
                             backups::Repository::open_or_create(second_path()), database(), &key_,
                             system_clock());
  // As after a run that was cut off before it took note of the second repository.
  REQUIRE(std::filesystem::remove(repository_path() / "copies.json"));
  back_up(Form::full);
  for (int number = 1; number < backups_in_generation; ++number) back_up(Form::automatic);
  const auto repository = backups::Repository::open(repository_path());
  backups::hold_backup(repository, repository.find(ids_[4]).id, "the sweep", system_clock());
  copy_folder(place_, pristine_);
}

void RepositoryScene::back_up(Form form) {
  PlainSqlite(database())
      .run("UPDATE users SET score = score + 1 WHERE id = " + std::to_string(ids_.size() + 1));
  const auto repository = backups::Repository::open_or_create(repository_path());
  const backups::Manifest manifest = backups::create_backup(
      database(), repository, {.form = form, .key = is_encrypted_ ? &key_ : nullptr}, system_clock());
  REQUIRE(manifest.container->parent.has_value() == (form == Form::automatic));
  ids_.push_back(manifest.id.to_string());
  states_[ids_.back()] = sha256_of(database());
}

void RepositoryScene::reset() const {
  copy_folder(pristine_, place_);
}

std::vector<std::string> RepositoryScene::prune_command() const {
  return {FAULT_DRIVER, "prune", repository_path(), "1", key_file_};
}

std::vector<std::string> RepositoryScene::consolidate_command() const {
  return {FAULT_DRIVER, "consolidate", repository_path(), ids_.back(), key_file_};
}

std::vector<std::string> RepositoryScene::replicate_command() const {
  return {FAULT_DRIVER, "replicate", database(), repository_path(), second_path(), key_file_};
}

std::vector<std::string> RepositoryScene::set_command() const {
  return {FAULT_DRIVER, "set", database(), secure_database(), repository_path(), key_file_};
}

Inspection RepositoryScene::inspect(const std::filesystem::path& repository) const {
  return inspect_copy(repository, folder_.path(), key_file_);
}

bool RepositoryScene::is_tidy() const {
  for (const auto& folder : {place_, repository_path(), second_path()}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().filename().string().starts_with(".")) return false;
    }
  }
  return true;
}

}  // namespace nerve::test
