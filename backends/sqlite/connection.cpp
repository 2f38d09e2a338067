// SPDX-License-Identifier: Apache-2.0
#include "sqlite/connection.h"

#include "sqlite/bulk_writer.h"
#include "sqlite/statement.h"

#include "nerve/backends/sqlite/errors.h"
#include "nerve/core/error.h"
#include "nerve/db/sql_script.h"

#include <array>
#include <cctype>
#include <limits>

namespace nerve::backends {

using namespace sqlite_api;  // NOLINT(google-build-using-namespace): where SOCI's header puts SQLite

namespace {

/// A connect string that SOCI takes apart as one word: the path as a URI with everything unusual
/// percent-encoded.
std::string connect_string(const std::filesystem::path& path, bool read_only) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  if (path == in_memory) return "dbname=\"" + std::string(in_memory) + "\"";
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    const auto octet = static_cast<unsigned char>(c);
    if (std::isalnum(octet) != 0 || c == '/' || c == '.' || c == '-' || c == '_') {
      uri += c;
    } else {
      uri += {'%', digits[octet >> 4U], digits[octet & 15U]};
    }
  }
  return "dbname=\"" + uri + (read_only ? "?mode=ro\" readonly=true" : "?mode=rw\"");
}

/// What the modules of full-text and R-tree tables ask when one is made.
bool is_asked_by_modules(const char* pragma, const char* value) {
  const std::string_view name = pragma == nullptr ? "" : pragma;
  return value == nullptr && (name == "data_version" || name == "page_size");
}

/// ALTER TABLE … ADD COLUMN looks by it whether the rows that are there keep the CHECKs of the new column; it
/// changes nothing, whoever asks.
bool is_asked_by_new_column(const char* pragma) {
  return pragma != nullptr && std::string_view(pragma) == "quick_check";
}

/// Scripts come whole from migrations; a COMMIT inside one would leave half of it applied.
int refuse_control(void* /*context*/, int action, const char* first, const char* second,
                   const char* /*schema*/, const char* /*trigger*/) {
  switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
      return SQLITE_DENY;
    case SQLITE_PRAGMA:
      return is_asked_by_modules(first, second) || is_asked_by_new_column(first) ? SQLITE_OK : SQLITE_DENY;
    default:
      return SQLITE_OK;
  }
}

ErrorKind kind_of_constraint(int code) noexcept {
  switch (code) {
    case SQLITE_CONSTRAINT_NOTNULL:
    case SQLITE_CONSTRAINT_CHECK:
    case SQLITE_CONSTRAINT_DATATYPE:
      return ErrorKind::invalid;
    case SQLITE_CONSTRAINT_TRIGGER:
      return ErrorKind::denied;
    default:
      return ErrorKind::conflict;
  }
}

std::string hint_of_constraint(int code) {
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return "A row with this key exists already: change it, or choose another key.";
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return "Make the row that is referred to first, and remove it last.";
    default:
      return "Give values that the table's rules allow.";
  }
}

}  // namespace

SqliteConnection::SqliteConnection(const std::filesystem::path& path, const OpenOptions& options) try
    : path_(path),
      session_(soci::sqlite3, connect_string(path, options.read_only)),
      handle_(static_cast<soci::sqlite3_session_backend*>(session_.get_backend())->conn_) {
  configure(options);
} catch (const soci::sqlite3_soci_error& error) {
  sqlite::throw_sqlite_error(error.result(), "cannot open", path);
} catch (const soci::soci_error&) {
  sqlite::throw_sqlite_error(SQLITE_CANTOPEN, "cannot open", path);
}

