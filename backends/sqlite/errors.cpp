// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/errors.h"

#include "sqlite/remedies.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/core/error.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace nerve::sqlite {

namespace {

using NamedCode = std::pair<int, std::string_view>;

#define NERVE_NAMED(code) NamedCode(code, #code)
constexpr std::array named_codes = {
    NERVE_NAMED(SQLITE_OK),
    NERVE_NAMED(SQLITE_ERROR),
    NERVE_NAMED(SQLITE_INTERNAL),
    NERVE_NAMED(SQLITE_PERM),
    NERVE_NAMED(SQLITE_ABORT),
    NERVE_NAMED(SQLITE_BUSY),
    NERVE_NAMED(SQLITE_LOCKED),
    NERVE_NAMED(SQLITE_NOMEM),
    NERVE_NAMED(SQLITE_READONLY),
    NERVE_NAMED(SQLITE_INTERRUPT),
    NERVE_NAMED(SQLITE_IOERR),
    NERVE_NAMED(SQLITE_CORRUPT),
    NERVE_NAMED(SQLITE_NOTFOUND),
    NERVE_NAMED(SQLITE_FULL),
    NERVE_NAMED(SQLITE_CANTOPEN),
    NERVE_NAMED(SQLITE_PROTOCOL),
    NERVE_NAMED(SQLITE_EMPTY),
    NERVE_NAMED(SQLITE_SCHEMA),
    NERVE_NAMED(SQLITE_TOOBIG),
    NERVE_NAMED(SQLITE_CONSTRAINT),
    NERVE_NAMED(SQLITE_MISMATCH),
    NERVE_NAMED(SQLITE_MISUSE),
    NERVE_NAMED(SQLITE_NOLFS),
    NERVE_NAMED(SQLITE_AUTH),
    NERVE_NAMED(SQLITE_FORMAT),
    NERVE_NAMED(SQLITE_RANGE),
    NERVE_NAMED(SQLITE_NOTADB),
    NERVE_NAMED(SQLITE_NOTICE),
    NERVE_NAMED(SQLITE_WARNING),
    NERVE_NAMED(SQLITE_ROW),
    NERVE_NAMED(SQLITE_DONE),
    NERVE_NAMED(SQLITE_ERROR_MISSING_COLLSEQ),
    NERVE_NAMED(SQLITE_ERROR_RETRY),
    NERVE_NAMED(SQLITE_ERROR_SNAPSHOT),
    NERVE_NAMED(SQLITE_IOERR_READ),
    NERVE_NAMED(SQLITE_IOERR_SHORT_READ),
    NERVE_NAMED(SQLITE_IOERR_WRITE),
    NERVE_NAMED(SQLITE_IOERR_FSYNC),
    NERVE_NAMED(SQLITE_IOERR_DIR_FSYNC),
    NERVE_NAMED(SQLITE_IOERR_TRUNCATE),
    NERVE_NAMED(SQLITE_IOERR_FSTAT),
    NERVE_NAMED(SQLITE_IOERR_UNLOCK),
    NERVE_NAMED(SQLITE_IOERR_RDLOCK),
    NERVE_NAMED(SQLITE_IOERR_DELETE),
    NERVE_NAMED(SQLITE_IOERR_BLOCKED),
    NERVE_NAMED(SQLITE_IOERR_NOMEM),
    NERVE_NAMED(SQLITE_IOERR_ACCESS),
    NERVE_NAMED(SQLITE_IOERR_CHECKRESERVEDLOCK),
    NERVE_NAMED(SQLITE_IOERR_LOCK),
    NERVE_NAMED(SQLITE_IOERR_CLOSE),
    NERVE_NAMED(SQLITE_IOERR_DIR_CLOSE),
    NERVE_NAMED(SQLITE_IOERR_SHMOPEN),
    NERVE_NAMED(SQLITE_IOERR_SHMSIZE),
    NERVE_NAMED(SQLITE_IOERR_SHMLOCK),
    NERVE_NAMED(SQLITE_IOERR_SHMMAP),
    NERVE_NAMED(SQLITE_IOERR_SEEK),
    NERVE_NAMED(SQLITE_IOERR_DELETE_NOENT),
    NERVE_NAMED(SQLITE_IOERR_MMAP),
    NERVE_NAMED(SQLITE_IOERR_GETTEMPPATH),
    NERVE_NAMED(SQLITE_IOERR_CONVPATH),
    NERVE_NAMED(SQLITE_IOERR_VNODE),
    NERVE_NAMED(SQLITE_IOERR_AUTH),
    NERVE_NAMED(SQLITE_IOERR_BEGIN_ATOMIC),
    NERVE_NAMED(SQLITE_IOERR_COMMIT_ATOMIC),
    NERVE_NAMED(SQLITE_IOERR_ROLLBACK_ATOMIC),
    NERVE_NAMED(SQLITE_IOERR_DATA),
    NERVE_NAMED(SQLITE_IOERR_CORRUPTFS),
    NERVE_NAMED(SQLITE_LOCKED_SHAREDCACHE),
    NERVE_NAMED(SQLITE_LOCKED_VTAB),
    NERVE_NAMED(SQLITE_BUSY_RECOVERY),
    NERVE_NAMED(SQLITE_BUSY_SNAPSHOT),
    NERVE_NAMED(SQLITE_BUSY_TIMEOUT),
    NERVE_NAMED(SQLITE_CANTOPEN_NOTEMPDIR),
    NERVE_NAMED(SQLITE_CANTOPEN_ISDIR),
    NERVE_NAMED(SQLITE_CANTOPEN_FULLPATH),
    NERVE_NAMED(SQLITE_CANTOPEN_CONVPATH),
    NERVE_NAMED(SQLITE_CANTOPEN_DIRTYWAL),
    NERVE_NAMED(SQLITE_CANTOPEN_SYMLINK),
    NERVE_NAMED(SQLITE_CORRUPT_VTAB),
    NERVE_NAMED(SQLITE_CORRUPT_SEQUENCE),
    NERVE_NAMED(SQLITE_CORRUPT_INDEX),
    NERVE_NAMED(SQLITE_READONLY_RECOVERY),
    NERVE_NAMED(SQLITE_READONLY_CANTLOCK),
    NERVE_NAMED(SQLITE_READONLY_ROLLBACK),
    NERVE_NAMED(SQLITE_READONLY_DBMOVED),
    NERVE_NAMED(SQLITE_READONLY_CANTINIT),
    NERVE_NAMED(SQLITE_READONLY_DIRECTORY),
    NERVE_NAMED(SQLITE_ABORT_ROLLBACK),
    NERVE_NAMED(SQLITE_CONSTRAINT_CHECK),
    NERVE_NAMED(SQLITE_CONSTRAINT_COMMITHOOK),
    NERVE_NAMED(SQLITE_CONSTRAINT_FOREIGNKEY),
    NERVE_NAMED(SQLITE_CONSTRAINT_FUNCTION),
    NERVE_NAMED(SQLITE_CONSTRAINT_NOTNULL),
    NERVE_NAMED(SQLITE_CONSTRAINT_PRIMARYKEY),
    NERVE_NAMED(SQLITE_CONSTRAINT_TRIGGER),
    NERVE_NAMED(SQLITE_CONSTRAINT_UNIQUE),
    NERVE_NAMED(SQLITE_CONSTRAINT_VTAB),
    NERVE_NAMED(SQLITE_CONSTRAINT_ROWID),
    NERVE_NAMED(SQLITE_CONSTRAINT_PINNED),
    NERVE_NAMED(SQLITE_CONSTRAINT_DATATYPE),
    NERVE_NAMED(SQLITE_NOTICE_RECOVER_WAL),
    NERVE_NAMED(SQLITE_NOTICE_RECOVER_ROLLBACK),
    NERVE_NAMED(SQLITE_WARNING_AUTOINDEX),
    NERVE_NAMED(SQLITE_AUTH_USER),
    NERVE_NAMED(SQLITE_OK_LOAD_PERMANENTLY),
    NERVE_NAMED(SQLITE_OK_SYMLINK),
};
#undef NERVE_NAMED

std::string_view name_in_table(int code) noexcept {
  const auto found = std::ranges::find(named_codes, code, &NamedCode::first);
  return found == named_codes.end() ? std::string_view{} : found->second;
}

constexpr int primary_code(int extended_code) noexcept {
  return extended_code & 0xff;
}

/// SQLite says "attempt to write a readonly database" of a reader that meets what a dead writer left.
std::string_view description_of(int code) noexcept {
  if (code == SQLITE_READONLY_ROLLBACK || code == SQLITE_READONLY_RECOVERY)
    return "a program that wrote to it died, and what it began must be undone first";
  return ::sqlite3_errstr(primary_code(code));
}

std::string message_of(int code, std::string_view what, const std::filesystem::path& path) {
  std::string message(what);
  message += " " + path.string() + ": " + std::string(description_of(code));
  message += " (" + std::string(code_name(code)) + ")";
  return message;
}

[[noreturn]] void throw_busy(const std::string& message, const std::filesystem::path& path, int code,
                             HolderHint hint) {
  std::string advice = "Another connection holds a lock: wait until its work is done, then try again.";
  if (hint == HolderHint::included) {
    const Holders holders = find_holders(path);
    if (!holders.processes.empty()) {
      advice =
          "These have the file open: " + holders.describe() + ". Wait for them or stop them, then try again.";
    }
  }
  throw ConnectionError(message, advice, std::string(code_name(code)));
}

[[noreturn]] void throw_read_only(const std::string& message, const std::filesystem::path& path, int code) {
  switch (code) {
    case SQLITE_READONLY_ROLLBACK:
    case SQLITE_READONLY_RECOVERY:
      throw DeniedError(message, recovery_hint(path));
    case SQLITE_READONLY_CANTINIT:
    case SQLITE_READONLY_DIRECTORY:
      throw DeniedError(message,
                        "SQLite must create files beside the database: let this user write its folder.");
    default:
      throw DeniedError(message,
                        "Let this user write the file and its folder (chmod, chown), or name another file.");
  }
}

[[noreturn]] void throw_cannot_open(const std::string& message, const std::filesystem::path& path) {
  const FileFacts facts = read_file_facts(path);
  require_database(facts);
  if (facts.header && facts.header->is_wal) {
    throw DeniedError(
        message,
        "A database in WAL mode is read through its -wal and -shm: let this user write the folder, or "
        "copy the database together with its -wal to a folder that may be written.");
  }
  throw DeniedError(message, "Let this user read the file and search its folders (chmod, chown).");
}

}  // namespace

