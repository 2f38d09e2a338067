// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/open.h"
#include "nerve/core/bytes.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace nerve::postgresql {

/// A name as a statement takes it: in double quotes, quotes doubled. Throws ValidationError for a name that
/// is empty or holds a NUL.
std::string quote_identifier(std::string_view name);

/// Text as a literal of a statement that takes no parameters, such as DDL. Throws ValidationError for text
/// with a NUL.
std::string quote_literal(std::string_view text);

/// A row of a result; valid inside the function it is handed to.
class Row {
 public:
  virtual int column_count() const = 0;
  /// The value as the server writes it as text; absent for NULL.
  virtual std::optional<std::string_view> text(int column) const = 0;

 protected:
  Row() = default;
  Row(const Row&) = default;
  Row& operator=(const Row&) = default;
  ~Row() = default;
};

/// A native connection to a server, for work on whole tables: streams of COPY, statements that take hours.
///
/// It speaks UTF-8, UTC, ISO dates, and bytea in hexadecimal digits; its search_path is that part of the
/// role's in which nobody but the role, superusers and the database's owner can have put anything, then
/// pg_temp. While it waits for the server, the interrupt flag of nerve/core/interrupt.h is looked at: the
/// statement is cancelled on the server then, and CancelledError thrown. All errors are those of
/// nerve/core/error.h; none repeats a value that was sent. A statement of `options.statement_timeout` 0 may
/// take as long as it likes. Used by one thread at a time.
class Session {
 public:
  /// A value that stands for $1, $2 … of a statement; absent for NULL.
  using Parameter = std::optional<std::string>;
  using OnRow = std::function<void(const Row&)>;

  /// Connects at once. Throws ValidationError for a URL that is none, ConnectionError, UnsupportedError
  /// behind a proxy that pools connections, and DeniedError where the schema that is current cannot be
  /// trusted.
  explicit Session(std::string_view url, const OpenOptions& options = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// The URL without what could be secret.
  const std::string& name() const noexcept;
  /// 150014 for 15.14.
  int server_version() const noexcept;

  /// Throws DeniedError where somebody but the role, superusers and the database's owner can have put
  /// something into the schema; not where there is none of that name.
  void require_trusted_schema(std::string_view schema);

  /// Runs one statement or several; rows are thrown away. Several are one transaction, unless they say
  /// otherwise.
  void execute(const std::string& sql);
  /// Runs one statement and calls `on_row` for each row of its result, all of which is in memory meanwhile.
  void each(const std::string& sql, std::span<const Parameter> parameters, const OnRow& on_row);
  /// The first column of the first row; absent where there is no row or it is NULL.
  std::optional<std::string> text(const std::string& sql, std::span<const Parameter> parameters = {});
  /// Rows of what the statement changed.
  std::int64_t change(const std::string& sql, std::span<const Parameter> parameters);

  /// Runs `work` in one transaction, which is rolled back when it throws. Throws TransactionError with the
  /// outcome unknown where the connection is lost while it commits.
  void transaction(const std::function<void()>& work);

  /// Begins `COPY … FROM STDIN`; until end_copy() or abort_copy() nothing else may be run.
  void begin_copy(const std::string& sql);
  /// Sends a piece of what COPY reads. No more than it is kept in memory.
  void copy(ByteView bytes);
  /// The number of rows that were stored.
  std::int64_t end_copy();
  /// Ends it as a failure; for who is about to throw.
  void abort_copy() noexcept;

  /// Runs `COPY … TO STDOUT` and hands on what comes, as the server sends it: a row at a time in the text and
  /// binary formats, the header of the latter with the first.
  void copy_out(const std::string& sql, const std::function<void(ByteView)>& on_piece);

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace nerve::postgresql
