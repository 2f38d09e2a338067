// SPDX-License-Identifier: Apache-2.0
#include "backup_repository.h"

#include "backup_choice.h"
#include "backup_key.h"
#include "backup_stores.h"

#include "nerve/arguments.h"
#include "nerve/backups/backup.h"
#include "nerve/backups/replication.h"
#include "nerve/core/error.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace nerve::cli {

namespace {

using backups::BackupKey;
using backups::Repository;

std::filesystem::path absolute_folder_in(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value != '/') return {};
  return value;
}

KeyedRepository keyed(Repository repository, std::optional<BackupKey> key) {
  KeyedRepository result{nullptr, std::move(repository)};
  if (!key) return result;
  result.key = std::make_unique<BackupKey>(*std::move(key));
  result.repository = result.repository.authenticated_by(*result.key);
  return result;
}

bool holds_encrypted(const Repository& repository) {
  return std::ranges::any_of(repository.list(), [](const backups::Entry& entry) {
    const std::optional<backups::Manifest>& known = entry.manifest ? entry.manifest : entry.distrusted;
    return known && known->is_encrypted();
  });
}

}  // namespace

std::optional<std::filesystem::path> state_home() {
  std::filesystem::path folder = absolute_folder_in("XDG_STATE_HOME");
  return folder.empty() ? std::nullopt : std::optional(std::move(folder));
}

std::filesystem::path state_folder() {
  std::filesystem::path folder = state_home().value_or("");
  if (folder.empty() && ::geteuid() == 0) {
    folder = "/var/lib";
  } else if (folder.empty()) {
    const std::filesystem::path home = absolute_folder_in("HOME");
    if (home.empty()) return {};
    folder = home / ".local" / "state";
  }
  return folder / "nerve" / "backups";
}

Repository open_repository_at(const std::filesystem::path& folder) {
  try {
    return Repository::open(folder);
  } catch (const NotFoundError& error) {
    const std::string copies = backups::hint_of_copies(folder, state_folder());
    if (copies.empty()) throw;
    throw NotFoundError(error.what(), "Mount its disk if it is away. " + copies);
  }
}

Repository open_repository(Context& context) {
  return open_repository_at(context.repository()).witnessed_in(state_folder());
}

Repository open_or_create_repository(const std::filesystem::path& folder) {
  return Repository::open_or_create(folder).witnessed_in(state_folder());
}

KeyedRepository open_with_keys_at_hand(Context& context, const Arguments& arguments,
                                       const std::optional<std::filesystem::path>& database) {
  return keyed(open_repository(context), keys_at_hand(context, arguments, database));
}

KeyedRepository open_with_needed_key(Context& context, const Arguments& arguments,
                                     const std::optional<std::filesystem::path>& database, KeyUse use) {
  Repository repository = open_repository(context);
  const bool is_needed =
      names_key(arguments) ||
      (database ? backups::has_encrypted_backup(repository, *database) : holds_encrypted(repository));
  if (!is_needed) return keyed(std::move(repository), std::nullopt);
  std::optional<BackupKey> key = required_keys(context, arguments, repository, database, use);
  KeyedRepository opened = keyed(std::move(repository), std::move(key));
  if (const std::string reason = backups::reason_to_deny(opened.repository, database); !reason.empty()) {
    throw DeniedError(reason, "Give the key that the backups were made with.");
  }
  return opened;
}

std::optional<std::filesystem::path> database_meant(Context& context, const Arguments& arguments) {
  const auto id = arguments.text("ID");
  if (id && *id != "latest") return open_repository_at(context.repository_folder()).find(*id).source.path;
  return context.database_of_latest(backup_instead_for_postgresql);
}

}  // namespace nerve::cli
