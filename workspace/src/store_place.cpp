// SPDX-License-Identifier: Apache-2.0
#include "nerve/workspace/store_place.h"

#include "nerve/core/error.h"
#include "nerve/core/time.h"

#include <fmt/format.h>

namespace nerve::workspace {

std::optional<Uuid> configured_id(const Config& config) {
  if (!config.has("workspace.id")) return std::nullopt;
  try {
    return Uuid::parse(config.text("workspace.id"));
  } catch (const ValidationError&) {
    throw ValidationError(
        fmt::format("{}: workspace.id is not an id", config.where("workspace.id")),
        "Write the id that the stores hold; `SELECT workspace_id FROM store_identity` shows it.");
  }
}

void require_in_place(const std::optional<StoreIdentity>& found, const StorePlace& place) {
  if (!found) {
    throw NotFoundError(
        fmt::format("{} is not the {} store of a workspace", place.name, to_string(place.store)),
        "`nerve-db init DIR` makes a workspace; name its folder with --workspace.");
  }
  if (found->store != place.store) {
    throw IntegrityError(fmt::format("{} is the {} store, and stands in the place of the {} store",
                                     place.name, to_string(found->store), to_string(place.store)),
                         "Put the databases back in their places: database.url is the core store, "
                         "database.secure_url the other.");
  }
  if (place.workspace_id && found->workspace_id != *place.workspace_id) {
    throw IntegrityError(
        fmt::format("{} belongs to another workspace", place.name),
        "Name the databases of one workspace in nerve.toml; or put this one aside, and restore the one that "
        "is missing.");
  }
}

std::optional<StoreIdentity> identity_of_file(const std::filesystem::path& file, sqlite::OpenMode mode) {
  sqlite::Session session(file, {.mode = mode});
  std::optional<StoreIdentity> found;
  session.read_snapshot([&] {
    if (session.integer(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'store_identity'") == 0)
      return;
    session.each("SELECT workspace_id, store, created_at FROM store_identity LIMIT 1",
                 [&](const sqlite::Row& row) {
                   found = StoreIdentity{.workspace_id = Uuid::parse(row.text(0)),
                                         .store = db::enum_of<Store>(row.text(1)).value_or(Store::core),
                                         .created_at = Timestamp::parse(row.text(2))};
                 });
  });
  return found;
}

}  // namespace nerve::workspace
