// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/time.h"
#include "nerve/db/transaction.h"
#include "nerve/migrations/migration.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nerve::migrations {

/// How far a migration has come in a database.
enum class EntryState : std::uint8_t {
  applied,
  incomplete_up,    ///< a migration without transaction that is under way, or was cut off
  incomplete_down,  ///< its way back is
};

/// Whether the engine ran the migration, or was told that its result is there.
enum class Origin : std::uint8_t { applied, baseline };

/// What a database knows of one migration.
struct LedgerEntry {
  Reference reference;
  std::string name;
  std::string description;
  std::string checksum;
  EntryState state = EntryState::applied;
  std::int64_t statements_done = 0;     ///< of the direction in `state`
  std::int64_t application_number = 0;  ///< order of application
  Origin origin = Origin::applied;
  Timestamp applied_at;
  std::string applied_by;
  std::chrono::microseconds duration{0};
};

/// What happened to a database's schema, or was decided about it.
enum class Action : std::uint8_t {
  up,        ///< a migration was applied
  down,      ///< it was taken back
  baseline,  ///< it was declared to be there
  fail,      ///< it failed; everything of it was undone, or stands at the statement that `detail` names
  accept,    ///< its changed file was accepted
  adopt,     ///< a difference from what the migrations make is wanted as it is now
  ignore,    ///< an object is not compared any more
  compare,   ///< it is compared again
};

struct Event {
  std::int64_t number = 0;
  Timestamp occurred_at;
  Action action = Action::up;
  std::string subject;        ///< "tenancy@0001", or an object such as "table users"
  std::string checksum = {};  ///< of the file, or the fingerprint of the object
  std::string actor = {};
  std::chrono::microseconds duration{0};
  std::string detail = {};
};

/// The two tables in which a database keeps what was applied (schema_migrations) and all that ever happened
/// (migration_events, which is only added to).
class Ledger {
 public:
  static constexpr std::string_view table_default = "schema_migrations";
  static constexpr std::string_view events_table_default = "migration_events";

  enum class Presence : std::uint8_t { absent, present, foreign };

  /// With another name than the default, the events' table is that name with `_events` behind it.
  explicit Ledger(const db::Identifier& table = db::Identifier(table_default));

  /// `foreign`: there is a table of this name that another tool made.
  Presence presence(db::Transaction& transaction) const;
  void create(db::Transaction& transaction) const;

  /// In order of application.
  std::vector<LedgerEntry> entries(db::Transaction& transaction) const;
  void insert(db::Transaction& transaction, const LedgerEntry& entry) const;
  void update(db::Transaction& transaction, const LedgerEntry& entry) const;
  void erase(db::Transaction& transaction, const Reference& reference) const;

  /// The number is given by the ledger.
  void record(db::Transaction& transaction, const Event& event) const;
  /// The newest first, at most `limit`, of those before number `before`.
  std::vector<Event> events(db::Transaction& transaction, std::int64_t limit,
                            std::optional<std::int64_t> before = std::nullopt) const;
  /// Whether a migration was ever applied or declared so, be it taken back since: one that failed makes the
  /// tables too.
  bool was_ever_applied(db::Transaction& transaction) const;
  /// What was decided last about each object: adopt, ignore or compare.
  std::vector<Event> decisions(db::Transaction& transaction) const;

  const std::string& table() const noexcept { return table_; }
  const std::string& events_table() const noexcept { return events_table_; }

 private:
  std::string table_;
  std::string events_table_;
};

}  // namespace nerve::migrations

namespace nerve::db {

template <>
inline constexpr std::string_view enum_texts<migrations::EntryState>[] = {"applied", "incomplete_up",
                                                                          "incomplete_down"};
template <>
inline constexpr std::string_view enum_texts<migrations::Origin>[] = {"applied", "baseline"};
template <>
inline constexpr std::string_view enum_texts<migrations::Action>[] = {
    "up", "down", "baseline", "fail", "accept", "adopt", "ignore", "compare"};

}  // namespace nerve::db
