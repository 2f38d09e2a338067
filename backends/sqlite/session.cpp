// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/session.h"

#include "sqlite/remedies.h"

#include "nerve/backends/sqlite/errors.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstring>
#include <exception>
#include <span>
#include <string_view>
#include <utility>

namespace nerve::sqlite {

namespace {

/// Virtual machine steps between two looks at the interrupt flag: a few milliseconds at most.
constexpr int steps_between_ticks = 5'000;

/// What the mode asked for comes to, given the file.
struct Opening {
  OpenMode mode;
  int flags;
  bool is_query_only;
};

bool may_write(const std::filesystem::path& path) noexcept {
  return ::access(path.c_str(), W_OK) == 0;
}

Opening plan_opening(const FileFacts& facts, OpenMode wanted) {
  if (wanted == OpenMode::read_write) return {wanted, SQLITE_OPEN_READWRITE, false};
  const bool needs_companions = facts.header && facts.header->is_wal && !facts.wal_bytes;
  if (wanted == OpenMode::read_only && needs_companions) {
    if (may_write(facts.path) && may_write(facts.path.parent_path()))
      return {wanted, SQLITE_OPEN_READWRITE, true};
    return {OpenMode::immutable, SQLITE_OPEN_READONLY, true};
  }
  return {wanted, SQLITE_OPEN_READONLY, true};
}

/// The extended code; SQLiteCpp leaves it out of some errors.
int code_of(const SQLite::Exception& error) noexcept {
  return error.getExtendedErrorCode() > 0 ? error.getExtendedErrorCode() : error.getErrorCode();
}

/// Whether SQLite objects to the text of a statement, not to the state of the database.
bool is_about_statement(const SQLite::Exception& error) noexcept {
  return (code_of(error) & 0xff) == SQLITE_ERROR;
}

StorageClass to_storage_class(int type) noexcept {
  switch (type) {
    case SQLITE_INTEGER:
      return StorageClass::integer;
    case SQLITE_FLOAT:
      return StorageClass::real;
    case SQLITE_TEXT:
      return StorageClass::text;
    case SQLITE_BLOB:
      return StorageClass::blob;
    default:
      return StorageClass::null;
  }
}

/// What a conversion gave, whose size is to be asked for after it; empty where it gave nothing.
std::string_view octets_of(const void* octets, ::sqlite3_value* value) noexcept {
  if (octets == nullptr) return {};
  return {static_cast<const char*>(octets), static_cast<std::size_t>(::sqlite3_value_bytes(value))};
}

struct StatementDeleter {
  void operator()(::sqlite3_stmt* statement) const noexcept { ::sqlite3_finalize(statement); }
};
using NativeStatement = std::unique_ptr<::sqlite3_stmt, StatementDeleter>;

struct SnapshotEnd {
  SQLite::Database& database;
  ~SnapshotEnd() { database.tryExec("ROLLBACK"); }
};

constexpr bool is_unreserved(unsigned char character) noexcept {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '/' || character == '-' || character == '.' ||
         character == '_' || character == '~';
}

}  // namespace

struct Session::Connection {
  Connection(FileFacts found, const Opening& opening, const std::string& vfs)
      : facts(std::move(found)),
        mode(opening.mode),
        database(to_uri(facts.path, mode == OpenMode::immutable ? "immutable=1" : ""),
                 // One thread at a time uses it, and the mutex of each call would cost as much as the call.
                 opening.flags | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX, 0, vfs) {}

  FileFacts facts;
  OpenMode mode;
  SQLite::Database database;
  Tick tick;
  std::exception_ptr stopped_by;  ///< what a tick threw, kept while SQLite unwinds

  /// SQLite's progress handler: C code, so nothing may be thrown through it.
  static int on_progress(void* context) noexcept {
    auto& connection = *static_cast<Connection*>(context);
    try {
      throw_if_interrupted();
      if (connection.tick) connection.tick();
      return 0;
    } catch (...) {
      connection.stopped_by = std::current_exception();
      return 1;
    }
  }

