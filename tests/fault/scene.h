// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/process.h"
#include "support/temp_folder.h"

#include "nerve/backups/repository.h"

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace nerve::test {

/// A database and, for restores, a repository with a backup of an earlier content. It can be put back as
/// often as a test needs, always at the same path, since backups are found by the path of their database.
class FaultScene {
 public:
  enum class Start : std::uint8_t {
    to_back_up,    ///< WAL mode, with transactions in a -wal that a dead process left; no repository
    with_wal,      ///< the same, changed since it was backed up
    with_journal,  ///< rollback mode, with the journal of a transaction that was cut off
    damaged,       ///< WAL mode, one page destroyed, with a -wal
    clean_large,   ///< WAL mode, about 20 MB, changed since it was backed up
  };

  explicit FaultScene(Start start);

  /// Puts everything back as it was in the beginning.
  void reset() const;

  std::vector<std::string> backup_command() const;
  std::vector<std::string> restore_command() const;

  std::filesystem::path database() const { return place_ / "app.db"; }
  std::filesystem::path repository_path() const { return place_ / "backups"; }
  nerve::backups::Repository repository() const {
    return nerve::backups::Repository::open(repository_path());
  }

  /// What the database held in the beginning; empty where it was damaged.
  const std::string& content_before() const noexcept { return content_before_; }
  /// What the backup in the repository holds.
  const std::string& content_of_backup() const noexcept { return content_of_backup_; }

  /// The content of the database as it is now, with its -wal and journal, read from a copy so that looking
  /// changes nothing. "damaged" when integrity_check does not say ok.
  std::string content_now() const;

  /// The backups in the repository, each of which must be whole; no repository counts as none.
  std::size_t whole_backups() const;

  /// Whether nothing unfinished is left beside the database and in the repository.
  bool is_tidy() const;

 private:
  void prepare(Start start);

  TempFolder folder_;
  std::filesystem::path place_ = folder_ / "place";
  std::filesystem::path pristine_ = folder_ / "pristine";
  std::string backup_id_;
  std::string content_before_;
  std::string content_of_backup_;
};

}  // namespace nerve::test
