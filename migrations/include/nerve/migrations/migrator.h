// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/clock.h"
#include "nerve/db/database.h"
#include "nerve/migrations/schema_state.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace nerve::migrations {

/// One migration to be run in one direction.
struct Step {
  const Migration* migration = nullptr;  ///< of the set
  Direction direction = Direction::up;
  std::int64_t statements_done = 0;  ///< of an earlier run that was cut off; the rest remains
  bool is_resumed = false;           ///< whether there was such a run
};

struct StepResult {
  Step step;
  std::size_t statements = 0;  ///< that ran now
  std::chrono::microseconds duration{0};
};

struct MigratorOptions {
  /// How long to wait for another runner.
  std::chrono::milliseconds runner_wait{60'000};
  /// PostgreSQL: how long a statement may wait for a lock before it lets go again, because whoever comes
  /// later waits behind it; and for how long it is tried again.
  std::chrono::milliseconds lock_timeout{50};
  std::chrono::milliseconds lock_patience{30'000};
  std::string actor;  ///< who runs it, for the ledger
  const Clock* clock = &system_clock();
  /// Called under the lock with what will be run, if that is anything, before the first step; what it throws
  /// ends the run with nothing changed. A backup goes here.
  std::function<void(const std::vector<Step>&)> before = {};
  /// Called after each step.
  std::function<void(const StepResult&)> on_step = {};
};

/// Applies migrations to a database and takes them back.
///
/// Each migration is one transaction together with its line in the ledger, so that an abort at any point
/// leaves it done or not begun. One with `no-transaction` is done statement by statement, each recorded, and
/// goes on where it was cut off. Runners take turns; each reads the state again when its turn comes, so that
/// eight of them at once apply each migration once.
///
/// All functions throw what SchemaState::require_sound() throws, and for a failing statement an error of the
/// kind the engine reported that names file, line and statement. What was completed before it stays.
class Migrator {
 public:
  /// Borrows both.
  Migrator(db::Database& database, const MigrationSet& set, Ledger ledger = Ledger(),
           MigratorOptions options = {});

  /// Without waiting for anybody.
  SchemaState state();

  /// What up() would do now.
  std::vector<Step> plan_up(const std::optional<Reference>& target = std::nullopt);
  /// What down() would do now: in reverse order of application, at most `count`, and none at or before
  /// `target`. Throws DeniedError for one without a way back.
  std::vector<Step> plan_down(std::size_t count, const std::optional<Reference>& target = std::nullopt);

  /// Applies what is pending, with a target only that migration and what it stands on. What an earlier run
  /// left incomplete is finished first, in its direction.
  std::vector<StepResult> up(const std::optional<Reference>& target = std::nullopt);
  std::vector<StepResult> down(std::size_t count, const std::optional<Reference>& target = std::nullopt);

  /// Declares the migrations up to `target` (all of them without one) to be applied, without running any:
  /// their result is there already. Throws ConflictError where the ledger has entries.
  std::vector<Reference> baseline(const std::optional<Reference>& target = std::nullopt);

  /// Takes the present file of an applied migration as the published one. Throws ConflictError where it is
  /// not changed.
  void accept_change(const Reference& reference);

  /// Adds to the history a decision about an object that differs from what the migrations make.
  void record_decision(Action action, const std::string& object, const std::string& fingerprint,
                       const std::string& reason);

  const Ledger& ledger() const noexcept { return ledger_; }
  const MigrationSet& set() const noexcept { return set_; }
  db::Database& database() noexcept { return database_; }

 private:
  using Planner = std::function<std::vector<Step>(const SchemaState&)>;

  std::vector<StepResult> run(const Planner& planner);
  /// One transaction under the lock, with the ledger in place.
  void write_under_lock(const std::function<void(db::Transaction&, const SchemaState&)>& work);
  Event event(Action action, std::string subject, std::string checksum) const;

  db::Database& database_;
  const MigrationSet& set_;
  Ledger ledger_;
  MigratorOptions options_;
};

}  // namespace nerve::migrations
