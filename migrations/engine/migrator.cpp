// SPDX-License-Identifier: Apache-2.0
#include "nerve/migrations/migrator.h"

#include "plan.h"
#include "step_runner.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <fmt/format.h>

#include <utility>

namespace nerve::migrations {

Migrator::Migrator(db::Database& database, const MigrationSet& set, Ledger ledger, MigratorOptions options)
    : database_(database), set_(set), ledger_(std::move(ledger)), options_(std::move(options)) {}

SchemaState Migrator::state() {
  return database_.read([&](db::Transaction& transaction) {
    return read_schema_state(transaction, ledger_, set_, database_.name());
  });
}

std::vector<Step> Migrator::plan_up(const std::optional<Reference>& target) {
  return migrations::plan_up(state(), set_, target);
}

std::vector<Step> Migrator::plan_down(std::size_t count, const std::optional<Reference>& target) {
  return migrations::plan_down(state(), count, target);
}

std::vector<StepResult> Migrator::up(const std::optional<Reference>& target) {
  return run([&](const SchemaState& state) { return migrations::plan_up(state, set_, target); });
}

std::vector<StepResult> Migrator::down(std::size_t count, const std::optional<Reference>& target) {
  return run([&](const SchemaState& state) { return migrations::plan_down(state, count, target); });
}

std::vector<StepResult> Migrator::run(const Planner& planner) {
  // Looking first costs one short read, and spares the lock where there is nothing to do.
  if (planner(state()).empty()) return {};
  const auto lock = database_.lock_schema(options_.runner_wait);
  const SchemaState found = state();
  const std::vector<Step> steps = planner(found);
  if (steps.empty()) return {};
  if (options_.before) options_.before(steps);
  return database_.change_schema([&](db::SchemaSession& session) {
    StepRunner runner(session, ledger_, options_, found.ledger == Ledger::Presence::present);
    std::vector<StepResult> results;
    for (const Step& step : steps) {
      throw_if_interrupted();
      lock->require_held();
      results.push_back(runner.run(step));
      if (options_.on_step) options_.on_step(results.back());
    }
    return results;
  });
}

void Migrator::write_under_lock(const std::function<void(db::Transaction&, const SchemaState&)>& work) {
  const auto lock = database_.lock_schema(options_.runner_wait);
  database_.write([&](db::Transaction& transaction) {
    const SchemaState state = read_schema_state(transaction, ledger_, set_, database_.name());
    if (state.ledger == Ledger::Presence::absent) ledger_.create(transaction);
    work(transaction, state);
  });
}

Event Migrator::event(Action action, std::string subject, std::string checksum) const {
  return {.occurred_at = options_.clock->now(),
          .action = action,
          .subject = std::move(subject),
          .checksum = std::move(checksum),
          .actor = options_.actor};
}

std::vector<Reference> Migrator::baseline(const std::optional<Reference>& target) {
  std::vector<Reference> wanted;
  if (target) {
    wanted = set_.closure(*target);
  } else {
    for (const Migration& migration : set_.in_order()) wanted.push_back(migration.reference);
  }
  write_under_lock([&](db::Transaction& transaction, const SchemaState& state) {
    state.require_sound();
    if (state.count(Condition::pending) != state.migrations.size()) {
      throw ConflictError(
          fmt::format("migrations are applied to {} already", database_.name()),
          "A baseline is for a database that was made without them; `nerve-db migrate up` goes on.");
    }
    for (const Reference& reference : wanted) {
      const Migration& migration = set_.require(reference);
      ledger_.insert(transaction, {.reference = reference,
                                   .name = migration.name,
                                   .description = migration.description.summary,
                                   .checksum = migration.checksum,
                                   .origin = Origin::baseline,
                                   .applied_at = options_.clock->now(),
                                   .applied_by = options_.actor});
      ledger_.record(transaction, event(Action::baseline, reference.to_string(), migration.checksum));
    }
  });
  return wanted;
}

void Migrator::accept_change(const Reference& reference) {
  write_under_lock([&](db::Transaction& transaction, const SchemaState& state) {
    const Migration& migration = set_.require(reference);
    const MigrationState* found = state.find(reference);
    if (found->condition != Condition::changed) {
      throw ConflictError(fmt::format("{} is {}: there is no changed file to accept", reference.to_string(),
                                      to_string(found->condition)),
                          "`nerve-db migrate status` shows which files were changed.");
    }
    LedgerEntry entry = *found->entry;
    Event accepted = event(Action::accept, reference.to_string(), migration.checksum);
    accepted.detail = "instead of " + entry.checksum;
    entry.checksum = migration.checksum;
    ledger_.update(transaction, entry);
    ledger_.record(transaction, accepted);
  });
}

void Migrator::record_decision(Action action, const std::string& object, const std::string& fingerprint,
                               const std::string& reason) {
  write_under_lock([&](db::Transaction& transaction, const SchemaState&) {
    Event decision = event(action, object, fingerprint);
    decision.detail = reason;
    ledger_.record(transaction, decision);
  });
}

}  // namespace nerve::migrations
