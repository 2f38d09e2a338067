// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/postgresql/session.h"

#include "postgresql/errors.h"
#include "postgresql/first_answer.h"
#include "postgresql/result.h"
#include "postgresql/schema_trust.h"
#include "postgresql/session_settings.h"
#include "postgresql/url.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <libpq-fe.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <vector>

namespace nerve::postgresql {
namespace {

using backends::Result;

constexpr int wait_ms = 100;

/// Notices can quote values; what they warn of is told by errors.
void drop_notice(void* /*context*/, const PGresult* /*result*/) {}

bool is_success(ExecStatusType status) {
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

bool is_copy(ExecStatusType status) {
  return status == PGRES_COPY_IN || status == PGRES_COPY_OUT;
}

std::int64_t affected_rows(PGresult* result) {
  const std::string_view text = PQcmdTuples(result);
  std::int64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

std::string in_quotes(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == quote) quoted += quote;
    quoted += c;
  }
  return quoted + quote;
}

class ResultRow final : public Row {
 public:
  ResultRow(const PGresult* result, int row) : result_(result), row_(row) {}

  int column_count() const override { return PQnfields(result_); }
  std::optional<std::string_view> text(int column) const override {
    if (PQgetisnull(result_, row_, column) != 0) return std::nullopt;
    return std::string_view(PQgetvalue(result_, row_, column),
                            static_cast<std::size_t>(PQgetlength(result_, row_, column)));
  }

 private:
  const PGresult* result_;
  int row_;
};

}  // namespace

std::string quote_identifier(std::string_view name) {
  if (name.empty() || name.find('\0') != std::string_view::npos) {
    throw ValidationError("a name that is empty or holds a NUL cannot be one of PostgreSQL's");
  }
  return in_quotes(name, '"');
}

std::string quote_literal(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    throw ValidationError("a text holds a NUL, which PostgreSQL cannot store as text");
  }
  // The session says standard_conforming_strings=on, so that a backslash is no more than one.
  return in_quotes(text, '\'');
}

struct Session::Connection {
  Connection(std::string_view text, const OpenOptions& options);

  [[noreturn]] void fail(const PGresult* result, bool has_values) {
    backends::throw_postgresql_error(handle.get(), result, name, !has_values);
  }
  void send(const std::string& sql, std::span<const Parameter> parameters);
  /// Waits until the socket can be read, or written as well; cancels the statement when the user interrupts.
  void wait(bool is_sending);
  void flush();
  Result next_result();
  /// The last result of what was sent; the first one that failed is thrown.
  Result finish(bool has_values);
  void cancel() noexcept;

  struct Deleter {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
  };

  std::string name;
  std::unique_ptr<PGconn, Deleter> handle;
  bool is_cancelled = false;
};

Session::Connection::Connection(std::string_view text, const OpenOptions& options) {
  const backends::PostgresqlUrl url = backends::parse_postgresql_url(text);
  const backends::SessionSettings settings(options);
  name = url.display_name();
  handle.reset(PQconnectdb(url.conninfo(options, settings.startup_options()).c_str()));
  if (PQstatus(handle.get()) != CONNECTION_OK) {
    const std::string reason = PQerrorMessage(handle.get());
    if (backends::is_refusal_of_options(reason)) backends::throw_pooled(name);
    // It expects a line of the caller's above libpq's text.
    backends::throw_connect_error("\n" + reason, name);
  }
  PQsetNoticeReceiver(handle.get(), drop_notice, nullptr);
  PQsetErrorVerbosity(handle.get(), PQERRORS_VERBOSE);
  PQsetnonblocking(handle.get(), 1);
  const Result claim =
      backends::first_answer(handle.get(), settings.claim_sql(), url.connect_timeout(options), name);
  if (PQresultStatus(claim.get()) != PGRES_TUPLES_OK) fail(claim.get(), false);
  if (PQntuples(claim.get()) != 1) backends::throw_pooled(name);
  backends::read_trusted_path(claim.get()).current.require(name);
}