void SqliteConnection::configure(const OpenOptions& options) {
  sqlite3_extended_result_codes(handle_, 1);
  const auto timeout_max = std::numeric_limits<int>::max();
  sqlite3_busy_timeout(handle_,
                       static_cast<int>(std::min<std::int64_t>(options.busy_timeout.count(), timeout_max)));
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // trusted_schema stays on: without it this version of SQLite calls a schema malformed that has json_valid()
  // in a CHECK, and NERVE registers no function that a hostile schema could misuse.
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  run("PRAGMA foreign_keys=ON");
  run("PRAGMA cell_size_check=ON");
  if (options.read_only) {
    run("PRAGMA query_only=ON");
    return;
  }
  if (options.wal) enter_wal_mode();
  run(options.synchronous_full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
}

void SqliteConnection::enter_wal_mode() {
  if (pragma_text("PRAGMA journal_mode") == "wal") return;
  if (pragma_text("PRAGMA journal_mode=WAL") == "wal") return;
  throw ConnectionError("cannot put " + path_.string() + " into WAL mode",
                        "Put the file on a local disk; network file systems have no shared memory.");
}

void SqliteConnection::run(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) throw_error(sqlite3_extended_errcode(handle_));
}

std::string SqliteConnection::pragma_text(const char* sql) {
  std::string text;
  const auto keep = [](void* target, int count, char** values, char** /*names*/) {
    if (count > 0 && values[0] != nullptr) *static_cast<std::string*>(target) = values[0];
    return 0;
  };
  if (sqlite3_exec(handle_, sql, keep, &text, nullptr) != SQLITE_OK)
    throw_error(sqlite3_extended_errcode(handle_));
  return text;
}

void SqliteConnection::begin(db::Access access, const db::TransactionOptions& options) {
  access_ = access;
  if (!options.enforces_foreign_keys) suspend_foreign_keys();
  // A deferred transaction that turns into a writer cannot wait for the lock, so a writer takes it at once.
  try {
    run(access == db::Access::write ? "BEGIN IMMEDIATE" : "BEGIN");
  } catch (...) {
    resume_foreign_keys();
    throw;
  }
}

/// Both settings are read before a transaction and cannot be changed inside one.
void SqliteConnection::suspend_foreign_keys() {
  foreign_keys_suspended_ = true;
  run("PRAGMA foreign_keys=OFF");
  run("PRAGMA legacy_alter_table=ON");
}

/// A connection that cannot be brought back is of no more use: is_usable() says so.
void SqliteConnection::resume_foreign_keys() noexcept {
  if (!foreign_keys_suspended_) return;
  const bool is_back =
      sqlite3_exec(handle_, "PRAGMA legacy_alter_table=OFF", nullptr, nullptr, nullptr) == SQLITE_OK &&
      sqlite3_exec(handle_, "PRAGMA foreign_keys=ON", nullptr, nullptr, nullptr) == SQLITE_OK;
  foreign_keys_suspended_ = !is_back;
}

void SqliteConnection::commit() {
  if (sqlite3_exec(handle_, "COMMIT", nullptr, nullptr, nullptr) == SQLITE_OK) return resume_foreign_keys();
  const int code = sqlite3_extended_errcode(handle_);
  const std::string name(sqlite::code_name(code));
  std::string reason = sqlite3_errstr(code);
  if ((code & 0xff) == SQLITE_CONSTRAINT) reason = sqlite3_errmsg(handle_);
  rollback();
  const bool is_constraint = (code & 0xff) == SQLITE_CONSTRAINT;
  const bool is_full = (code & 0xff) == SQLITE_FULL;
  throw TransactionError(TransactionError::Outcome::rolled_back,
                         "cannot commit to " + path_.string() + ": " + reason,
                         is_constraint ? hint_of_constraint(code)
                         : is_full ? "Free some space, then try again: nothing of the transaction was kept."
                                   : "Try again: nothing of the transaction was kept.",
                         name, is_constraint ? ErrorKind::conflict : ErrorKind::unavailable);
}

void SqliteConnection::rollback() noexcept {
  if (in_transaction()) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  resume_foreign_keys();
}

bool SqliteConnection::in_transaction() noexcept {
  return sqlite3_get_autocommit(handle_) == 0;
}

void SqliteConnection::savepoint(int depth) {
  run("SAVEPOINT nerve_" + std::to_string(depth));
}

void SqliteConnection::release_savepoint(int depth) {
  run("RELEASE nerve_" + std::to_string(depth));
}

void SqliteConnection::rollback_to_savepoint(int depth) {
  run("ROLLBACK TO nerve_" + std::to_string(depth));
}

