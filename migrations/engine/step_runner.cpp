// SPDX-License-Identifier: Apache-2.0
#include "step_runner.h"

#include "concurrent_index.h"
#include "statement_kind.h"
#include "table_rebuild.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <fmt/format.h>

#include <optional>
#include <random>
#include <thread>

namespace nerve::migrations {

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

std::chrono::microseconds since(SteadyTime started) {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started);
}

constexpr std::string_view lock_not_available = "55P03";

/// Whether it ended the connection or the transaction from outside.
bool says_nothing_of_a_statement(const DatabaseError& error) {
  return dynamic_cast<const ConnectionError*>(&error) != nullptr ||
         dynamic_cast<const TransactionError*>(&error) != nullptr || error.code() == lock_not_available;
}

/// What to do about an error of the engine: of a disk that is full, or a server that has no time, it knows
/// more.
std::string remedy_of(const DatabaseError& error, const Step& step) {
  const bool is_of_statement = error.kind() != ErrorKind::unavailable || error.hint().empty();
  const std::string cause = is_of_statement ? std::string() : " " + error.hint();
  if (step.migration->runs_outside_transaction) {
    return fmt::format("{}{}",
                       is_of_statement
                           ? "Correct the cause and run the command again: it goes on with this statement."
                           : "Run the command again when that is mended: it goes on with this statement.",
                       cause);
  }
  return fmt::format("Nothing of this migration was kept. {}{}",
                     is_of_statement ? "Correct the statement, then run the command again."
                                     : "Run it again when that is mended.",
                     cause);
}

/// Says of an error of the engine at which statement of which file it came.
[[noreturn]] void rethrow_with_place(const DatabaseError& error, const Step& step,
                                     const std::vector<MigrationStatement>& statements, std::size_t index) {
  if (says_nothing_of_a_statement(error)) throw;
  throw DatabaseError(
      error.kind(),
      fmt::format("{}:{}: statement {} of {} ({}): {}", step.migration->file, statements[index].line,
                  index + 1, statements.size(), to_string(step.direction), error.what()),
      remedy_of(error, step), error.code());
}

}  // namespace

StepResult StepRunner::run(const Step& step) {
  const SteadyTime started = std::chrono::steady_clock::now();
  const auto statements = step.migration->statements(step.direction, session_.dialect());
  try {
    if (step.migration->runs_outside_transaction) {
      run_by_statement(step, statements, started);
    } else {
      run_in_transaction(step, statements, started);
    }
  } catch (const Error& error) {
    record_failure(step, error.what());
    throw;
  }
  return {step, statements.size() - static_cast<std::size_t>(step.statements_done), since(started)};
}

void StepRunner::run_in_transaction(const Step& step, const std::vector<MigrationStatement>& statements,
                                    SteadyTime started) {
  const bool rebuilds = !step.migration->rebuilt_tables.empty() && session_.dialect() == db::Dialect::sqlite;
  const auto work = [&](bool at_once) {
    return [&, at_once](db::Transaction& transaction) {
      std::optional<TableRebuild> rebuild;
      if (rebuilds) rebuild.emplace(transaction, *step.migration, step.direction);
      if (at_once) {
        run_at_once(transaction, statements);
      } else {
        run_one_by_one(transaction, step, statements);
      }
      if (rebuild) rebuild->finish();
      finish(transaction, step, started);
    };
  };
  if (session_.dialect() == db::Dialect::postgresql && statements.size() > 1) {
    try {
      return write(work(true), !rebuilds);
    } catch (const DatabaseError& error) {
      if (says_nothing_of_a_statement(error)) throw;
      // Nothing of it is left. Run again one by one, it fails again and tells where.
    }
  }
  write(work(false), !rebuilds);
}

/// One round trip for all of them.
void StepRunner::run_at_once(db::Transaction& transaction,
                             const std::vector<MigrationStatement>& statements) {
  std::string script;
  for (const MigrationStatement& statement : statements) script += statement.sql + ";\n";
  throw_if_interrupted();
  transaction.execute_script(script);
}

void StepRunner::run_one_by_one(db::Transaction& transaction, const Step& step,
                                const std::vector<MigrationStatement>& statements) {
  for (std::size_t i = 0; i < statements.size(); ++i) {
    throw_if_interrupted();
    try {
      if (step.migration->rebuilt_tables.empty()) require_no_child_rows(transaction, statements[i].sql);
      transaction.execute_script(statements[i].sql);
    } catch (const DatabaseError& error) {
      rethrow_with_place(error, step, statements, i);
    }
  }
}

