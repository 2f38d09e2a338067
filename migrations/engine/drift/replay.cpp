// SPDX-License-Identifier: Apache-2.0
#include "drift/replay.h"

#include "statement_kind.h"
#include "table_rebuild.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace nerve::migrations {

namespace {

std::vector<MigrationStatement> first_statements(const Migration& migration, Direction direction,
                                                 db::Dialect dialect, std::int64_t count) {
  auto statements = migration.statements(direction, dialect);
  statements.resize(std::min(statements.size(), static_cast<std::size_t>(count)));
  return statements;
}

void replay_one(db::SchemaSession& session, const Replay& replay) {
  const bool rebuilds = !replay.migration->rebuilt_tables.empty();
  db::TransactionOptions options;
  options.enforces_foreign_keys = !rebuilds;
  session.write(
      [&](db::Transaction& transaction) {
        std::optional<TableRebuild> rebuild;
        if (rebuilds) rebuild.emplace(transaction, *replay.migration, replay.direction);
        for (const MigrationStatement& statement : replay.statements) {
          throw_if_interrupted();
          // VACUUM makes nothing, and VACUUM INTO would make a file.
          if (!outside_transaction_only(statement.sql, db::Dialect::sqlite).empty()) continue;
          try {
            transaction.execute_script(statement.sql);
          } catch (const Error& error) {
            rethrow_with_place(error, replay, statement);
          }
        }
        if (rebuild) rebuild->finish();
      },
      options);
}

}  // namespace

std::vector<Replay> replays_of(const SchemaState& state, db::Dialect dialect) {
  std::vector<const MigrationState*> applied;
  for (const MigrationState& migration : state.migrations) {
    if (migration.entry) applied.push_back(&migration);
  }
  std::ranges::sort(applied, {}, [](const MigrationState* m) { return m->entry->application_number; });
  std::vector<Replay> replays;
  for (const MigrationState* one : applied) {
    const LedgerEntry& entry = *one->entry;
    Replay up{one->migration, Direction::up, one->migration->statements(Direction::up, dialect)};
    if (entry.state == EntryState::incomplete_up) {
      up.statements = first_statements(*one->migration, Direction::up, dialect, entry.statements_done);
    }
    replays.push_back(std::move(up));
    if (entry.state == EntryState::incomplete_down) {
      replays.push_back({one->migration, Direction::down,
                         first_statements(*one->migration, Direction::down, dialect, entry.statements_done)});
    }
  }
  return replays;
}

void rethrow_with_place(const Error& error, const Replay& replay, const MigrationStatement& statement) {
  const bool is_elsewhere = error.kind() == ErrorKind::cancelled || error.kind() == ErrorKind::unavailable;
  if (is_elsewhere) throw;
  // The engine's own remedy is to correct the statement, which did work where it was applied.
  const bool is_of_engine = dynamic_cast<const DatabaseError*>(&error) != nullptr;
  const std::string hint =
      is_of_engine
          ? "It was applied, but fails in an empty database: what it needs (rows, tables, functions and "
            "collations of the application) no migration brings. Bring it by one, or compare by eye "
            "(`nerve-db schema export`)."
          : error.hint();
  throw Error(error.kind(), fmt::format("{}:{}: {}", replay.migration->file, statement.line, error.what()),
              hint);
}

Catalogue replay_on_sqlite(db::Database& scratch, const std::vector<Replay>& replays) {
  scratch.change_schema([&](db::SchemaSession& session) {
    for (const Replay& replay : replays) replay_one(session, replay);
  });
  return scratch.read([](db::Transaction& transaction) { return read_catalogue(transaction); });
}

}  // namespace nerve::migrations
