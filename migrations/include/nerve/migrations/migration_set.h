// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/migrations/migration.h"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::migrations {

/// A migration file that was compiled into the program.
struct EmbeddedFile {
  std::string_view module;
  std::string_view name;  ///< "0001_create_tenants.sql"
  std::string_view content;
};

/// Where a module stands among the others.
struct ModuleOrder {
  std::string_view name;
  std::vector<std::string_view> depends_on;
};

/// All migrations that a database should have, in the order in which they are applied: each after those it
/// requires and after its module's earlier ones; of what is free to go next, the first module in the given
/// order. A module that depends on another needs all of that one's migrations first.
///
/// Making one throws ValidationError that names the file for two migrations of one number, a requirement that
/// is not there, and a cycle, with the cycle.
class MigrationSet {
 public:
  /// The module of files that lie in the folder itself.
  static constexpr std::string_view own_module = "app";

  /// Reads NNNN_name.sql from a folder, and from its subfolders, whose names are modules. Other files are
  /// left alone. Throws NotFoundError, DeniedError, and what parse_migration throws.
  static MigrationSet from_folder(const std::filesystem::path& folder, Dialects dialects = every_dialect);
  /// Files that were compiled in are checked by the tests; with no dialect their statements are not looked
  /// at.
  static MigrationSet from_files(std::span<const EmbeddedFile> files, std::span<const ModuleOrder> modules,
                                 Dialects dialects = every_dialect);

  MigrationSet(std::vector<Migration> migrations, std::span<const ModuleOrder> modules);

  const std::vector<Migration>& in_order() const noexcept { return migrations_; }
  const Migration* find(const Reference& reference) const noexcept;
  /// The migration of that reference. Throws NotFoundError that names what there is.
  const Migration& require(const Reference& reference) const;
  /// The only module's name, where there is one: what a reference without a module means.
  std::string default_module() const;
  /// The reference and what it stands on, in order.
  std::vector<Reference> closure(const Reference& reference) const;

 private:
  std::vector<std::size_t> predecessors(std::size_t index, std::span<const ModuleOrder> modules) const;
  void sort(std::span<const ModuleOrder> modules);

  std::vector<Migration> migrations_;
  std::vector<std::vector<std::size_t>> predecessors_;  ///< positions in migrations_, after sorting
};

}  // namespace nerve::migrations
