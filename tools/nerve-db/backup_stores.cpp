// SPDX-License-Identifier: Apache-2.0
#include "backup_stores.h"

#include "backup_key.h"
#include "confirm.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/repository.h"
#include "nerve/core/error.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>

namespace nerve::cli {

namespace {

using backups::BackupKey;

bool is_there(const std::filesystem::path& file) {
  std::error_code error;
  return std::filesystem::exists(file, error);
}

std::optional<BackupKey> key_in_settings(const Config& config) {
  const std::filesystem::path key_file = config.path("backup.secure_key_file");
  const std::filesystem::path passphrase_file = config.path("backup.secure_passphrase_file");
  if (!key_file.empty() && !passphrase_file.empty()) {
    throw ValidationError("backup.secure_key_file and backup.secure_passphrase_file are both set",
                          "Leave one of them away in nerve.toml.");
  }
  if (!key_file.empty()) return BackupKey::from_file(key_file);
  if (!passphrase_file.empty()) return BackupKey::of_passphrase(Secret::from_file(passphrase_file));
  return std::nullopt;
}

bool is_secure_store(Context& context, const std::filesystem::path& database) {
  const auto file = store_file(context, Store::secure);
  return file && backups::source_name(*file) == backups::source_name(database);
}

struct SecureKey {
  std::optional<BackupKey> key;
  bool is_of_database = false;  ///< of the database that is meant
};

/// The key of the secure store, for commands that may do without it: settings or a key that cannot be read
/// are then no reason to fail.
SecureKey secure_key_at_hand(Context& context, const std::optional<std::filesystem::path>& database) {
  try {
    const Config& config = context.settings_for_copying();
    if (!context.workspace().folder) return {};
    return {key_in_settings(config), database && is_secure_store(context, *database)};
  } catch (const Error& error) {
    context.output().warning(
        fmt::format("the key of the secure store's backups is left aside: {}", error.what()));
    return {};
  }
}

}  // namespace

std::optional<std::filesystem::path> store_file(Context& context, Store store) {
  const DatabaseUrl url =
      parse_database_url(nerve::workspace::store_url(*context.workspace().folder, context.config(), store));
  if (url.engine != db::Dialect::sqlite) return std::nullopt;
  return url.location;
}

std::vector<StoreFile> stores_together(Context& context) {
  if (context.is_database_named() || !context.workspace().folder) return {};
  std::vector<StoreFile> stores;
  for (const Store store : every_store) {
    const auto file = store_file(context, store);
    if (!file) return {};
    stores.push_back({store, *file});
  }
  for (const StoreFile& one : stores) {
    if (is_there(one.file)) continue;
    if (context.config().has("workspace.id") && one.store == Store::secure) {
      context.output().warning(fmt::format(
          "the secure store {} is missing, so the core store is backed up alone", one.file.string()));
    }
    return {};
  }
  return stores;
}

std::optional<BackupKey> key_of_secure_store(Context& context, const std::filesystem::path& database) {
  const Config& config = context.settings_for_copying();
  if (!context.workspace().folder || !is_secure_store(context, database)) return std::nullopt;
  return key_in_settings(config);
}

std::optional<BackupKey> keys_at_hand(Context& context, const Arguments& arguments,
                                      const std::optional<std::filesystem::path>& database) {
  SecureKey secure = secure_key_at_hand(context, database);
  std::vector<BackupKey> keys;
  if (secure.key && secure.is_of_database) keys.push_back(*std::exchange(secure.key, std::nullopt));
  if (names_key(arguments)) {
    keys.push_back(required_key(context.output(), arguments, KeyUse::existing));
  } else if (std::optional<BackupKey> key = environment_key()) {
    keys.push_back(*std::move(key));
  }
  if (secure.key) keys.push_back(*std::move(secure.key));
  if (keys.empty()) return std::nullopt;
  BackupKey first = std::move(keys.front());
  for (std::size_t index = 1; index < keys.size(); ++index) first.also_try(std::move(keys[index]));
  return first;
}

BackupKey required_keys(Context& context, const Arguments& arguments, const backups::Repository& repository,
                        const std::optional<std::filesystem::path>& database, KeyUse use) {
  std::optional<BackupKey> keys = keys_at_hand(context, arguments, database);
  if (!keys) return required_key(context.output(), arguments, use);
  const bool is_only_of_secure_store = !names_key(arguments) && !environment_key();
  if (is_only_of_secure_store && can_ask(context.output()) &&
      !backups::opens_encrypted_backups(repository, database, *keys)) {
    keys->also_try(required_key(context.output(), arguments, use));
  }
  return *std::move(keys);
}

}  // namespace nerve::cli
