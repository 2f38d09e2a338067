// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/schema_session.h"
#include "nerve/migrations/migrator.h"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace nerve::migrations {

/// Runs one step on one connection, with the ledger's line for it.
class StepRunner {
 public:
  /// `has_ledger`: whether the ledger is there; else the first step makes it, in its transaction.
  StepRunner(db::SchemaSession& session, const Ledger& ledger, const MigratorOptions& options,
             bool has_ledger)
      : session_(session), ledger_(ledger), options_(options), has_ledger_(has_ledger) {}

  StepResult run(const Step& step);

 private:
  void run_in_transaction(const Step& step, const std::vector<MigrationStatement>& statements,
                          std::chrono::steady_clock::time_point started);
  void run_by_statement(const Step& step, const std::vector<MigrationStatement>& statements,
                        std::chrono::steady_clock::time_point started);
  void run_alone(const std::string& sql, bool was_cut_off);
  static void run_at_once(db::Transaction& transaction, const std::vector<MigrationStatement>& statements);
  static void run_one_by_one(db::Transaction& transaction, const Step& step,
                             const std::vector<MigrationStatement>& statements);
  void begin_by_statement(const Step& step);
  void finish(db::Transaction& transaction, const Step& step, std::chrono::steady_clock::time_point started);
  void record_failure(const Step& step, const std::string& reason) noexcept;

  /// One transaction of a schema change. On PostgreSQL it is begun again while a lock cannot be had.
  void write(const std::function<void(db::Transaction&)>& work, bool enforces_foreign_keys = true);

  void ensure_ledger(db::Transaction& transaction);
  LedgerEntry entry_of(const Step& step) const;

  db::SchemaSession& session_;
  const Ledger& ledger_;
  const MigratorOptions& options_;
  bool has_ledger_;
};

}  // namespace nerve::migrations