void Session::Connection::send(const std::string& sql, std::span<const Parameter> parameters) {
  if (sql.find('\0') != std::string::npos) throw ValidationError("a statement holds a NUL");
  is_cancelled = false;
  int is_sent = 0;
  if (parameters.empty()) {
    is_sent = PQsendQuery(handle.get(), sql.c_str());
  } else {
    std::vector<const char*> values;
    for (const Parameter& parameter : parameters) {
      if (parameter && parameter->find('\0') != std::string::npos)
        throw ValidationError("a value holds a NUL, which PostgreSQL cannot store as text");
      values.push_back(parameter ? parameter->c_str() : nullptr);
    }
    is_sent = PQsendQueryParams(handle.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                                values.data(), nullptr, nullptr, 0);
  }
  if (is_sent != 1) fail(nullptr, true);
  flush();
}

void Session::Connection::cancel() noexcept {
  is_cancelled = true;
  PGcancel* request = PQgetCancel(handle.get());
  if (request == nullptr) return;
  std::array<char, 256> error{};
  // Where it does not get through, the statement goes on to its end, which is waited for.
  PQcancel(request, error.data(), static_cast<int>(error.size()));
  PQfreeCancel(request);
}

void Session::Connection::wait(bool is_sending) {
  if (interrupted() && !is_cancelled) cancel();
  pollfd socket{.fd = PQsocket(handle.get()),
                .events = static_cast<short>(is_sending ? POLLIN | POLLOUT : POLLIN),
                .revents = 0};
  const int ready = ::poll(&socket, 1, wait_ms);
  if (ready < 0 && errno != EINTR) fail(nullptr, true);
  if (ready > 0 && (socket.revents & ~POLLOUT) != 0 && PQconsumeInput(handle.get()) != 1) fail(nullptr, true);
}

void Session::Connection::flush() {
  for (;;) {
    const int left = PQflush(handle.get());
    if (left == 0) return;
    if (left < 0) fail(nullptr, true);
    wait(true);
  }
}

Result Session::Connection::next_result() {
  while (PQisBusy(handle.get()) == 1) wait(false);
  return Result(PQgetResult(handle.get()));
}

Result Session::Connection::finish(bool has_values) {
  Result last;
  Result failed;
  for (;;) {
    Result result = next_result();
    if (!result) break;
    const ExecStatusType status = PQresultStatus(result.get());
    if (is_copy(status)) return result;
    if (!is_success(status) && !failed) {
      failed = std::move(result);
      // Of a connection that is lost there is always one more.
      if (PQstatus(handle.get()) != CONNECTION_OK) break;
      continue;
    }
    last = std::move(result);
  }
  if (failed && is_cancelled) throw_if_interrupted();
  if (failed) fail(failed.get(), has_values);
  if (!last) fail(nullptr, has_values);
  return last;
}

