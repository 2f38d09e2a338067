// SPDX-License-Identifier: Apache-2.0
#include "postgresql/connection.h"

#include "postgresql/bulk_writer.h"
#include "postgresql/errors.h"
#include "postgresql/first_answer.h"
#include "postgresql/result.h"
#include "postgresql/script.h"
#include "postgresql/shared_statement.h"
#include "postgresql/statement.h"

#include "nerve/core/error.h"

#include <fmt/format.h>
#include <poll.h>

#include <cerrno>

namespace nerve::backends {

namespace {

/// Notices can quote values; what they warn of is told by errors.
void drop_notice(void* /*context*/, const PGresult* /*result*/) {}

/// Hands a conninfo to libpq as it is. SOCI's own factory looks for an option of its own in it and takes the
/// spaces within quoted values, such as those between startup options, for ends of values.
class ConninfoFactory final : public soci::backend_factory {
 public:
  soci::details::session_backend* make_session(const soci::connection_parameters& parameters) const override {
    return new soci::postgresql_session_backend(parameters, false);  // owned by the session
  }
};

const ConninfoFactory conninfo_factory;

}  // namespace

PostgresqlConnection::PostgresqlConnection(const PostgresqlUrl& url, const OpenOptions& options,
                                           bool is_behind_pool)
    : name_(url.display_name()),
      connect_timeout_(url.connect_timeout(options)),
      statement_timeout_(options.statement_timeout),
      lock_timeout_(options.lock_timeout),
      is_read_only_(options.read_only) {
  const SessionSettings settings(options);
  if (is_behind_pool || !open_own(url, options, settings)) open_shared(url, options, settings);
}

bool PostgresqlConnection::open_own(const PostgresqlUrl& url, const OpenOptions& options,
                                    const SessionSettings& settings) {
  try {
    session_.open(conninfo_factory, url.conninfo(options, settings.startup_options()));
  } catch (const soci::soci_error& error) {
    if (is_refusal_of_options(error.what())) return false;
    throw_connect_error(error.what(), name_);
  }
  use(static_cast<soci::postgresql_session_backend*>(session_.get_backend())->conn_);
  const Result claim = first_answer(handle_, settings.claim_sql(), connect_timeout_, name_);
  if (PQresultStatus(claim.get()) != PGRES_TUPLES_OK) throw_error(claim.get());
  if (PQntuples(claim.get()) == 1) {
    path_ = read_trusted_path(claim.get());
    return true;
  }
  // SOCI sets this by itself when it connects. Should the proxy choose another server process for this, then
  // nothing is lost: since PostgreSQL 12 SOCI's value writes numbers as the default does.
  run("RESET extra_float_digits");
  session_.close();
  return false;
}

void PostgresqlConnection::open_shared(const PostgresqlUrl& url, const OpenOptions& options,
                                       const SessionSettings& settings) {
  shared_handle_.reset(PQconnectdb(url.conninfo(options).c_str()));
  if (PQstatus(shared_handle_.get()) != CONNECTION_OK) {
    // It expects a line of the caller's above libpq's text.
    throw_connect_error("\n" + std::string(PQerrorMessage(shared_handle_.get())), name_);
  }
  use(shared_handle_.get());
  // By default, since another client may have left a path of its own.
  const std::string sql = "BEGIN READ ONLY;SET LOCAL search_path TO DEFAULT;" + trusted_path_sql("", "true");
  const Result path = first_answer(handle_, sql, connect_timeout_, name_);
  if (PQresultStatus(path.get()) != PGRES_TUPLES_OK) throw_error(path.get());
  path_ = read_trusted_path(path.get());
  local_settings_ = settings.local_sql();
  rollback();
}

void PostgresqlConnection::use(PGconn* handle) noexcept {
  handle_ = handle;
  PQsetNoticeReceiver(handle_, drop_notice, nullptr);
  // Verbose messages begin with the SQLSTATE, also where SOCI has freed the result that carried it.
  PQsetErrorVerbosity(handle_, PQERRORS_VERBOSE);
}

void PostgresqlConnection::require_own_session() const {
  if (is_shared()) throw_pooled(name_);
}

void PostgresqlConnection::run(const std::string& sql) {
  const Result result(PQexec(handle_, sql.c_str()));
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) throw_error(result.get());
}

std::string PostgresqlConnection::path_sql(const db::TransactionOptions& options) const {
  constexpr std::string_view set_path = ";SET LOCAL search_path=";
  if (options.reads_catalogue) return fmt::format("{}pg_catalog,pg_temp", set_path);
  // A session of its own has its path already, unless it is one that only definitions may be read with.
  if (!is_shared() && path_.current.is_trusted()) return {};
  // A list of names, of which each is quoted where it has to be.
  return fmt::format("{}{}", set_path, path_.text.empty() ? "''" : path_.text);
}

void PostgresqlConnection::begin(db::Access access, const db::TransactionOptions& options) {
  const bool is_of_server =
      options.reads_catalogue || (options.reads_definitions && access == db::Access::read);
  if (!is_of_server) require_trusted_schema();
  std::string sql = "BEGIN";
  if (access == db::Access::read) {
    sql += " ISOLATION LEVEL REPEATABLE READ READ ONLY";
  } else if (is_shared()) {
    // A session of its own has this as its default.
    sql += is_read_only_ ? " ISOLATION LEVEL READ COMMITTED READ ONLY" : " ISOLATION LEVEL READ COMMITTED";
  }
  sql += local_settings_;
  const auto set_local = [&](const char* setting, const std::optional<std::chrono::milliseconds>& value) {
    if (value) sql += std::string(";SET LOCAL ") + setting + "=" + std::to_string(value->count());
  };
  set_local("lock_timeout", options.lock_timeout);
  set_local("statement_timeout", options.statement_timeout);
  // Explicitly, also where there is none: the session may hold a value that somebody set for more than a
  // transaction.
  sql += ";SET LOCAL nerve.tenant='" + options.tenant.text() + "'";
  sql += path_sql(options);
  if (is_shared()) {
    begin_shared(sql);
  } else {
    run(sql);
  }
}

void PostgresqlConnection::begin_shared(const std::string& sql) {
  Result begun;
  try {
    begun = first_answer(handle_, sql, connect_timeout_, name_);
  } catch (...) {
    // The answer may come yet, to whoever would ask next.
    handle_ = nullptr;
    shared_handle_.reset();
    throw;
  }
  if (PQresultStatus(begun.get()) != PGRES_COMMAND_OK) throw_error(begun.get());
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
  if (is_shared()) return std::make_unique<SharedStatement>(*this, statement);
  return std::make_unique<PostgresqlStatement>(*this, statement);
}

void PostgresqlConnection::execute_script(std::string_view sql) {
  require_no_transaction_control(sql);
  run_script(sql);
}

void PostgresqlConnection::execute_alone(std::string_view sql, std::chrono::milliseconds lock_timeout) {
  require_own_session();
  require_trusted_schema();
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