std::unique_ptr<db::PreparedStatement> SqliteConnection::prepare(const db::StatementText& statement) {
  return std::make_unique<SqliteStatement>(*this, statement);
}

void SqliteConnection::execute_script(std::string_view sql) {
  if (access_ == db::Access::read) throw_error(SQLITE_READONLY);
  run_without_control(sql);
}

void SqliteConnection::execute_alone(std::string_view sql, std::chrono::milliseconds /*lock_timeout*/) {
  // Not by the authorizer: VACUUM attaches a database of its own.
  for (const db::ScriptStatement& statement : db::split_script(sql, db::Dialect::sqlite)) {
    if (db::transaction_control(statement.sql, db::Dialect::sqlite).empty()) continue;
    throw DatabaseError(ErrorKind::denied, "a statement of transaction control, ATTACH, DETACH or PRAGMA",
                        "Remove it.", "SQLITE_AUTH");
  }
  if (sqlite3_exec(handle_, std::string(sql).c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return;
  throw_script_error();
}

void SqliteConnection::run_without_control(std::string_view sql) {
  if (sql.find('\0') != std::string_view::npos) {
    throw ValidationError("a script holds a NUL character", "Remove it; SQLite would not read past it.");
  }
  const std::string text(sql);
  sqlite3_set_authorizer(handle_, refuse_control, nullptr);
  const int result = sqlite3_exec(handle_, text.c_str(), nullptr, nullptr, nullptr);
  sqlite3_set_authorizer(handle_, nullptr, nullptr);
  if (result != SQLITE_OK) throw_script_error();
}

void SqliteConnection::throw_script_error() {
  const int code = sqlite3_extended_errcode(handle_);
  if (code == SQLITE_AUTH) {
    throw DatabaseError(ErrorKind::denied, "a script holds a transaction statement, ATTACH, DETACH or PRAGMA",
                        "Remove it: the script runs inside the transaction that was begun for it.",
                        "SQLITE_AUTH");
  }
  if (code == SQLITE_ERROR || (code & 0xff) == SQLITE_CONSTRAINT) {
    // Nothing is bound in a script, so SQLite's text names the place without giving anything away.
    throw DatabaseError(code == SQLITE_ERROR ? ErrorKind::failure : kind_of_constraint(code),
                        std::string("script failed: ") + sqlite3_errmsg(handle_),
                        "Correct the script; nothing of it stays.", std::string(sqlite::code_name(code)));
  }
  throw_error(code);
}

std::unique_ptr<db::BulkWriter> SqliteConnection::bulk_insert(const db::Identifier& table,
                                                              std::span<const db::Identifier> columns) {
  if (access_ == db::Access::read) throw_error(SQLITE_READONLY);
  return std::make_unique<SqliteBulkWriter>(*this, table, columns);
}

bool SqliteConnection::is_usable() noexcept {
  // A restore replaces the file; a connection to the old one would write into nothing.
  if (foreign_keys_suspended_) return false;
  if (path_ == in_memory) return true;
  int has_moved = 0;
  return sqlite3_file_control(handle_, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved) == SQLITE_OK &&
         has_moved == 0;
}

void SqliteConnection::throw_error(int code, bool preparing) {
  const std::string name(sqlite::code_name(code));
  if (access_ == db::Access::read && (code & 0xff) == SQLITE_READONLY) {
    throw DatabaseError(ErrorKind::denied, "a statement that changes the database inside read()",
                        "Use write() for it.", name);
  }
  // SQLite words these two from names in the schema and in the statement, never from values.
  if ((code & 0xff) == SQLITE_CONSTRAINT) {
    throw DatabaseError(kind_of_constraint(code), sqlite3_errmsg(handle_), hint_of_constraint(code), name);
  }
  if (preparing && (code & 0xff) == SQLITE_ERROR) {
    throw DatabaseError(ErrorKind::failure, std::string("statement refused: ") + sqlite3_errmsg(handle_),
                        "Correct the statement, or migrate the database to the schema it expects.", name);
  }
  sqlite::throw_sqlite_error(code, "cannot execute a statement on", path_);
}

}  // namespace nerve::backends