  [[noreturn]] void fail(const SQLite::Exception& error, const std::string& what) {
    if (stopped_by) std::rethrow_exception(std::exchange(stopped_by, nullptr));
    throw_sqlite_error(code_of(error), what, facts.path, HolderHint::included);
  }

  [[noreturn]] void fail(const std::string& what) {
    fail(SQLite::Exception(database.getHandle(), ::sqlite3_extended_errcode(database.getHandle())), what);
  }

  /// Only the first statement of `sql` counts.
  NativeStatement prepare(const std::string& sql) {
    ::sqlite3_stmt* prepared = nullptr;
    const int code = ::sqlite3_prepare_v2(database.getHandle(), sql.data(), static_cast<int>(sql.size()),
                                          &prepared, nullptr);
    if (code == SQLITE_OK) return NativeStatement(prepared);
    const SQLite::Exception error(database.getHandle(), code);
    if (!is_about_statement(error)) fail(error, "cannot read the schema of");
    // SQLite has no code of its own for a schema format over 4.
    if (std::string_view(error.what()) == "unsupported file format") {
      throw IntegrityError(facts.path.string() + " has a schema format that SQLite does not know",
                           restore_hint(facts.path));
    }
    // Nothing is bound yet, so SQLite's own words can name tables and columns but quote no value.
    throw DatabaseError(ErrorKind::failure,
                        "cannot prepare a statement on " + facts.path.string() + ": " + error.what(), {},
                        std::string(code_name(code_of(error))));
  }
};

Session::Session(const std::filesystem::path& path, const SessionOptions& options) {
  FileFacts facts = read_file_facts(path);
  require_database(facts);
  const Opening opening = plan_opening(facts, options.mode);
  try {
    connection_ = std::make_unique<Connection>(facts, opening, options.vfs);
    SQLite::Database& database = connection_->database;
    database.setBusyTimeout(options.busy_timeout_ms);
    ::sqlite3_db_config(handle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    ::sqlite3_progress_handler(handle(), steps_between_ticks, &Connection::on_progress, connection_.get());
    // trusted_schema stays on: without it this version of SQLite calls a schema malformed that has
    // json_valid() in a CHECK, and NERVE registers no function that a hostile schema could misuse.
    database.exec("PRAGMA cell_size_check=ON");
    if (opening.is_query_only) database.exec("PRAGMA query_only=ON");
  } catch (const SQLite::Exception& error) {
    throw_sqlite_error(code_of(error), "cannot open", facts.path, HolderHint::included);
  }
}

Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

const FileFacts& Session::facts() const noexcept {
  return connection_->facts;
}

OpenMode Session::mode() const noexcept {
  return connection_->mode;
}

void Session::execute(const std::string& sql) {
  try {
    connection_->database.exec(sql);
  } catch (const SQLite::Exception& error) {
    connection_->fail(error, "cannot execute a statement on");
  }
}

void Session::each(const std::string& sql, const OnRow& on_row) {
  each(sql, {}, on_row);
}

void Session::each(const std::string& sql, std::span<const std::int64_t> parameters, const OnRow& on_row) {
  const NativeStatement statement = connection_->prepare(sql);
  int place = 0;
  for (const std::int64_t parameter : parameters) {
    if (::sqlite3_bind_int64(statement.get(), ++place, parameter) != SQLITE_OK) {
      throw DatabaseError(ErrorKind::failure,
                          "a statement on " + path().string() + " takes fewer parameters");
    }
  }
  const Row row(statement.get());
  int code = SQLITE_OK;
  while ((code = ::sqlite3_step(statement.get())) == SQLITE_ROW) on_row(row);
  if (code != SQLITE_DONE) connection_->fail("cannot read");
}

std::int64_t Session::integer(const std::string& sql) {
  std::optional<std::int64_t> value;
  each(sql, [&](const Row& row) { value = row.integer(0); });
  if (!value) throw NotFoundError("the query on " + path().string() + " gave no row");
  return *value;
}

std::string Session::text(const std::string& sql) {
  std::optional<std::string> value;
  each(sql, [&](const Row& row) { value = std::string(row.text(0)); });
  if (!value) throw NotFoundError("the query on " + path().string() + " gave no row");
  return *value;
}

std::optional<std::string> Session::prepare_error(const std::string& sql) {
  try {
    const SQLite::Statement statement(connection_->database, sql);
    return std::nullopt;
  } catch (const SQLite::Exception& error) {
    if (!is_about_statement(error)) connection_->fail(error, "cannot read the schema of");
    return error.what();
  }
}

void Session::read_snapshot(const std::function<void()>& work) {
  if (::sqlite3_get_autocommit(handle()) == 0) return work();
  // Ended by ROLLBACK in any case: there is nothing to keep, and COMMIT fails once damage was met.
  const SnapshotEnd end{connection_->database};
  execute("BEGIN");
  // BEGIN alone takes no lock; the first read pins the state.
  integer("SELECT count(*) FROM sqlite_schema");
  work();
}

void Session::require_unchanged() const {
  if (mode() != OpenMode::immutable) return;
  const FileFacts& before = facts();
  const FileFacts now = read_file_facts(path());
  if (now.inode == before.inode && now.size_bytes == before.size_bytes &&
      now.modified_ns == before.modified_ns && now.wal_bytes.value_or(0) == before.wal_bytes.value_or(0)) {
    return;
  }
  throw ConflictError(path().string() + " was written while it was read without locks",
                      "Try again, as a user who may write the folder, so that SQLite's locks can be used.");
}

void Session::on_tick(Tick tick) {
  connection_->tick = std::move(tick);
}

::sqlite3* Session::handle() noexcept {
  return connection_->database.getHandle();
}

std::string to_uri(const std::filesystem::path& path, std::string_view query) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char character : std::filesystem::absolute(path).string()) {
    const auto byte = static_cast<unsigned char>(character);
    if (is_unreserved(byte)) {
      uri += character;
    } else {
      uri += '%';
      uri += digits[byte >> 4];
      uri += digits[byte & 0x0f];
    }
  }
  if (!query.empty()) uri.append("?").append(query);
  return uri;
}

