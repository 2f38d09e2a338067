// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/command.h"
#include "nerve/events.h"
#include "nerve/health/check.h"
#include "nerve/job.h"
#include "nerve/outbox.h"
#include "nerve/store.h"
#include "nerve/table_facts.h"

#include <string_view>
#include <vector>

namespace nerve {

/// A check that a module adds to `health`. What it throws makes it unknown, and the others are still made.
struct ModuleCheck {
  std::string_view id;                   ///< stable, dotted: "outbox.dead_letters"; no other check has it
  health::Check (*run)(Stores& stores);  ///< leaves the id to the program, which knows it from here
};

/// A part of the product: its tables, and what it does with them. CONTRIBUTING.md says how one is added.
///
/// A module has no state and says the same whenever it is asked. Its migrations are the files of
/// migrations/<name>/. The tables of one module are in one store, or the same ones in both; what has
/// different tables in each store is two modules.
class Module {
 public:
  Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  virtual ~Module() = default;

  /// Lower-case letters, digits and underscores: also the name of its folders.
  virtual std::string_view name() const noexcept = 0;
  /// One line for lists.
  virtual std::string_view description() const noexcept = 0;
  /// Of its tables and public headers together, by Semantic Versioning.
  virtual std::string_view version() const noexcept = 0;
  virtual Placement placement() const noexcept = 0;

  /// Modules whose tables or headers this one uses. Their migrations in the same store go first.
  virtual std::vector<std::string_view> depends_on() const { return {}; }
  virtual std::vector<TableFacts> tables() const { return {}; }
  /// Names of the views, which are for reading.
  virtual std::vector<std::string_view> views() const { return {}; }
  virtual std::vector<ModuleCheck> checks() const { return {}; }
  virtual std::vector<Job> jobs() const { return {}; }
  virtual std::vector<Command> commands() const { return {}; }
  virtual std::vector<OutboxConsumer> consumers() const { return {}; }
  /// Subscribes to events of one store; called for each store that the module is in.
  virtual void subscribe(DomainEvents& /*events*/, Store /*store*/) const {}
};

}  // namespace nerve
