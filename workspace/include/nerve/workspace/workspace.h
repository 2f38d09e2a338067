// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/open.h"
#include "nerve/core/clock.h"
#include "nerve/core/config.h"
#include "nerve/core/id.h"
#include "nerve/migrations/schema_state.h"
#include "nerve/modules/builtin.h"
#include "nerve/store.h"

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nerve::workspace {

/// The modules that a program is made with, and their migrations.
struct Composition {
  std::span<const Module* const> modules = builtin_modules();
  std::function<migrations::MigrationSet(Store)> migrations = [](Store store) {
    return builtin_migrations(store);
  };
};

struct WorkspaceOptions {
  Composition composition = {};
  OpenOptions open = {};  ///< of both stores
  const Clock* clock = &system_clock();
};

/// What nerve.toml calls the stores: a URL of PostgreSQL as it stands there, or the path of a file, which
/// begins at the folder of nerve.toml. `folder` is absolute.
std::string store_url(const std::filesystem::path& folder, const Config& config, Store store);

/// The folder with nerve.toml and its two stores, each opened when it is first needed.
///
/// What opens a store looks at the identity that is written in it, so that a file of another workspace or in
/// the place of the other store is refused before anything is read from it or written to it. Not safe for
/// several threads; the databases are.
class Workspace final : public Stores {
 public:
  /// `config` is what `folder`/nerve.toml says. Borrows the clock; opens nothing.
  Workspace(const std::filesystem::path& folder, const Config& config, WorkspaceOptions options = {});
  ~Workspace() override;

  OpenStore store(Store store) override;
  std::span<const Module* const> modules() const override { return options_.composition.modules; }
  void run_exclusively(const std::function<void()>& work) override;

  /// The database of a store, its identity checked, whatever its schema is. Throws what store() throws,
  /// except for pending migrations.
  db::Database& database(Store store);
  /// Where its schema stands. Borrows the workspace.
  migrations::SchemaState schema_state(Store store);

  /// The databases that were opened, for their query logs.
  std::vector<db::Database*> open_databases() const;
  const std::filesystem::path& folder() const noexcept { return folder_; }
  const std::string& url(Store store) const noexcept { return place(store).url; }
  /// As nerve.toml or the first store that was opened has it.
  std::optional<Uuid> id() const noexcept { return id_; }

 private:
  struct Place {
    std::string url;
    std::unique_ptr<db::Database> database;
    std::optional<migrations::MigrationSet> migrations;
    std::unique_ptr<DomainEvents> events;  ///< made when the schema was found to be up to date
    ChangeSink sink = nullptr;
  };

  Place& place(Store store) noexcept { return places_[static_cast<std::size_t>(store)]; }
  const Place& place(Store store) const noexcept { return places_[static_cast<std::size_t>(store)]; }
  void require_identity(db::Database& database, Store store);
  const migrations::MigrationSet& migrations_for(Store store);

  std::filesystem::path folder_;
  WorkspaceOptions options_;
  std::optional<Uuid> id_;
  std::array<Place, every_store.size()> places_;
};

}  // namespace nerve::workspace