int Row::column_count() const {
  return ::sqlite3_column_count(statement_);
}

Value Row::value(int column) const {
  // SQLite calls this value unprotected, because another thread may change it; no other has this connection.
  ::sqlite3_value* const found = ::sqlite3_column_value(statement_, column);
  Value value{.storage_class = to_storage_class(::sqlite3_value_type(found))};
  switch (value.storage_class) {
    case StorageClass::null:
      break;
    case StorageClass::integer:
      value.integer = ::sqlite3_value_int64(found);
      break;
    case StorageClass::real:
      value.real = ::sqlite3_value_double(found);
      break;
    case StorageClass::text:
      value.octets = octets_of(::sqlite3_value_text(found), found);
      break;
    case StorageClass::blob:
      value.octets = octets_of(::sqlite3_value_blob(found), found);
      break;
  }
  return value;
}

StorageClass Row::storage_class(int column) const {
  return to_storage_class(::sqlite3_column_type(statement_, column));
}

std::int64_t Row::integer(int column) const {
  return ::sqlite3_column_int64(statement_, column);
}

double Row::real(int column) const {
  return ::sqlite3_column_double(statement_, column);
}

std::string_view Row::text(int column) const {
  // The conversion comes first, because it may change the number of bytes.
  const unsigned char* characters = ::sqlite3_column_text(statement_, column);
  if (characters == nullptr) return {};
  return {reinterpret_cast<const char*>(characters),
          static_cast<std::size_t>(::sqlite3_column_bytes(statement_, column))};
}

ByteView Row::blob(int column) const {
  const void* bytes = ::sqlite3_column_blob(statement_, column);
  if (bytes == nullptr) return {};
  return {static_cast<const std::byte*>(bytes),
          static_cast<std::size_t>(::sqlite3_column_bytes(statement_, column))};
}

}  // namespace nerve::sqlite
