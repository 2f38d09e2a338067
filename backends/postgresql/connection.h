// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "soci/soci_include.h"

#include "nerve/backends/open.h"
#include "nerve/db/connection.h"

#include <soci/postgresql/soci-postgresql.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace nerve::backends {

/// One session with a PostgreSQL server: UTC, ISO dates, timeouts, no text of the server passed on that could
/// hold values.
class PostgresqlConnection : public db::Connection {
 public:
  PostgresqlConnection(const std::string& conninfo, const std::string& name, const OpenOptions& options);

  void begin(db::Access access, const db::TransactionOptions& options) override;
  void commit() override;
  void rollback() noexcept override;
  bool in_transaction() noexcept override;
  void savepoint(int depth) override;
  void release_savepoint(int depth) override;
  void rollback_to_savepoint(int depth) override;
  std::unique_ptr<db::PreparedStatement> prepare(const db::StatementText& statement) override;
  void execute_script(std::string_view sql) override;
  void execute_alone(std::string_view sql, std::chrono::milliseconds lock_timeout) override;
  std::unique_ptr<db::BulkWriter> bulk_insert(const db::Identifier& table,
                                              std::span<const db::Identifier> columns) override;
  bool is_usable() noexcept override;

  PGconn* handle() noexcept { return handle_; }
  soci::session& session() noexcept { return session_; }

  /// Throws what `result` means, or where it is null what the connection's last error means. `preparing` says
  /// that no value was bound yet, so that the server's text may be passed on.
  [[noreturn]] void throw_error(const PGresult* result, bool preparing = false);

 private:
  void configure(const OpenOptions& options);
  /// Runs a statement of ours that has no values and no result.
  void run(const std::string& sql);
  void run_script(std::string_view sql);
  void set_timeouts(std::chrono::milliseconds statement, std::chrono::milliseconds lock);

  std::string name_;
  std::chrono::milliseconds statement_timeout_;
  std::chrono::milliseconds lock_timeout_;
  soci::session session_;
  PGconn* handle_;
};

}  // namespace nerve::backends
