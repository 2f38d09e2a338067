// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/migrations/drift.h"
#include "nerve/migrations/schema_state.h"

#include <string>
#include <vector>

namespace nerve::migrations {

/// Statements of one migration that were run, in one direction.
struct Replay {
  const Migration* migration = nullptr;
  Direction direction = Direction::up;
  std::vector<MigrationStatement> statements;
};

/// What was applied, in the order in which it was; of an incomplete migration what it has come to.
std::vector<Replay> replays_of(const SchemaState& state, db::Dialect dialect);

/// The catalogue that they make in the scratch database. Throws an Error with file and line for what cannot
/// be replayed.
Catalogue replay_on_sqlite(db::Database& scratch, const std::vector<Replay>& replays);

/// The same on PostgreSQL, for the schema `schema` of `database`, which is only asked for its search_path and
/// extensions. All happens in one transaction of `scratch` that is rolled back, with the rights of the role
/// pg_database_owner and no others. Throws UnsupportedError where `scratch` is not empty.
Catalogue replay_on_postgresql(db::Database& database, const std::string& schema, db::Database& scratch,
                               const std::vector<Replay>& replays);

/// Throws the present error again with its place in a migration; what ended the connection or was wanted
/// stays as it is.
[[noreturn]] void rethrow_with_place(const Error& error, const Replay& replay,
                                     const MigrationStatement& statement);

}  // namespace nerve::migrations
