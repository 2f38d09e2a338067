// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/engine.h"

#include "nerve/core/clock.h"
#include "nerve/events.h"
#include "nerve/store.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace nerve::test {

/// Applies the built-in migrations of a store.
void migrate(db::Database& database, Store store);

/// What a schema has under a name.
struct Relation {
  std::vector<std::string> columns;
  std::vector<std::string> key;  ///< of a table
  bool is_view = false;
};

/// The tables and views of the database's schema, without the engine's own.
std::map<std::string, Relation> read_relations(db::Database& database);

/// A store of its own with the built-in schema, at a time that stands still.
template <class Engine>
class MigratedStore {
 public:
  explicit MigratedStore(Store store = Store::core) : id_(store), database_(engine_.open()) {
    migrate(*database_, store);
  }

  OpenStore open() { return {id_, *database_, events_, clock_}; }
  DomainEvents& events() { return events_; }
  ManualClock& clock() { return clock_; }
  db::Database& database() { return *database_; }

 private:
  Store id_;
  Engine engine_;
  std::unique_ptr<db::Database> database_;
  DomainEvents events_;
  ManualClock clock_{Timestamp::parse("2026-03-01T12:00:00Z")};
};

}  // namespace nerve::test