std::string_view code_name(int extended_code) noexcept {
  if (const auto name = name_in_table(extended_code); !name.empty()) return name;
  const auto name = name_in_table(primary_code(extended_code));
  return name.empty() ? "SQLITE_UNKNOWN" : name;
}

void throw_sqlite_error(int extended_code, std::string_view what, const std::filesystem::path& path,
                        HolderHint holders) {
  const std::string message = message_of(extended_code, what, path);
  const std::string code(code_name(extended_code));
  if (extended_code == SQLITE_IOERR_CORRUPTFS) {
    throw IntegrityError(
        message, "The file system reports damage: check it, then restore the database from a backup.");
  }
  switch (primary_code(extended_code)) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      throw IntegrityError(message, restore_hint(path));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw_busy(message, path, extended_code, holders);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      throw_read_only(message, path, extended_code);
    case SQLITE_CANTOPEN:
      throw_cannot_open(message, path);
    case SQLITE_FULL:
      throw DatabaseError(ErrorKind::unavailable, "no space left on the device of " + path.string(),
                          "Free some space, then try again: nothing of the last transaction was kept.", code);
    case SQLITE_CONSTRAINT:
      throw DatabaseError(ErrorKind::conflict, message,
                          "Look up which key, foreign key or check of the table the change breaks.", code);
    case SQLITE_INTERRUPT:
      throw CancelledError("interrupted while working on " + path.string());
    case SQLITE_SCHEMA:
    case SQLITE_PROTOCOL:
      throw ConnectionError(message, "Another connection changed the database meanwhile: try again.", code);
    case SQLITE_IOERR:
      throw DatabaseError(ErrorKind::failure, message,
                          "The device may be failing: look into the system's log (dmesg).", code);
    default:
      throw DatabaseError(ErrorKind::failure, message, {}, code);
  }
}

}  // namespace nerve::sqlite
