// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fault/scene.h"

#include "nerve/backups/backup.h"

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace nerve::test {

/// What `fault_driver inspect` says of a repository.
struct Inspection {
  std::vector<std::string> problems;
  std::map<std::string, std::string> states;  ///< SHA-256 of what each backup restores to, by id
};

/// Parses the lines that inspect.h describes.
Inspection parse_inspection(const std::string& text);

/// Inspects a copy of a repository, so that looking changes nothing. `scratch` is a folder for it.
Inspection inspect_copy(const std::filesystem::path& repository, const std::filesystem::path& scratch,
                        const std::string& key_word);

/// A repository with two generations of one database, of which the second folder has the first one:
///   0 full, 1 delta; 2 full, 3 4 5 6 deltas. Number 4 is held.
/// Keeping the last one merges 4 and 6 and removes 0, 1, 3 and 5.
class RepositoryScene : public Scene {
 public:
  explicit RepositoryScene(FaultScene::Store store);

  void reset() const override;

  std::vector<std::string> prune_command() const;
  /// Of the newest.
  std::vector<std::string> consolidate_command() const;
  std::vector<std::string> replicate_command() const;
  /// Of the database and a second one, which is encrypted.
  std::vector<std::string> set_command() const;

  std::filesystem::path database() const { return place_ / "app.db"; }
  std::filesystem::path secure_database() const { return place_ / "secure.db"; }
  std::filesystem::path repository_path() const { return place_ / "backups"; }
  std::filesystem::path second_path() const { return place_ / "second"; }

  /// By the numbers above.
  const std::vector<std::string>& ids() const noexcept { return ids_; }
  std::set<std::string> ids_after_prune() const { return {ids_[2], ids_[4], ids_[6]}; }
  /// SHA-256 of the database when it was backed up, by id.
  const std::map<std::string, std::string>& states() const noexcept { return states_; }
  const std::string& secure_state() const noexcept { return secure_state_; }

  /// What opens those that are encrypted.
  const backups::BackupKey& key() const noexcept { return key_; }

  Inspection inspect(const std::filesystem::path& repository) const;

  /// Whether nothing unfinished is left.
  bool is_tidy() const;

 private:
  void back_up(backups::Form form);

  TempFolder folder_;
  std::filesystem::path place_ = folder_ / "place";
  std::filesystem::path pristine_ = folder_ / "pristine";
  std::filesystem::path key_file_ = folder_ / "key";
  backups::BackupKey key_;
  bool is_encrypted_;
  std::vector<std::string> ids_;
  std::map<std::string, std::string> states_;
  std::string secure_state_;
};

}  // namespace nerve::test
