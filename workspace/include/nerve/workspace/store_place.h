// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"
#include "nerve/core/config.h"
#include "nerve/core/id.h"
#include "nerve/store.h"
#include "nerve/workspace/store_identity.h"

#include <filesystem>
#include <optional>
#include <string>

namespace nerve::workspace {

/// A place of nerve.toml, in which one store of one workspace is to be.
struct StorePlace {
  Store store = Store::core;
  std::string name;                  ///< of the database, for people
  std::optional<Uuid> workspace_id;  ///< absent where nerve.toml does not say it and no store was seen yet
};

/// The id that nerve.toml has; absent where it has none. Throws ValidationError for one that is none.
std::optional<Uuid> configured_id(const Config& config);

/// Throws NotFoundError for a database that is no store, and IntegrityError for one that is the other store
/// or of another workspace.
void require_in_place(const std::optional<StoreIdentity>& found, const StorePlace& place);

/// The identity that an SQLite file holds; nothing where it is no store. Throws what sqlite::Session throws.
std::optional<StoreIdentity> identity_of_file(const std::filesystem::path& file, sqlite::OpenMode mode);

}  // namespace nerve::workspace
