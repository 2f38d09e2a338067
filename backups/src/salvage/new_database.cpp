// SPDX-License-Identifier: Apache-2.0
#include "salvage/new_database.h"

#include "nerve/backends/sqlite/errors.h"
#include "nerve/backends/sqlite/schema.h"
#include "nerve/core/interrupt.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <string_view>

namespace nerve::backups::salvage {
namespace {

constexpr std::uint64_t uncommitted_rows_max = 20'000;
constexpr std::uint64_t uncommitted_bytes_max = std::uint64_t{16} << 20U;

/// What may come of the statement that is being prepared.
struct Permission {
  const SchemaEntry& entry;
  bool has_created = false;
};

bool is_schema_table(const char* name) {
  const std::string_view table = name == nullptr ? std::string_view() : name;
  return table == "sqlite_master" || table == "sqlite_schema";
}

/// Whether an action makes the object of the entry and no other.
bool makes_object(const Permission& permission, int action, std::string_view name) {
  const SchemaEntry& entry = permission.entry;
  const bool is_its_type = (action == SQLITE_CREATE_TABLE && entry.type == "table") ||
                           (action == SQLITE_CREATE_INDEX && entry.type == "index") ||
                           (action == SQLITE_CREATE_VIEW && entry.type == "view") ||
                           (action == SQLITE_CREATE_TRIGGER && entry.type == "trigger");
  return is_its_type && name == entry.name;
}

/// The statements of a schema come from a file that may be anybody's: they may make their object, and read
/// and write the schema for that, and nothing else.
int authorise(void* context, int action, const char* first, const char* /*second*/, const char* /*schema*/,
              const char* /*trigger*/) noexcept {
  auto& permission = *static_cast<Permission*>(context);
  const std::string_view name = first == nullptr ? std::string_view() : first;
  switch (action) {
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_INDEX:
    case SQLITE_CREATE_VIEW:
    case SQLITE_CREATE_TRIGGER:
      if (makes_object(permission, action, name)) {
        permission.has_created = true;
        return SQLITE_OK;
      }
      // The index of a constraint, and the table that AUTOINCREMENT needs.
      return name.starts_with("sqlite_autoindex_") || name == "sqlite_sequence" ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
      return is_schema_table(first) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_READ:
    case SQLITE_FUNCTION:
    case SQLITE_REINDEX:
      return SQLITE_OK;
    default:
      return SQLITE_DENY;
  }
}

/// Lets the authoriser see one statement.
class AuthoriserGuard {
 public:
  AuthoriserGuard(::sqlite3* handle, Permission& permission) : handle_(handle) {
    ::sqlite3_set_authorizer(handle_, &authorise, &permission);
  }
  AuthoriserGuard(const AuthoriserGuard&) = delete;
  AuthoriserGuard& operator=(const AuthoriserGuard&) = delete;
  ~AuthoriserGuard() { ::sqlite3_set_authorizer(handle_, nullptr, nullptr); }

