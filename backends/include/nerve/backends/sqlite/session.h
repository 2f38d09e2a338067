// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/file.h"
#include "nerve/core/bytes.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace nerve::sqlite {

/// How a database file is opened. None of them ever creates a file that is not there.
enum class OpenMode : std::uint8_t {
  read_only,   ///< reads with SQLite's locks; sees what others commit
  immutable,   ///< reads without locks and leaves no companion files: only for a file that nobody writes
  read_write,  ///< writes, and rolls back what a dead process left
};

/// Called while SQLite works: see Session::on_tick.
using Tick = std::function<void()>;

struct SessionOptions {
  static constexpr int busy_timeout_ms_default = 5'000;

  OpenMode mode = OpenMode::read_only;
  int busy_timeout_ms = busy_timeout_ms_default;
  std::string vfs = {};  ///< the registered name of SQLite's file layer; empty for its default
};

/// How SQLite stores one value of a row.
enum class StorageClass : std::uint8_t { null, integer, real, text, blob };

/// One value of a row, asked of SQLite at once.
struct Value {
  StorageClass storage_class = StorageClass::null;
  std::int64_t integer = 0;
  double real = 0;
  /// Of text, as UTF-8 whatever the encoding of the file, or of a blob; valid until the next call for the
  /// column.
  std::string_view octets = {};
};

/// The present row of a query; valid inside the function it is handed to.
class Row {
 public:
  explicit Row(::sqlite3_stmt* statement) noexcept : statement_(statement) {}

  int column_count() const;
  /// Storage class and value; faster than to ask for one and then the other.
  Value value(int column) const;
  StorageClass storage_class(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  /// Text as UTF-8, whatever the encoding of the file; it may hold NUL. Valid until the next call for this
  /// column.
  std::string_view text(int column) const;
  ByteView blob(int column) const;
  bool is_null(int column) const { return storage_class(column) == StorageClass::null; }

 private:
  ::sqlite3_stmt* statement_;
};

/// A native connection to one database file, for work on the file as a whole.
///
/// It is opened with extended result codes, defensive mode, and `cell_size_check=ON`, so
/// that a hostile or damaged file does as little as it can; readers get `query_only=ON` too. Every statement
/// can be ended by the user: while SQLite works, the interrupt flag of nerve/core/progress.h is looked at,
/// and CancelledError is thrown. All errors are those of nerve/core/error.h. Used by one thread at a time.
class Session {
 public:
  /// Opens the file; the schema is read with the first statement. Throws what require_database() throws, and
  /// what throw_sqlite_error() makes of a failed open.
  ///
  /// A database in WAL mode needs a -wal and a -shm beside it, also for reading. In mode read_only, where a
  /// -wal is there, it is read through that, and the companions stay. Where none is there and file and folder
  /// may be written, SQLite makes both and removes them when the session ends; for that the file is opened
  /// for writing, with `query_only=ON`, since a reader would leave them behind. Elsewhere the file is opened
  /// as immutable, as SQLite could not open it at all otherwise: all that is committed is then in the file
  /// itself, but somebody with more rights may begin to write it, so ask require_unchanged() when done.
  explicit Session(const std::filesystem::path& path, const SessionOptions& options = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// The facts of the file as they were before it was opened.
  const FileFacts& facts() const noexcept;
  const std::filesystem::path& path() const noexcept { return facts().path; }
  /// How it was opened in the end.
  OpenMode mode() const noexcept;

  /// Runs a script that returns no rows (rows are thrown away).
  void execute(const std::string& sql);
  using OnRow = std::function<void(const Row&)>;

  /// Calls `on_row` for each row of one statement. Another statement may run inside `on_row`.
  void each(const std::string& sql, const OnRow& on_row);
  /// The same with values for the statement's parameters, in the order of their numbers.
  void each(const std::string& sql, std::span<const std::int64_t> parameters, const OnRow& on_row);
  /// The first column of the only row; throws NotFoundError when there is no row.
  std::int64_t integer(const std::string& sql);
  std::string text(const std::string& sql);
  /// What is wrong with a statement in SQLite's words ("no such column: c.id"); nothing when it fits the
  /// schema. Only the statement is judged: damage, locks and the like are thrown as elsewhere.
  std::optional<std::string> prepare_error(const std::string& sql);

  /// Runs `work` inside one read transaction, so that all of it sees one state of the database. Inside a
  /// transaction that is open already, it belongs to that one.
  void read_snapshot(const std::function<void()>& work);

  /// Throws ConflictError when the file was opened as immutable and has been written since: what was read
  /// from it may be a mixture. SQLite's locks see to it in the other modes.
  void require_unchanged() const;

  /// Calls `tick` about every few milliseconds while SQLite works. What it throws ends the statement and is
  /// passed on. Not called during the check of a b-tree, which SQLite 3.40 does in one go; an interrupt ends
  /// it all the same.
  void on_tick(Tick tick);

  /// The connection, for what has no function here (the backup API). Errors of such calls go to
  /// throw_sqlite_error().
  ::sqlite3* handle() noexcept;

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

/// `file:` URI of a path with every special character encoded, and `query` (such as "immutable=1") added.
std::string to_uri(const std::filesystem::path& path, std::string_view query = {});

}  // namespace nerve::sqlite
