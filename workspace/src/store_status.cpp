// SPDX-License-Identifier: Apache-2.0
#include "nerve/workspace/store_status.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

namespace nerve::workspace {

StoreStatus describe(Workspace& workspace, Store store) {
  db::Database& database = workspace.database(store);
  StoreStatus status{.name = database.name(), .engine = database.dialect()};
  status.size_bytes = database.read_catalogue([](db::Transaction& transaction) {
    return transaction.one<std::uint64_t>(
        fmt::format("SELECT {}", db::database_size_expression(transaction.dialect())));
  });
  const migrations::SchemaState state = workspace.schema_state(store);
  std::int64_t last_number = 0;
  for (const migrations::MigrationState& migration : state.migrations) {
    if (!migration.entry) {
      ++status.pending;
      continue;
    }
    if (migration.condition == migrations::Condition::incomplete) {
      ++status.pending;
    } else {
      ++status.applied;
    }
    if (migration.entry->application_number > last_number) {
      last_number = migration.entry->application_number;
      status.last_migration = migration.reference.to_string();
    }
  }
  try {
    state.require_sound();
    // As modules open it, which refuses more: a role that nothing holds, a wall that is gone.
    if (status.pending == 0) workspace.store(store);
  } catch (const Error& error) {
    status.problem = error.what();
  }
  return status;
}

}  // namespace nerve::workspace
