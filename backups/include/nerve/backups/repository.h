// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/manifest.h"
#include "nerve/core/time.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::backups {

/// One folder of the repository that holds a backup, whole or not.
struct Entry {
  std::string name;                  ///< the folder's name: the id of the backup
  std::optional<Manifest> manifest;  ///< absent when it cannot be trusted
  std::string problem;               ///< why it cannot; empty otherwise
  /// What a manifest says that cannot be trusted as a backup although it can be read; absent where it cannot.
  std::optional<Manifest> distrusted = std::nullopt;
};

/// A folder of backups. The folder is its own catalogue: nothing is known that is not in it.
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

  /// Makes the marker of a repository again where it is lost or damaged; what the folder holds is enough for
  /// that, and nothing else is touched. False when nothing was wrong with it.
  ///
  /// Throws NotFoundError when nothing there says that it was a repository (neither a marker nor a backup),
  /// UnsupportedError when a backup or the marker is of an unknown format, DeniedError.
  static bool repair(const std::filesystem::path& path);

  /// Absolute.
  const std::filesystem::path& path() const noexcept { return path_; }

  /// Every backup, oldest first. One whose manifest is damaged is listed with its problem.
  std::vector<Entry> list() const;

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
  /// there are several, IntegrityError when a later backup is damaged, because it may be the one meant.
  Manifest latest(const std::optional<std::filesystem::path>& source = std::nullopt) const;

  /// The same without an error: absent when there is no good backup of `source`.
  std::optional<Manifest> newest_of(const std::filesystem::path& source) const;

  /// The newest of those that holds a row; absent when none does.
  std::optional<Manifest> newest_with_rows(const std::filesystem::path& source) const;

  /// One more than the highest sequence of its backups.
  std::int64_t next_sequence() const;

  /// The newest that latest() could have meant at `time`. Throws NotFoundError where there is none.
  Manifest at(const Timestamp& time, const std::optional<std::filesystem::path>& source = std::nullopt) const;

  /// Where a backup lies, whether it exists or not.
  std::filesystem::path folder_of(const BackupId& id) const;

 private:
  explicit Repository(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
};

/// The text by which manifests name a database: absolute, symbolic links resolved. Works for a file that is
/// gone.
std::string source_name(const std::filesystem::path& database);

}  // namespace nerve::backups
