// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/process.h"
#include "support/temp_folder.h"

#include "nerve/backups/key.h"
#include "nerve/backups/repository.h"

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace nerve::test {

/// Copies a folder with all that it holds to the place of what is at `to`.
void copy_folder(const std::filesystem::path& from, const std::filesystem::path& to);

/// What a fault test begins with, as often as it needs.
class Scene {
 public:
  Scene() = default;
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;
  virtual ~Scene() = default;

  /// Puts everything back as it was in the beginning.
  virtual void reset() const = 0;
};

/// A database and, for restores, a repository with a backup of an earlier content. It can be put back as
/// often as a test needs, always at the same path, since backups are found by the path of their database.
class FaultScene : public Scene {
 public:
  enum class Start : std::uint8_t {
    to_back_up,    ///< WAL mode, with transactions in a -wal that a dead process left; no repository
    with_wal,      ///< the same, changed since it was backed up
    with_journal,  ///< rollback mode, with the journal of a transaction that was cut off
    damaged,       ///< WAL mode, one page destroyed, with a -wal
    clean_large,   ///< WAL mode, about 20 MB, changed since it was backed up
  };

  /// How backups are stored, those that are there as those that are made.
  enum class Store : std::uint8_t {
    plain,
    container,  ///< where the repository holds any, a full and a delta: content_of_backup() is the delta's
    encrypted,  ///< the same with a key file
  };

  explicit FaultScene(Start start, Store store = Store::plain);

  void reset() const override;

  std::vector<std::string> backup_command() const;
  std::vector<std::string> restore_command() const;
  /// To new_file().
  std::vector<std::string> restore_to_new_file_command() const;
  /// A deep one, in scratch().
  std::vector<std::string> verify_command() const;

  std::filesystem::path database() const { return place_ / "app.db"; }
  std::filesystem::path repository_path() const { return place_ / "backups"; }
  std::filesystem::path new_file() const { return place_ / "restored.db"; }
  std::filesystem::path scratch() const { return place_ / "scratch"; }
  nerve::backups::Repository repository() const {
    return nerve::backups::Repository::open(repository_path());
  }

  /// What the database held in the beginning, as a digest of its rows and schema; empty where it was damaged.
  const std::string& content_before() const noexcept { return content_before_; }
  /// What the backup in the repository holds.
  const std::string& content_of_backup() const noexcept { return content_of_backup_; }

  /// The digest of the content of the database as it is now, with its -wal and journal, read from a copy so
  /// that looking changes nothing. "damaged" when integrity_check does not say ok.
  std::string content_now() const { return content_at(database()); }
  /// The same of another file; empty when there is none.
  std::string content_at(const std::filesystem::path& database) const;
  /// What a restore makes of the newest backup.
  std::string content_of_newest() const;

  /// The same of the newest one of what stood there before a restore; empty where there is none.
  std::string content_of_safety() const;

  /// What is found wrong with the repository by whoever reads it next: opens it, looks at the catalogue,
  /// verifies each backup.
  std::vector<std::string> problems() const;

  /// The backups in the repository, each of which must be whole; no repository counts as none.
  std::size_t whole_backups() const;

  /// Whether nothing unfinished is left beside the database, in the repository and in scratch().
  bool is_tidy() const;

 private:
  void prepare(Start start);
  /// Backs the database up; `backup_id_` and `content_of_backup_` are of the newest then.
  void back_up();
  std::string content_of_restored(const nerve::backups::Manifest& manifest) const;
  const nerve::backups::BackupKey* key() const { return key_ ? &*key_ : nullptr; }
  std::string key_word() const { return key_ ? key_file_.string() : "-"; }

  TempFolder folder_;
  Store store_;
  std::filesystem::path place_ = folder_ / "place";
  std::filesystem::path pristine_ = folder_ / "pristine";
  std::filesystem::path key_file_ = folder_ / "key";
  std::optional<nerve::backups::BackupKey> key_;
  std::string backup_id_;
  std::string content_before_;
  std::string content_of_backup_;
};

}  // namespace nerve::test