void StepRunner::finish(db::Transaction& transaction, const Step& step, SteadyTime started) {
  ensure_ledger(transaction);
  LedgerEntry entry = entry_of(step);
  entry.duration = since(started);
  const bool is_up = step.direction == Direction::up;
  if (!is_up) {
    ledger_.erase(transaction, entry.reference);
  } else if (step.migration->runs_outside_transaction) {
    ledger_.update(transaction, entry);
  } else {
    ledger_.insert(transaction, entry);
  }
  ledger_.record(transaction, {.occurred_at = options_.clock->now(),
                               .action = is_up ? Action::up : Action::down,
                               .subject = entry.reference.to_string(),
                               .checksum = entry.checksum,
                               .actor = options_.actor,
                               .duration = entry.duration});
}

void StepRunner::ensure_ledger(db::Transaction& transaction) {
  if (!has_ledger_) ledger_.create(transaction);
}

LedgerEntry StepRunner::entry_of(const Step& step) const {
  LedgerEntry entry;
  entry.reference = step.migration->reference;
  entry.name = step.migration->name;
  entry.description = step.migration->description.summary;
  entry.checksum = step.migration->checksum;
  entry.applied_at = options_.clock->now();
  entry.applied_by = options_.actor;
  return entry;
}

void StepRunner::begin_by_statement(const Step& step) {
  if (step.is_resumed) return;
  LedgerEntry entry = entry_of(step);
  const bool is_up = step.direction == Direction::up;
  entry.state = is_up ? EntryState::incomplete_up : EntryState::incomplete_down;
  write([&](db::Transaction& transaction) {
    ensure_ledger(transaction);
    if (is_up) {
      ledger_.insert(transaction, entry);
    } else {
      ledger_.update(transaction, entry);
    }
  });
}

void StepRunner::run_by_statement(const Step& step, const std::vector<MigrationStatement>& statements,
                                  SteadyTime started) {
  begin_by_statement(step);
  LedgerEntry entry = entry_of(step);
  entry.state = step.direction == Direction::up ? EntryState::incomplete_up : EntryState::incomplete_down;
  const auto first = static_cast<std::size_t>(step.statements_done);
  for (std::size_t i = first; i < statements.size(); ++i) {
    throw_if_interrupted();
    entry.statements_done = static_cast<std::int64_t>(i) + 1;
    const bool alone = !outside_transaction_only(statements[i].sql, session_.dialect()).empty();
    try {
      if (alone) run_alone(statements[i].sql, step.is_resumed && i == first);
      // A statement that can run inside a transaction is recorded by the same one: it is done exactly once.
      write([&](db::Transaction& transaction) {
        if (!alone) transaction.execute_script(statements[i].sql);
        ledger_.update(transaction, entry);
      });
    } catch (const DatabaseError& error) {
      rethrow_with_place(error, step, statements, i);
    }
  }
  write([&](db::Transaction& transaction) { finish(transaction, step, started); });
}

void StepRunner::run_alone(const std::string& sql, bool was_cut_off) {
  if (session_.dialect() == db::Dialect::sqlite) {
    session_.execute_alone(sql, options_.lock_patience);
  } else {
    run_concurrently(session_, sql, options_.lock_patience, was_cut_off);
  }
}

void StepRunner::write(const std::function<void(db::Transaction&)>& work, bool enforces_foreign_keys) {
  db::TransactionOptions options;
  // What a migration changes is every tenant's; without it an UPDATE would find no row behind their wall.
  options.tenant = db::TenantSetting::all();
  options.enforces_foreign_keys = enforces_foreign_keys;
  options.lock_timeout = options_.lock_timeout;
  options.statement_timeout = std::chrono::milliseconds(0);
  const SteadyTime deadline = std::chrono::steady_clock::now() + options_.lock_patience;
  std::minstd_rand generator{std::random_device{}()};
  for (int attempt = 1;; ++attempt) {
    try {
      session_.write(work, options);
      has_ledger_ = true;  // whatever was committed made it
      return;
    } catch (const DatabaseError& error) {
      if (error.code() != lock_not_available) throw;
      if (std::chrono::steady_clock::now() >= deadline) {
        throw ConnectionError(
            fmt::format("a lock that the migration needs could not be had in {} tries: others use the table",
                        attempt),
            "End long transactions on it (`nerve-db health` names them), or run the command again when it is "
            "quiet. Nothing of this migration was kept.",
            std::string(lock_not_available));
      }
    }
    throw_if_interrupted();
    // Longer pauses than tries, so that the others get through.
    std::uniform_int_distribution<int> pause_ms(100, 400);
    std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms(generator)));
  }
}

void StepRunner::record_failure(const Step& step, const std::string& reason) noexcept {
  if (!has_ledger_) return;
  try {
    session_.write([&](db::Transaction& transaction) {
      ledger_.record(transaction, {.occurred_at = options_.clock->now(),
                                   .action = Action::fail,
                                   .subject = step.migration->reference.to_string(),
                                   .checksum = step.migration->checksum,
                                   .actor = options_.actor,
                                   .detail = std::string(to_string(step.direction)) + ": " + reason});
    });
  } catch (const std::exception&) {
    // The failure itself is what the caller hears of; a database that is full or gone cannot keep it.
  }
}

}  // namespace nerve::migrations
