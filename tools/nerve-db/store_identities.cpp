// SPDX-License-Identifier: Apache-2.0
#include "store_identities.h"

#include "nerve/backups/repository.h"
#include "nerve/core/error.h"
#include "nerve/workspace/store_place.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace nerve::cli {

namespace {

using nerve::workspace::StoreIdentity;
using nerve::workspace::StorePlace;

/// What a file says of itself. Where a writer died, SQLite must undo first what it left, as the backup or the
/// restore that follows lets it do, too.
std::optional<StoreIdentity> read_identity(const std::filesystem::path& file) {
  const sqlite::FileFacts facts = sqlite::read_file_facts(file);
  return nerve::workspace::identity_of_file(
      file, facts.is_journal_live ? sqlite::OpenMode::read_write : sqlite::OpenMode::read_only);
}

/// One that is so damaged that it does not tell which it is, or that may not be read, is passed over: whoever
/// asked is about to find that.
bool can_tell(const std::filesystem::path& file, std::optional<StoreIdentity>& identity) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return false;
  try {
    identity = read_identity(file);
    return true;
  } catch (const IntegrityError&) {
    return false;
  } catch (const ValidationError&) {
    return false;
  } catch (const DeniedError&) {
    return false;
  }
}

}  // namespace

std::vector<StoreFile> store_files(Context& context) {
  if (!context.workspace().folder) return {};
  std::vector<StoreFile> files;
  for (const Store store : every_store) {
    if (auto file = store_file(context, store)) files.push_back({store, *std::move(file)});
  }
  return files;
}

void require_store_identities(Context& context, const std::vector<StoreFile>& stores) {
  std::optional<Uuid> id = nerve::workspace::configured_id(context.config());
  const bool must_be_store = id.has_value();
  for (const StoreFile& one : stores) {
    std::optional<StoreIdentity> identity;
    if (!can_tell(one.file, identity) || (!identity && !must_be_store)) continue;
    nerve::workspace::require_in_place(identity, {one.store, one.file.string(), id});
    id = identity->workspace_id;
  }
}

IdentityLook look_at_identity(Context& context, const StoreFile& store) {
  std::optional<StoreIdentity> identity;
  try {
    const bool is_known = can_tell(store.file, identity);
    require_store_identities(context, {store});
    return {.is_known = is_known};
  } catch (const IntegrityError& error) {
    return {.is_known = true, .problem = error};
  } catch (const NotFoundError& error) {
    return {.is_known = true, .problem = error};
  }
}

void require_store_identity(Context& context, const std::filesystem::path& database) {
  context.settings_for_copying();
  std::vector<StoreFile> stores = store_files(context);
  std::erase_if(stores, [&](const StoreFile& one) {
    return backups::source_name(one.file) != backups::source_name(database);
  });
  require_store_identities(context, stores);
}

std::function<void(const std::filesystem::path&)> identity_examination(Context& context, Store store) {
  const std::optional<Uuid> id = nerve::workspace::configured_id(context.config());
  if (!id) return {};
  return [place = StorePlace{store, "what the backup holds", id}](const std::filesystem::path& file) {
    nerve::workspace::require_in_place(nerve::workspace::identity_of_file(file, sqlite::OpenMode::immutable),
                                       place);
  };
}

std::function<void(const std::filesystem::path&)> identity_examination(Context& context,
                                                                       const backups::Manifest& manifest) {
  for (const StoreFile& one : store_files(context)) {
    if (backups::source_name(one.file) == manifest.source.path)
      return identity_examination(context, one.store);
  }
  return {};
}

}  // namespace nerve::cli
