// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/key.h"

#include <filesystem>

namespace nerve::test {

/// Changes a database, backs it up, prunes, consolidates and restores, again and again, until something
/// fails.
///
/// Prints a line before each step and one when it has ended, at once, so that a reader knows what was
/// promised:
///   begin change N            the row of the table `state` is to hold N
///   done change N
///   begin backup
///   done backup ID N SHA256   the database held N, and its file had this hash
///   begin consolidate ID
///   done consolidate ID OF    a full of the state of OF
///   begin prune
///   done prune ID...          the backups that are left
///   begin restore ID
///   done restore ID
/// Throws what the steps throw, and nerve::Error where SQLite fails.
void work(const std::filesystem::path& database, const std::filesystem::path& repository,
          const backups::BackupKey* key);

}  // namespace nerve::test
