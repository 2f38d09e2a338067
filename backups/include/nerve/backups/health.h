// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/key.h"
#include "nerve/core/clock.h"
#include "nerve/health/checklist.h"
#include "nerve/health/report.h"

#include <chrono>
#include <filesystem>
#include <span>
#include <string_view>

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
  /// The file is missing, or damage was found in it: no fix makes another backup of it then.
  bool is_database_damaged = false;
  health::Skipped skip = {};
};

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
