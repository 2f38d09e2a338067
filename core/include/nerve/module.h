// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/command.h"
#include "nerve/events.h"
#include "nerve/health/check.h"
#include "nerve/job.h"
#include "nerve/outbox.h"
#include "nerve/record.h"
#include "nerve/store.h"

#include <initializer_list>
#include <string_view>
#include <vector>

namespace nerve {

/// A check that a module adds to `health`. What it throws makes it unknown, and the others are still made.
struct ModuleCheck {
  std::string_view id;                   ///< stable, dotted: "outbox.dead_letters"; no other check has it
  health::Check (*run)(Stores& stores);  ///< leaves the id to the program, which knows it from here
};

/// A part of the product: its tables, and what it does with them. docs/module_guide.md says how one is added.
///
/// A module is a constant. Its migrations are the files of migrations/<name>/. The tables of one module are
/// in one store, or the same ones in both; what has different tables in each store is two modules.
struct Module {
  std::string_view name;         ///< lower-case letters, digits and underscores: also that of its folders
  std::string_view description;  ///< one line for lists
  std::string_view version;      ///< of its tables and public headers together, by Semantic Versioning
  Placement placement = Placement::core;
  /// Modules whose tables or headers this one uses. Their migrations in the same store go first.
  std::initializer_list<std::string_view> depends_on = {};
  std::initializer_list<const RecordType*> records = {};
  std::initializer_list<std::string_view> views = {};  ///< which are for reading
  std::initializer_list<ModuleCheck> checks = {};
  std::initializer_list<Job> jobs = {};
  std::initializer_list<OutboxConsumer> consumers = {};
  std::vector<Command> (*commands)() = nullptr;
  /// Subscribes to events of one store; called for each store that the module is in.
  void (*subscribe)(DomainEvents& events, Store store) = nullptr;
  /// What all changes of a store that the module is in are handed to. At most one module has it.
  ChangeSink sink = nullptr;
};

}  // namespace nerve
