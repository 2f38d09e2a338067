// SPDX-License-Identifier: Apache-2.0
#include "nerve/workspace/workspace.h"

#include "exclusive_run.h"
#include "settings_file.h"
#include "tenant_wall.h"

#include "nerve/backends/database_url.h"
#include "nerve/core/error.h"
#include "nerve/workspace/store_identity.h"
#include "nerve/workspace/store_place.h"

#include <fmt/format.h>

#include <utility>

namespace nerve::workspace {

std::string store_url(const std::filesystem::path& folder, const Config& config, Store store) {
  const std::string_view key = store == Store::core ? "database.url" : "database.secure_url";
  const std::string& text = config.text(key);
  const DatabaseUrl url = parse_database_url(text.empty() ? core_file : text);
  if (url.engine == db::Dialect::postgresql) return url.location;
  return (folder / url.location).lexically_normal().string();
}

Workspace::Workspace(const std::filesystem::path& folder, const Config& config, WorkspaceOptions options)
    : folder_(std::filesystem::absolute(folder).lexically_normal()),
      options_(std::move(options)),
      id_(configured_id(config)) {
  for (const Store store : every_store) place(store).url = store_url(folder_, config, store);
}

Workspace::~Workspace() = default;

const migrations::MigrationSet& Workspace::migrations_for(Store store) {
  auto& set = place(store).migrations;
  if (!set) set.emplace(options_.composition.migrations(store));
  return *set;
}

void Workspace::require_identity(db::Database& database, Store store) {
  const auto identity =
      database.read([](db::Transaction& transaction) { return read_store_identity(transaction); });
  require_in_place(identity, {store, database.name(), id_});
  id_ = identity->workspace_id;
}

db::Database& Workspace::database(Store store) {
  Place& opened = place(store);
  if (!opened.database) {
    auto database = open_database(opened.url, options_.open);
    require_identity(*database, store);
    opened.database = std::move(database);
  }
  return *opened.database;
}

migrations::SchemaState Workspace::schema_state(Store store) {
  db::Database& opened = database(store);
  const migrations::MigrationSet& set = migrations_for(store);
  return opened.read([&](db::Transaction& transaction) {
    return migrations::read_schema_state(transaction, migrations::Ledger(), set, opened.name());
  });
}

OpenStore Workspace::store(Store store) {
  Place& opened = place(store);
  db::Database& database = this->database(store);
  if (!opened.events) {
    const migrations::SchemaState state = schema_state(store);
    state.require_sound();
    const std::size_t pending =
        state.count(migrations::Condition::pending) + state.count(migrations::Condition::incomplete);
    if (pending > 0) {
      throw Error(ErrorKind::pending_migrations,
                  fmt::format("the schema of {} is behind the program: {} {} pending", database.name(),
                              pending, pending == 1 ? "migration is" : "migrations are"),
                  "Run: nerve-db migrate up");
    }
    require_tenant_wall(database, modules(), store);
    auto events = std::make_unique<DomainEvents>();
    for (const Module* module : modules()) {
      if (!is_in(module->placement, store)) continue;
      if (module->subscribe != nullptr) module->subscribe(*events, store);
      if (module->sink != nullptr) opened.sink = module->sink;
    }
    opened.events = std::move(events);
  }
  return {store, database, *opened.events, *options_.clock, opened.sink};
}

std::vector<db::Database*> Workspace::open_databases() const {
  std::vector<db::Database*> databases;
  for (const Place& opened : places_) {
    if (opened.database) databases.push_back(opened.database.get());
  }
  return databases;
}

void Workspace::run_exclusively(const std::function<void()>& work) {
  workspace::run_exclusively(folder_, database(Store::core), work);
}

}  // namespace nerve::workspace
