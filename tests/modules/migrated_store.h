// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/engine.h"

#include "nerve/core/clock.h"
#include "nerve/events.h"
#include "nerve/modules/builtin.h"
#include "nerve/store.h"

#include <functional>
#include <map>
#include <memory>
#include <span>
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
    services_ = open_database(engine_.url_of_application(), {});
  }
  MigratedStore(const MigratedStore&) = delete;
  MigratedStore& operator=(const MigratedStore&) = delete;

  /// On PostgreSQL as a role that policies hold.
  OpenStore open() { return {id_, *services_, events_, clock_}; }
  /// What checks and jobs take: this store, and the other one, which is made when it is first asked for.
  Stores& stores() { return both_; }
  DomainEvents& events() { return events_; }
  ManualClock& clock() { return clock_; }
  /// As the owner of the tables.
  db::Database& database() { return *database_; }
  std::string url() const { return engine_.url(); }

 private:
  class BothStores final : public Stores {
   public:
    explicit BothStores(MigratedStore& first) : first_(first) {}
    OpenStore store(Store store) override {
      if (store == first_.id_) return first_.open();
      if (!second_) second_ = std::make_unique<MigratedStore>(store);
      return {store, *second_->services_, second_->events_, first_.clock_};
    }
    std::span<const Module* const> modules() const override { return builtin_modules(); }
    void run_exclusively(const std::function<void()>& work) override { work(); }

   private:
    MigratedStore& first_;
    std::unique_ptr<MigratedStore> second_;
  };

  Store id_;
  Engine engine_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<db::Database> services_;
  DomainEvents events_;
  ManualClock clock_{Timestamp::parse("2026-03-01T12:00:00Z")};
  BothStores both_{*this};
};

}  // namespace nerve::test
