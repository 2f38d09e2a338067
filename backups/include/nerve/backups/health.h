// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/key.h"
#include "nerve/core/clock.h"
#include "nerve/health/checklist.h"
#include "nerve/health/report.h"

#include <chrono>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::backups {

/// What the backups of a database are measured against.
struct HealthOptions {
  static constexpr std::chrono::hours backup_age_max_default{36};
  static constexpr std::chrono::hours verified_age_max_default{720};

  std::chrono::hours backup_age_max = backup_age_max_default;
  std::chrono::hours verified_age_max = verified_age_max_default;
  /// Whether the commands of fixes name the repository: nerve-db would not find it by itself.
  bool names_repository = false;
  /// Opens encrypted backups, so that those count which are authenticated with it; borrowed. Null where it is
  /// not at hand.
  const BackupKey* key = nullptr;
  std::filesystem::path witness_folder = {};  ///< Repository::witnessed_in()
  /// What is to be done about the database first, where it is missing, damaged, or not the one that belongs
  /// there: no fix makes another backup of it then. Empty where it is sound.
  std::string remedy = {};
  /// The workspace that the database is a store of, and all its stores where they are backed up as sets: only
  /// what is of a whole set counts then, and fixes make one. Empty elsewhere.
  std::filesystem::path workspace = {};
  std::vector<std::filesystem::path> stores = {};
  health::Skipped skip = {};
};

/// What brings back a database that is missing or damaged: the command that restores the newest backup of it
/// (in a workspace the newest whole set), else of what a restore has kept, else the one that salvages what
/// can be read; or a sentence. Empty where what stands there looks like no database. Of HealthOptions the
/// names and the key are used.
///
/// The process must not have the database open by other means. Throws nothing that is expected.
std::string way_back(const std::filesystem::path& database, const std::filesystem::path& repository,
                     const HealthOptions& options);

/// Adds to `report` what is to be said of the backups of the SQLite database `database` in the folder
/// `repository`, which need not be there.
///
///   backup.age       how old the newest backup is; none, or one that cannot be trusted, is a warning
///   backup.verified  how long ago one of them was verified or restored; left out where there is none, since
///                    backup.age says so
///   backup.schedule  whether the promised interval is kept; left out where nobody promised one
///
/// Throws nothing that is expected: what cannot be read is `unknown`.
void check_backups(const std::filesystem::path& database, const std::filesystem::path& repository,
                   const HealthOptions& options, const Clock& clock, health::Report& report);

/// The ids of these checks.
std::span<const std::string_view> health_check_ids() noexcept;

}  // namespace nerve::backups
