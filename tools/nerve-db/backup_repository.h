// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backup_key.h"
#include "context.h"

#include "nerve/backups/key.h"
#include "nerve/backups/repository.h"

#include <filesystem>
#include <memory>
#include <optional>

namespace nerve {
class Arguments;
}

namespace nerve::cli {

/// $XDG_STATE_HOME where it is set and absolute.
std::optional<std::filesystem::path> state_home();

/// Where this machine keeps what it has seen of repositories: $XDG_STATE_HOME/nerve/backups; without that
/// variable /var/lib/nerve/backups for root, and ~/.local/state/nerve/backups for others. Empty for a user
/// without a home.
std::filesystem::path state_folder();

/// The repository at `folder`. Throws what Repository::open() throws; where it is not there, the hint names
/// the folders that copies of it went to.
backups::Repository open_repository_at(const std::filesystem::path& folder);

/// The repository of a command, with what this machine has seen of it. Throws what Repository::open() throws.
backups::Repository open_repository(Context& context);

/// The same for one that may be made, at `folder`.
backups::Repository open_or_create_repository(const std::filesystem::path& folder);

/// A repository as somebody sees it who has a key; without one where none is at hand.
struct KeyedRepository {
  std::unique_ptr<backups::BackupKey> key;  ///< the repository borrows it
  backups::Repository repository;
};

/// With the keys that are at hand, of the options, the environment and the settings; nothing is asked.
/// `database` is the one that is meant, where one is.
KeyedRepository open_with_keys_at_hand(Context& context, const Arguments& arguments,
                                       const std::optional<std::filesystem::path>& database);

/// The same; where backups that the command needs are encrypted, the key is asked for. These are the backups
/// of `database`, or all where that is absent. Throws DeniedError for a key that opens none of them.
KeyedRepository open_with_needed_key(Context& context, const Arguments& arguments,
                                     const std::optional<std::filesystem::path>& database,
                                     KeyUse use = KeyUse::existing);

/// The database that an ID operand means: of the backup with that id, or whose "latest" it is; absent where
/// that is not known.
std::optional<std::filesystem::path> database_meant(Context& context, const Arguments& arguments);

}  // namespace nerve::cli