Session::Session(std::string_view url, const OpenOptions& options)
    : connection_(std::make_unique<Connection>(url, options)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

const std::string& Session::name() const noexcept {
  return connection_->name;
}

int Session::server_version() const noexcept {
  return PQserverVersion(connection_->handle.get());
}

void Session::require_trusted_schema(std::string_view schema) {
  connection_->send(backends::schema_trust_sql(quote_literal(schema)), {});
  const Result trust = connection_->finish(false);
  backends::read_schema_trust(trust.get()).require(connection_->name);
}

void Session::execute(const std::string& sql) {
  connection_->send(sql, {});
  connection_->finish(false);
}

void Session::each(const std::string& sql, std::span<const Parameter> parameters, const OnRow& on_row) {
  connection_->send(sql, parameters);
  const Result result = connection_->finish(!parameters.empty());
  for (int row = 0; row < PQntuples(result.get()); ++row) on_row(ResultRow(result.get(), row));
}

std::optional<std::string> Session::text(const std::string& sql, std::span<const Parameter> parameters) {
  std::optional<std::string> found;
  bool is_first = true;
  each(sql, parameters, [&](const Row& row) {
    if (is_first) {
      if (const auto value = row.text(0)) found = std::string(*value);
    }
    is_first = false;
  });
  return found;
}

std::int64_t Session::change(const std::string& sql, std::span<const Parameter> parameters) {
  connection_->send(sql, parameters);
  const Result result = connection_->finish(!parameters.empty());
  return affected_rows(result.get());
}

void Session::transaction(const std::function<void()>& work) {
  execute("BEGIN");
  try {
    work();
  } catch (...) {
    if (PQstatus(connection_->handle.get()) == CONNECTION_OK) {
      abort_copy();
      try {
        execute("ROLLBACK");
      } catch (const Error&) {
        // What failed first is what is told; without its connection the transaction ends by itself.
      }
    }
    throw;
  }
  if (PQtransactionStatus(connection_->handle.get()) == PQTRANS_INERROR) {
    execute("ROLLBACK");
    throw TransactionError(TransactionError::Outcome::rolled_back,
                           "the transaction had failed before COMMIT");
  }
  try {
    execute("COMMIT");
  } catch (const ConnectionError& error) {
    throw TransactionError(TransactionError::Outcome::unknown,
                           "the connection to " + connection_->name +
                               " was lost during COMMIT: whether it took place is not known",
                           error.hint(), "08007");
  }
}

void Session::begin_copy(const std::string& sql) {
  connection_->send(sql, {});
  const Result result = connection_->finish(false);
  if (PQresultStatus(result.get()) != PGRES_COPY_IN)
    throw UnsupportedError("a statement was to be COPY … FROM STDIN");
}

void Session::copy(ByteView bytes) {
  PGconn* handle = connection_->handle.get();
  if (PQputCopyData(handle, reinterpret_cast<const char*>(bytes.data()), static_cast<int>(bytes.size())) != 1)
    connection_->fail(nullptr, true);
  connection_->flush();
  if (interrupted()) {
    abort_copy();
    throw_if_interrupted();
  }
}

std::int64_t Session::end_copy() {
  if (PQputCopyEnd(connection_->handle.get(), nullptr) != 1) connection_->fail(nullptr, true);
  connection_->flush();
  const Result result = connection_->finish(true);
  return affected_rows(result.get());
}

void Session::abort_copy() noexcept {
  PGconn* handle = connection_->handle.get();
  if (PQstatus(handle) != CONNECTION_OK || PQtransactionStatus(handle) != PQTRANS_ACTIVE) return;
  try {
    if (PQputCopyEnd(handle, "given up") == 1) connection_->flush();
    while (const Result result = connection_->next_result()) {
      if (PQresultStatus(result.get()) == PGRES_COPY_OUT) connection_->cancel();
    }
  } catch (const std::exception&) {
    // The connection is lost, and the COPY with it.
  }
}

void Session::copy_out(const std::string& sql, const std::function<void(ByteView)>& on_piece) {
  connection_->send(sql, {});
  {
    const Result result = connection_->finish(false);
    if (PQresultStatus(result.get()) != PGRES_COPY_OUT)
      throw UnsupportedError("a statement was to be COPY … TO STDOUT");
  }
  struct PieceDeleter {
    void operator()(char* piece) const noexcept { PQfreemem(piece); }
  };
  for (;;) {
    char* bytes = nullptr;
    const int size = PQgetCopyData(connection_->handle.get(), &bytes, 1);
    if (size == 0) {
      connection_->wait(false);
      continue;
    }
    if (size < 0) break;
    const std::unique_ptr<char, PieceDeleter> piece(bytes);
    on_piece({reinterpret_cast<const std::byte*>(bytes), static_cast<std::size_t>(size)});
  }
  connection_->finish(true);
}

}  // namespace nerve::postgresql
