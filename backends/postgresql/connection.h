// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "postgresql/schema_trust.h"
#include "postgresql/session_settings.h"
#include "postgresql/url.h"
#include "soci/soci_include.h"

#include "nerve/backends/open.h"
#include "nerve/db/connection.h"

#include <soci/postgresql/soci-postgresql.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace nerve::backends {

/// A connection to a PostgreSQL server: UTC, ISO dates, timeouts, a search_path that is pinned, no text of
/// the server passed on that could hold values.
///
/// Its session is its own, or behind a proxy shared with others (session_settings.h). In a shared one nothing
/// runs outside of a transaction and nothing is left behind: settings are those of each transaction,
/// statements are not kept.
class PostgresqlConnection : public db::Connection {
 public:
  /// `is_behind_pool` says that another connection by this URL had a shared session: then no session of its
  /// own is asked for, which a pool without a free process would let wait.
  PostgresqlConnection(const PostgresqlUrl& url, const OpenOptions& options, bool is_behind_pool = false);

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
  /// Of a session of its own only.
  soci::session& session() noexcept { return session_; }
  /// How many cursors are open, as they count themselves.
  int open_cursors() const noexcept { return open_cursors_; }
  void count_cursor(int opened) noexcept { open_cursors_ += opened; }
  bool is_shared() const noexcept { return shared_handle_ != nullptr; }
  /// Throws UnsupportedError where the session is shared.
  void require_own_session() const;
  /// Throws DeniedError where others can have put something into the schema that is current.
  void require_trusted_schema() const { path_.current.require(name_); }

  /// Throws what `result` means, or where it is null what the connection's last error means. `preparing` says
  /// that no value was bound yet, so that the server's text may be passed on.
  [[noreturn]] void throw_error(const PGresult* result, bool preparing = false);

 private:
  struct Finish {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
  };

  /// False where a proxy refuses the settings or gives a session that is not what was asked for.
  bool open_own(const PostgresqlUrl& url, const OpenOptions& options, const SessionSettings& settings);
  void open_shared(const PostgresqlUrl& url, const OpenOptions& options, const SessionSettings& settings);
  void use(PGconn* handle) noexcept;
  void begin_shared(const std::string& sql);
  /// What begins a transaction with the search_path that it is to have.
  std::string path_sql(const db::TransactionOptions& options) const;
  /// Runs a statement of ours that has no values and no result.
  void run(const std::string& sql);
  void run_script(std::string_view sql);
  void set_timeouts(std::chrono::milliseconds statement, std::chrono::milliseconds lock);

  std::string name_;
  std::chrono::seconds connect_timeout_;
  std::chrono::milliseconds statement_timeout_;
  std::chrono::milliseconds lock_timeout_;
  bool is_read_only_;
  soci::session session_;                          // connected where the session is its own
  std::unique_ptr<PGconn, Finish> shared_handle_;  // the connection where it is not
  PGconn* handle_ = nullptr;                       // of either
  int open_cursors_ = 0;
  TrustedPath path_;
  std::string local_settings_;  // what BEGIN is followed by in a shared session
};

}  // namespace nerve::backends
