// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/manifest.h"
#include "nerve/core/time.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::backups {

class BackupKey;
class Keyring;
struct CatalogueMemory;

/// One folder of the repository that holds a backup, whole or not; or one that should be there.
struct Entry {
  std::string name;                  ///< the folder's name: the id of the backup
  std::optional<Manifest> manifest;  ///< absent when it cannot be trusted
  std::string problem;               ///< why it cannot; empty otherwise
  /// What a manifest says that cannot be trusted as a backup although it can be read; absent where it cannot.
  std::optional<Manifest> distrusted = std::nullopt;
  bool is_gone = false;          ///< the catalogue says that it is there, and it is not
  bool is_damage_noted = false;  ///< an earlier look at it, or at what it leads back to, found damage
  /// Nothing proves that who made it had the key of the other backups of its database.
  bool is_unauthenticated = false;
  /// As well, and the catalogue, which is authenticated, does not know it: it was put there by somebody
  /// without the key.
  bool is_invented = false;
  /// Of one that cannot be trusted, where the catalogue knows it.
  std::int64_t sequence = 0;
  std::optional<Timestamp> created_at = std::nullopt;
  std::string source = {};    ///< the database; empty where the catalogue does not say it, or was altered
  bool holds_sealed = false;  ///< an encrypted container lies in its folder, whatever the manifest says
};

struct RepairOptions {
  /// With the key of encrypted backups the catalogue is authenticated again. Borrowed.
  const BackupKey* key = nullptr;
  /// Also authenticates the manifests of the encrypted backups that are not, where their containers open with
  /// the key: whoever asks for it says that they are what they should be.
  bool vouch = false;
  std::filesystem::path witness_folder = {};  ///< where to forget what was seen of the repository
};

/// What Repository::repair() had to do.
struct Repair {
  bool made_marker = false;              ///< it was lost or damaged
  bool made_catalogue = false;           ///< it was lost, damaged, or said something else than the folder
  std::vector<std::string> vouched_for;  ///< ids of backups whose manifests were authenticated
  std::vector<std::string> forgotten;    ///< ids of backups that are gone, which it no longer misses
  bool forgot_witness = false;           ///< what this machine had seen of it
  bool is_empty = false;                 ///< there is no repository any more: nothing else was done
};

/// A folder of backups. What each is, its own files say; the catalogue says which there should be.
///
/// Several processes may use one repository at once: writers and readers hold a shared lock on its marker,
/// and whoever removes something an exclusive one. An object is a path and holds nothing open.
class Repository {
 public:
  /// Opens the repository, or makes one where nothing or an empty folder stands (mode 0700, with the folders
  /// above it).
  ///
  /// Throws ConflictError for a folder that holds something else or lies inside another repository,
  /// IntegrityError when its marker is lost or damaged (the hint mends it), UnsupportedError for an unknown
  /// format, DeniedError.
  static Repository open_or_create(const std::filesystem::path& path);

  /// Throws NotFoundError where there is no repository, IntegrityError when its marker is lost or damaged
  /// (the hint mends it), UnsupportedError for an unknown format, DeniedError.
  static Repository open(const std::filesystem::path& path);

  /// Makes the marker and the catalogue of a repository again where they are lost, damaged, or say something
  /// else than the folder. The backups are not touched.
  ///
  /// Throws NotFoundError when nothing there says that it was a repository (neither a marker nor a backup),
  /// UnsupportedError when a backup or the marker is of an unknown format, ConflictError while another
  /// process is at work there, DeniedError.
  static Repair repair(const std::filesystem::path& path, const RepairOptions& options = {});

  /// The same repository for who has the key of its encrypted backups: of a database that has any, only those
  /// count that are authenticated with it. Others are listed with their problem, and latest() and at() pass
  /// over those that somebody without the key has put there. The key is borrowed. Objects made of this one
  /// share what was derived from the key, since scrypt is dear; one thread uses them.
  Repository authenticated_by(const BackupKey& key) const;

  /// The same for what is not encrypted where `key` is null.
  Repository for_key(const BackupKey* key) const;

  /// For the library: what was read of the catalogue. Each look reads the file again, and parses of one that
  /// begins with the same bytes only what follows.
  CatalogueMemory& catalogue_memory() const noexcept { return *catalogue_memory_; }

  /// What holds that key; null where there is none.
  Keyring* keyring() const noexcept { return keyring_.get(); }

  /// The same repository for a machine that keeps in `folder` what it has last seen of repositories: whether
  /// all of this one was put back to an earlier state is told by catalogue_problems() and latest(), and the
  /// numbers of backups go on from the highest that was seen.
  Repository witnessed_in(const std::filesystem::path& folder) const;

  /// That folder; empty where nothing is kept.
  const std::filesystem::path& witness_folder() const noexcept { return witness_folder_; }

  /// Absolute.
  const std::filesystem::path& path() const noexcept { return path_; }

  /// Every backup, oldest first. One whose manifest is damaged or that is gone is listed with its problem.
  std::vector<Entry> list() const;

  /// What is wrong with the catalogue: it is lost, altered, or older than what the folder holds. Empty where
  /// it is what it should be; backups that are gone are in list().
  std::vector<std::string> catalogue_problems() const;

  /// The backup with this id, or the only one whose id ends in these (at least 8) characters.
  ///
  /// Throws NotFoundError, ConflictError when several end so, ValidationError for text that cannot be an id,
  /// and what parse_manifest throws when the one meant has a damaged manifest.
  Manifest find(std::string_view id) const;

  /// The backup with this id. Throws as find() does.
  Manifest read(const BackupId& id) const;

  /// The newest good backup that was asked for: of the database at `source`, or of the only database this
  /// repository knows. Safety backups do not count, nor those of a database that had lost all its rows.
  ///
  /// Throws NotFoundError when there is none, ConflictError naming the databases when `source` is absent and
  /// there are several, IntegrityError when a later backup is damaged or gone, because it may be the one
  /// meant.
  Manifest latest(const std::optional<std::filesystem::path>& source = std::nullopt) const;

  /// The same without an error: absent when there is no good backup of `source`.
  std::optional<Manifest> newest_of(const std::filesystem::path& source) const;

  /// The newest of those that holds a row; absent when none does.
  std::optional<Manifest> newest_with_rows(const std::filesystem::path& source) const;

  /// The newest that latest() could have meant at `time`. Throws NotFoundError where there is none, and as
  /// latest() does.
  Manifest at(const Timestamp& time, const std::optional<std::filesystem::path>& source = std::nullopt) const;

  /// Where a backup lies, whether it exists or not.
  std::filesystem::path folder_of(const BackupId& id) const;

 private:
  explicit Repository(std::filesystem::path path);

  std::filesystem::path path_;
  std::filesystem::path witness_folder_;
  std::shared_ptr<Keyring> keyring_;
  std::shared_ptr<CatalogueMemory> catalogue_memory_;  ///< by what the keyring can tell
};

/// The text by which manifests name a database: absolute, symbolic links resolved. Works for a file that is
/// gone.
std::string source_name(const std::filesystem::path& database);

}  // namespace nerve::backups
