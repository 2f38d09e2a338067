// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backup_stores.h"
#include "context.h"

#include "nerve/backups/manifest.h"
#include "nerve/core/error.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

// Whether a file is the store that nerve.toml has in its place: the secure store under another name would be
// kept in the clear, and a store of another workspace restored over this one.
namespace nerve::cli {

/// The stores of the workspace that are SQLite files, whether they are there or not; none without a
/// workspace.
std::vector<StoreFile> store_files(Context& context);

/// Throws IntegrityError for a store that is the other one or of another workspace, and NotFoundError for a
/// database that is no store, where nerve.toml says that there is to be one. What is not there, and what is
/// so damaged that it does not tell, is for others to find.
void require_store_identities(Context& context, const std::vector<StoreFile>& stores);

/// What a look at one store has found.
struct IdentityLook {
  bool is_known = false;              ///< the file is there and sound enough to tell which it is
  std::optional<Error> problem = {};  ///< what require_store_identities() throws
};
IdentityLook look_at_identity(Context& context, const StoreFile& store);

/// The same for `database`, where it is a store of the workspace by its place.
void require_store_identity(Context& context, const std::filesystem::path& database);

/// Asks the same of a file that a restore is about to put in the place of the store, or of a drill's.
std::function<void(const std::filesystem::path&)> identity_examination(Context& context, Store store);

/// The same for what a drill makes of a backup of the workspace's store; empty for any other backup.
std::function<void(const std::filesystem::path&)> identity_examination(Context& context,
                                                                       const backups::Manifest& manifest);

}  // namespace nerve::cli
