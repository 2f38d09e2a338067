// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/engine.h"

#include "nerve/core/clock.h"
#include "nerve/record.h"
#include "nerve/store.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nerve::test {

enum class GadgetKind : std::uint8_t { tool, toy };

/// A field of every kind.
struct Gadget {
  Uuid id = {};
  std::string name = {};
  GadgetKind kind = GadgetKind::tool;
  std::int64_t amount = 0;
  std::optional<double> weight = {};
  bool is_sold = false;
  std::vector<std::string> tags = {};
  std::string settings = "{}";
  std::optional<Bytes> photo = {};
  std::optional<Timestamp> sold_at = {};
  std::optional<std::string> remark = {};
  Timestamp created_at = {};
  Timestamp updated_at = {};
  std::optional<Timestamp> deleted_at = {};
};

/// A key of two columns, and the whole workspace's.
struct Switch {
  std::string place = {};
  std::int64_t number = 0;
  bool is_on = false;
};

extern const Record<Gadget> gadgets;  ///< tenant-owned
extern const Record<Switch> switches;

/// A store with both tables, whose sink writes each entry into the table `seen`, at a time that stands still.
template <class Engine>
class GadgetStore {
 public:
  GadgetStore() : database_(engine_.open()) {
    database_->write([](db::Transaction& t) { t.execute_script(schema(t.dialect())); });
    services_ = open_database(engine_.url_of_application(), {});
  }
  GadgetStore(const GadgetStore&) = delete;
  GadgetStore& operator=(const GadgetStore&) = delete;

  /// On PostgreSQL as a role that policies hold.
  OpenStore open() { return {Store::core, *services_, events_, clock_, &write_seen}; }
  std::string url() const { return engine_.url_of_application(); }
  /// As a role that nothing holds.
  db::Database& database() { return *database_; }
  DomainEvents& events() { return events_; }
  ManualClock& clock() { return clock_; }
  /// What the sink has written, one line an entry: "created gadget lamp fields=3 tenant".
  std::string seen() {
    return database_->read([](db::Transaction& t) {
      std::string text;
      t.each<std::string>("SELECT entry FROM seen ORDER BY number", {},
                          [&](const std::string& entry) { text += entry + "\n"; });
      return text;
    });
  }

  static std::string schema(db::Dialect dialect);
  /// The sink: throws ConflictError for a gadget of the name "unwanted".
  static void write_seen(Change& change, std::span<const ChangeEntry> entries);

 private:
  Engine engine_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<db::Database> services_;
  DomainEvents events_;
  ManualClock clock_{Timestamp::parse("2026-03-01T12:00:00Z")};
};

std::string gadget_schema(db::Dialect dialect);
void write_gadget_entries(Change& change, std::span<const ChangeEntry> entries);

template <class Engine>
std::string GadgetStore<Engine>::schema(db::Dialect dialect) {
  return gadget_schema(dialect);
}
template <class Engine>
void GadgetStore<Engine>::write_seen(Change& change, std::span<const ChangeEntry> entries) {
  write_gadget_entries(change, entries);
}

/// The scopes of two tenants, by a user and by the operator.
inline const Scope ours =
    Scope::of_tenant(TenantId::parse("00000000-0000-7000-8000-00000000000a"),
                     {.kind = ActorKind::user, .id = Uuid::parse("00000000-0000-7000-8000-0000000000aa")});
inline const Scope theirs =
    Scope::of_tenant(TenantId::parse("00000000-0000-7000-8000-00000000000b"), Actor::operator_named("root"));

}  // namespace nerve::test

namespace nerve::db {

template <>
inline constexpr std::string_view enum_texts<test::GadgetKind>[] = {"tool", "toy"};

}  // namespace nerve::db
