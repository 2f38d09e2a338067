// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/engine.h"

#include "nerve/core/clock.h"
#include "nerve/core/config.h"
#include "nerve/jobs/runner.h"
#include "nerve/module.h"
#include "nerve/workspace/initialize.h"
#include "nerve/workspace/workspace.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::test {

/// A module of the secure store with one tenant-owned table, vault_items, and one of the core store with
/// tables that refer to it: vault_cases (cleared), vault_notes (removed) and vault_links (reported). What
/// arrives on the topic "vault.item" is done by `receive`, which a test may set.
const Module& vault_module();
const Module& cases_module();

/// What the vault does with a message; at first it stores an item with the id in the payload.
std::function<void(Change&, const OutboxMessage&)>& receive();

/// The built-in modules and those two.
workspace::Composition composition();

/// Where the two stores of a workspace on an engine are made.
template <class Engine>
struct StorePlaces;
template <>
struct StorePlaces<Sqlite> {
  std::string core, secure;  // files in the folder
};
template <>
struct StorePlaces<Postgresql> {
  Postgresql core_database = Postgresql::owned();
  Postgresql secure_database = Postgresql::owned();
  std::string core = core_database.url();
  std::string secure = secure_database.url();
};

/// A new workspace with both stores on one engine, at a time that stands still.
template <class Engine>
class Scene {
 public:
  Scene() {
    workspace::NewWorkspace wanted = wish();
    workspace::initialize(wanted);
    open();
  }

  workspace::NewWorkspace wish() {
    workspace::NewWorkspace wanted{
        .folder = folder(), .core_url = places_.core, .secure_url = places_.secure};
    wanted.actor = "tester";
    wanted.options = options();
    return wanted;
  }
  /// As another process would, on the same stores.
  std::unique_ptr<workspace::Workspace> open_again() {
    return std::make_unique<workspace::Workspace>(folder(), Config::load(folder() / "nerve.toml"), options());
  }
  void open() { workspace_ = open_again(); }

  std::filesystem::path folder() const { return folder_ / "space"; }
  workspace::Workspace& stores() { return *workspace_; }
  OpenStore core() { return workspace_->store(Store::core); }
  OpenStore secure() { return workspace_->store(Store::secure); }
  ManualClock& clock() { return clock_; }
  const StorePlaces<Engine>& places() const { return places_; }

  template <class Value>
  Value ask(Store store, const std::string& sql) {
    return workspace_->store(store).database.read(
        db::TenantSetting::all(), [&](db::Transaction& transaction) { return transaction.one<Value>(sql); });
  }
  void execute(Store store, const std::string& sql) {
    workspace_->store(store).database.write(db::TenantSetting::all(),
                                            [&](db::Transaction& transaction) { transaction.execute(sql); });
  }

 private:
  workspace::WorkspaceOptions options() {
    workspace::WorkspaceOptions made;
    made.composition = composition();
    made.clock = &clock_;
    return made;
  }

  TempFolder folder_;
  StorePlaces<Engine> places_;
  ManualClock clock_{Timestamp::parse("2026-03-01T12:00:00Z")};
  std::unique_ptr<workspace::Workspace> workspace_;
};

/// One of the counts that a job reported.
std::int64_t count_of(const jobs::JobRun& run, std::string_view name);

}  // namespace nerve::test
