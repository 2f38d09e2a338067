// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backup_key.h"
#include "context.h"

#include "nerve/arguments.h"
#include "nerve/backups/key.h"
#include "nerve/backups/repository.h"
#include "nerve/store.h"

#include <filesystem>
#include <optional>
#include <vector>

// What backups know of the two stores of a workspace.
namespace nerve::cli {

struct StoreFile {
  Store store = Store::core;
  std::filesystem::path file;
};

/// Both stores of the workspace, where no database is named and both are files that are there; otherwise
/// none. A store that is missing from a complete workspace is told.
std::vector<StoreFile> stores_together(Context& context);

/// Where a store of the workspace lies; absent for one on PostgreSQL. There must be a workspace.
std::optional<std::filesystem::path> store_file(Context& context, Store store);

/// The key of the backups of the secure store, where nerve.toml names one (backup.secure_key_file or
/// backup.secure_passphrase_file) and `database` is that store. Throws ValidationError where both are named,
/// and what BackupKey throws.
std::optional<backups::BackupKey> key_of_secure_store(Context& context,
                                                      const std::filesystem::path& database);

/// Every key that is at hand without asking, to open what there is: of options, credentials and environment,
/// and that of the secure store. The one for `database`, if that is known, comes first.
std::optional<backups::BackupKey> keys_at_hand(Context& context, const Arguments& arguments,
                                               const std::optional<std::filesystem::path>& database);

/// The same for `database`, or for all that the repository knows, and the passphrase that is typed where they
/// are none, or where the key of the secure store is the only one and opens none of the backups of another
/// database. Throws as required_key() does.
backups::BackupKey required_keys(Context& context, const Arguments& arguments,
                                 const backups::Repository& repository,
                                 const std::optional<std::filesystem::path>& database,
                                 KeyUse use = KeyUse::existing);

}  // namespace nerve::cli