 private:
  ::sqlite3* handle_;
};

/// A connection to a database in memory, for a first try.
class ScratchConnection {
 public:
  ScratchConnection() {
    if (::sqlite3_open_v2(":memory:", &handle_, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK) {
      const int code = ::sqlite3_extended_errcode(handle_);
      ::sqlite3_close(handle_);
      sqlite::throw_sqlite_error(code, "cannot open", ":memory:");
    }
  }
  ScratchConnection(const ScratchConnection&) = delete;
  ScratchConnection& operator=(const ScratchConnection&) = delete;
  ~ScratchConnection() { ::sqlite3_close(handle_); }

  ::sqlite3* handle() noexcept { return handle_; }

 private:
  ::sqlite3* handle_ = nullptr;
};

unsigned char encoding_number(sqlite::TextEncoding encoding) noexcept {
  switch (encoding) {
    case sqlite::TextEncoding::utf16_little_endian:
      return SQLITE_UTF16LE;
    case sqlite::TextEncoding::utf16_big_endian:
      return SQLITE_UTF16BE;
    default:
      return SQLITE_UTF8;
  }
}

/// Adds a row to the schema as it is. The result code of the failure, or SQLITE_OK.
int insert_entry(::sqlite3* handle, const SchemaEntry& entry) {
  ::sqlite3_stmt* raw = nullptr;
  int code = ::sqlite3_prepare_v2(handle,
                                  "INSERT INTO sqlite_schema(type, name, tbl_name, rootpage, sql) "
                                  "VALUES('table', :name, :table, 0, :sql)",
                                  -1, &raw, nullptr);
  const StatementHandle statement(raw);
  if (code != SQLITE_OK) return code;
  const std::array<const std::string*, 3> texts = {&entry.name, &entry.table, &entry.sql};
  for (std::size_t place = 0; place < texts.size(); ++place) {
    ::sqlite3_bind_text64(raw, static_cast<int>(place) + 1, texts[place]->data(), texts[place]->size(),
                          SQLITE_STATIC, SQLITE_UTF8);
  }
  code = ::sqlite3_step(raw);
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

/// Whether a schema with this virtual table can be read: one that cannot would make the whole database
/// unreadable.
std::optional<std::string> problem_of_virtual_table(const SchemaEntry& entry) {
  ScratchConnection scratch;
  ::sqlite3* handle = scratch.handle();
  ::sqlite3_exec(handle, "PRAGMA writable_schema=ON", nullptr, nullptr, nullptr);
  if (insert_entry(handle, entry) != SQLITE_OK) return ::sqlite3_errmsg(handle);
  ::sqlite3_exec(handle, "PRAGMA writable_schema=RESET", nullptr, nullptr, nullptr);
  if (::sqlite3_exec(handle, "SELECT count(*) FROM sqlite_schema", nullptr, nullptr, nullptr) == SQLITE_OK) {
    return std::nullopt;
  }
  return ::sqlite3_errmsg(handle);
}

}  // namespace

void FinalizeStatement::operator()(::sqlite3_stmt* statement) const noexcept {
  ::sqlite3_finalize(statement);
}

NewDatabase::NewDatabase(const std::filesystem::path& path, const Layout& layout)
    : session_(path, {.mode = sqlite::OpenMode::read_write}), path_(path), encoding_(layout.encoding) {
  // Before anything is written: these become part of the header. The journal stays in memory and nothing is
  // synced, since an aborted file is thrown away.
  session_.execute(fmt::format(
      "PRAGMA page_size={}; PRAGMA auto_vacuum={}; PRAGMA encoding='{}'; PRAGMA journal_mode=MEMORY; "
      "PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; PRAGMA foreign_keys=OFF; "
      "PRAGMA recursive_triggers=OFF",
      layout.page_size_bytes, layout.is_incremental_vacuum ? 2 : (layout.is_auto_vacuum ? 1 : 0),
      sqlite::to_string(layout.encoding)));
  // Shadow tables and SQLite's own are filled like others.
  ::sqlite3_db_config(session_.handle(), SQLITE_DBCONFIG_DEFENSIVE, 0, nullptr);
  session_.execute("PRAGMA writable_schema=ON; BEGIN IMMEDIATE");
}

std::optional<std::string> NewDatabase::create(const SchemaEntry& entry) {
  ::sqlite3* handle = session_.handle();
  Permission permission{entry};
  const AuthoriserGuard guard(handle, permission);
  ::sqlite3_stmt* raw = nullptr;
  const char* rest = nullptr;
  if (::sqlite3_prepare_v2(handle, entry.sql.c_str(), -1, &raw, &rest) != SQLITE_OK) {
    return ::sqlite3_errmsg(handle);
  }
  const StatementHandle statement(raw);
  if (raw == nullptr || !permission.has_created) return "its statement makes something else";
  if (rest != nullptr && std::string_view(rest).find_first_not_of(" \t\r\n;") != std::string_view::npos) {
    return "its statement is more than one";
  }
  const int code = ::sqlite3_step(raw);
  if (code == SQLITE_DONE) return std::nullopt;
  throw_if_interrupted();
  const int primary_code = code & 0xff;
  if (primary_code == SQLITE_FULL || primary_code == SQLITE_IOERR || primary_code == SQLITE_NOMEM) {
    fail(code, "cannot make an object of the schema in");
  }
  // SQLite's words can quote a value, such as one of malformed JSON; the name of the code cannot.
  return fmt::format("SQLite refuses it: {}", sqlite::code_name(code));
}

std::optional<std::string> NewDatabase::create_virtual_table(const SchemaEntry& entry) {
  if (auto problem = problem_of_virtual_table(entry)) return problem;
  const int code = insert_entry(session_.handle(), entry);
  if (code != SQLITE_OK) fail(code, "cannot write to the schema of");
  return std::nullopt;
}

StatementHandle NewDatabase::prepare(const std::string& sql) {
  ::sqlite3_stmt* raw = nullptr;
  const int code =
      ::sqlite3_prepare_v3(session_.handle(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  StatementHandle statement(raw);
  if (code != SQLITE_OK) fail(code, "cannot prepare a statement on");
  return statement;
}

void NewDatabase::bind(::sqlite3_stmt* statement, int place, const Value& value) {
  using sqlite::StorageClass;
  int code = SQLITE_OK;
  // An empty text or blob would be NULL without an address.
  const auto* octets = value.octets.empty() ? reinterpret_cast<const std::byte*>("") : value.octets.data();
  switch (value.type) {
    case StorageClass::null:
      code = ::sqlite3_bind_null(statement, place);
      break;
    case StorageClass::integer:
      code = ::sqlite3_bind_int64(statement, place, value.integer);
      break;
    case StorageClass::real:
      code = ::sqlite3_bind_double(statement, place, value.real);
      break;
    case StorageClass::text:
      code = ::sqlite3_bind_text64(statement, place, reinterpret_cast<const char*>(octets),
                                   value.octets.size(), SQLITE_STATIC, encoding_number(encoding_));
      break;
    case StorageClass::blob:
      code = ::sqlite3_bind_blob64(statement, place, octets, value.octets.size(), SQLITE_STATIC);
      break;
  }
  if (code != SQLITE_OK) fail(code, "cannot bind a value for");
}

bool NewDatabase::run(::sqlite3_stmt* statement, std::string& refusal) {
  ::sqlite3_step(statement);
  const int code = ::sqlite3_reset(statement);
  if (code == SQLITE_OK) return true;
  throw_if_interrupted();
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_ERROR:  // an expression of an index or a check that fails on the values
      refusal = sqlite::code_name(code);
      return false;
    default:
      fail(code, "cannot write a row to");
  }
}

void NewDatabase::note_row(std::uint64_t size_bytes) {
  ++uncommitted_rows_;
  uncommitted_bytes_ += size_bytes;
  if (uncommitted_rows_ < uncommitted_rows_max && uncommitted_bytes_ < uncommitted_bytes_max) return;
  session_.execute("COMMIT; BEGIN IMMEDIATE");
  uncommitted_rows_ = 0;
  uncommitted_bytes_ = 0;
}

void NewDatabase::finish(const Layout& layout) {
  session_.execute(fmt::format("PRAGMA user_version={}; PRAGMA application_id={}; COMMIT",
                               static_cast<std::int32_t>(layout.user_version),
                               static_cast<std::int32_t>(layout.application_id)));
}

void NewDatabase::fail(int code, std::string_view what) {
  throw_if_interrupted();
  sqlite::throw_sqlite_error(code, what, path_);
}

}  // namespace nerve::backups::salvage
