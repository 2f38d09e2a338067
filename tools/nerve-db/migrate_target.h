// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "context.h"

#include "nerve/migrations/drift.h"
#include "nerve/migrations/migrator.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nerve::cli {

/// A database with the migrations that it should have.
struct MigrationTarget {
  DatabaseUrl url;
  migrations::MigrationSet set;
  migrations::Ledger ledger;
  std::unique_ptr<db::Database> database;
  migrations::ScratchSource scratch;  ///< where the migrations are replayed

  migrations::Migrator migrator(migrations::MigratorOptions options = {}) {
    return {*database, set, ledger, std::move(options)};
  }
  migrations::DriftReport find_drift() { return migrations::find_drift(*database, set, ledger, scratch); }
  /// What --to or an operand names; nothing without it.
  std::optional<migrations::Reference> reference(const std::optional<std::string>& text) const;
};

/// What a command wants of a database.
enum class TargetAccess : std::uint8_t {
  read,
  compare,  ///< read, with the statements of the files
  write,    ///< with --create the database is made where it is missing
};

/// The databases that a migrate command is about: the one that --db names, with the migrations in --dir;
/// without --dir both stores of the workspace, with those of the modules.
std::vector<MigrationTarget> migration_targets(Context& context, const Arguments& arguments,
                                               TargetAccess access);

}  // namespace nerve::cli
