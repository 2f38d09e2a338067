// SPDX-License-Identifier: Apache-2.0
#include "postgresql/connection.h"

#include "postgresql/bulk_writer.h"
#include "postgresql/errors.h"
#include "postgresql/result.h"
#include "postgresql/script.h"
#include "postgresql/statement.h"

#include "nerve/core/error.h"

#include <poll.h>

#include <cerrno>

namespace nerve::backends {

namespace {

/// Notices can quote values; what they warn of is told by errors.
void drop_notice(void* /*context*/, const PGresult* /*result*/) {}

}  // namespace

PostgresqlConnection::PostgresqlConnection(const std::string& conninfo, const std::string& name,
                                           const OpenOptions& options) try
    : name_(name),
      statement_timeout_(options.statement_timeout),
      lock_timeout_(options.lock_timeout),
      session_(soci::postgresql, conninfo),
      handle_(static_cast<soci::postgresql_session_backend*>(session_.get_backend())->conn_) {
  configure(options);
} catch (const soci::soci_error& error) {
  throw_connect_error(error.what(), name);
}

void PostgresqlConnection::configure(const OpenOptions& options) {
  PQsetNoticeReceiver(handle_, drop_notice, nullptr);
  // Verbose messages begin with the SQLSTATE, also where SOCI has freed the result that carried it.
  PQsetErrorVerbosity(handle_, PQERRORS_VERBOSE);
  run("SET timezone='UTC'; SET datestyle='ISO, YMD'; SET intervalstyle='iso_8601'; SET bytea_output='hex';"
      "SET standard_conforming_strings=on;"
      "SET default_transaction_isolation='read committed';"
      "SET statement_timeout=" +
      std::to_string(options.statement_timeout.count()) +
      ";"
      "SET lock_timeout=" +
      std::to_string(options.lock_timeout.count()) +
      (options.read_only ? ";SET default_transaction_read_only=on" : ""));
}

void PostgresqlConnection::run(const std::string& sql) {
  const Result result(PQexec(handle_, sql.c_str()));
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) throw_error(result.get());
}

void PostgresqlConnection::begin(db::Access access, const db::TransactionOptions& options) {
  std::string sql = access == db::Access::write ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
  const auto set_local = [&](const char* setting, const std::optional<std::chrono::milliseconds>& value) {
    if (value) sql += std::string(";SET LOCAL ") + setting + "=" + std::to_string(value->count());
  };
  set_local("lock_timeout", options.lock_timeout);
  set_local("statement_timeout", options.statement_timeout);
  run(sql);
}

void PostgresqlConnection::commit() {
  // PostgreSQL answers COMMIT of a failed transaction with success and rolls back.
  if (PQtransactionStatus(handle_) == PQTRANS_INERROR) {
    rollback();
    throw TransactionError(
        TransactionError::Outcome::rolled_back, "the transaction had failed before COMMIT",
        "Let the first error leave the closure, or run the statement that may fail inside savepoint().");
  }
  const Result result(PQexec(handle_, "COMMIT"));
  if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) return;
  if (PQstatus(handle_) != CONNECTION_OK) {
    throw TransactionError(
        TransactionError::Outcome::unknown,
        "the connection to " + name_ + " was lost during COMMIT: whether it took place is not known",
        "Look whether the change is there before doing it again.", "08007");
  }
  throw_error(result.get());
}

void PostgresqlConnection::rollback() noexcept {
  if (!in_transaction()) return;
  PQclear(PQexec(handle_, "ROLLBACK"));
}

bool PostgresqlConnection::in_transaction() noexcept {
  const PGTransactionStatusType status = PQtransactionStatus(handle_);
  // A lost connection reports "unknown"; for the caller that is a transaction that cannot be ended any more.
  return status != PQTRANS_IDLE;
}

void PostgresqlConnection::savepoint(int depth) {
  run("SAVEPOINT nerve_" + std::to_string(depth));
}

void PostgresqlConnection::release_savepoint(int depth) {
  run("RELEASE SAVEPOINT nerve_" + std::to_string(depth));
}

void PostgresqlConnection::rollback_to_savepoint(int depth) {
  run("ROLLBACK TO SAVEPOINT nerve_" + std::to_string(depth));
}

std::unique_ptr<db::PreparedStatement> PostgresqlConnection::prepare(const db::StatementText& statement) {
  return std::make_unique<PostgresqlStatement>(*this, statement);
}

void PostgresqlConnection::execute_script(std::string_view sql) {
  require_no_transaction_control(sql);
  run_script(sql);
}

void PostgresqlConnection::execute_alone(std::string_view sql, std::chrono::milliseconds lock_timeout) {
  require_no_transaction_control(sql);
  set_timeouts(std::chrono::milliseconds(0), lock_timeout);
  try {
    run_script(sql);
  } catch (...) {
    if (PQstatus(handle_) == CONNECTION_OK) set_timeouts(statement_timeout_, lock_timeout_);
    throw;
  }
  set_timeouts(statement_timeout_, lock_timeout_);
}

void PostgresqlConnection::set_timeouts(std::chrono::milliseconds statement, std::chrono::milliseconds lock) {
  run("SET statement_timeout=" + std::to_string(statement.count()) +
      ";SET lock_timeout=" + std::to_string(lock.count()));
}

void PostgresqlConnection::run_script(std::string_view sql) {
  const Result result(PQexec(handle_, std::string(sql).c_str()));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY) return;
  // Nothing is bound in a script, so the server's text names the place without giving anything away.
  throw_error(result.get(), true);
}

std::unique_ptr<db::BulkWriter> PostgresqlConnection::bulk_insert(const db::Identifier& table,
                                                                  std::span<const db::Identifier> columns) {
  return std::make_unique<PostgresqlBulkWriter>(*this, table, columns);
}

bool PostgresqlConnection::is_usable() noexcept {
  if (PQstatus(handle_) != CONNECTION_OK) return false;
  // A server that went away has closed the socket, which makes it readable: no round trip is needed to see
  // that.
  pollfd socket{.fd = PQsocket(handle_), .events = POLLIN, .revents = 0};
  if (::poll(&socket, 1, 0) == 0) return true;
  return PQconsumeInput(handle_) == 1 && PQstatus(handle_) == CONNECTION_OK;
}

void PostgresqlConnection::throw_error(const PGresult* result, bool preparing) {
  throw_postgresql_error(handle_, result, name_, preparing);
}

}  // namespace nerve::backends
