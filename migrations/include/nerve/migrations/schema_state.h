// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/migrations/ledger.h"
#include "nerve/migrations/migration_set.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::migrations {

/// What is to be said of one migration of a database.
enum class Condition : std::uint8_t {
  pending,       ///< not applied yet
  applied,       ///< applied, and its file is what it was then
  incomplete,    ///< without transaction, begun and not finished
  changed,       ///< applied, and its file is another now
  missing,       ///< applied, and its file is not there any more
  out_of_order,  ///< not applied, but a later one of its module is
};

/// "pending", "applied", "incomplete", "changed", "missing" or "out of order".
std::string_view to_string(Condition condition) noexcept;

struct MigrationState {
  Reference reference;
  std::string name;
  Condition condition = Condition::pending;
  const Migration* migration = nullptr;  ///< null for a missing one
  std::optional<LedgerEntry> entry;      ///< absent for a pending one
};

/// Where a database stands against a set of migrations, which it borrows.
struct SchemaState {
  std::string database;  ///< its name, for messages
  Ledger::Presence ledger = Ledger::Presence::absent;
  std::vector<MigrationState> migrations;  ///< in the set's order, then the missing ones

  std::size_t count(Condition condition) const noexcept;
  const MigrationState* find(const Reference& reference) const noexcept;

  /// Throws what forbids to go on: ConflictError for another tool's ledger, a missing file and a migration
  /// out of order, IntegrityError for a changed file.
  void require_sound() const;
};

/// Reads it in one transaction.
SchemaState read_schema_state(db::Transaction& transaction, const Ledger& ledger, const MigrationSet& set,
                              std::string database);

}  // namespace nerve::migrations
