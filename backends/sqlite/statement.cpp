// SPDX-License-Identifier: Apache-2.0
#include "sqlite/statement.h"

#include <array>

namespace nerve::backends {

using namespace sqlite_api;  // NOLINT(google-build-using-namespace): where SOCI's header puts SQLite

SqliteStatement::SqliteStatement(SqliteConnection& connection, const db::StatementText& statement)
    : SociStatement(connection.session()), connection_(connection) {
  try {
    backend().prepare(statement.sql, soci::details::st_repeatable_query);
  } catch (const soci::soci_error&) {
    connection.throw_error(sqlite3_extended_errcode(connection.handle()), true);
  }
  is_readonly_ = sqlite3_stmt_readonly(backend().stmt_) != 0;
  if (statement.parameters.empty()) return;
  // SQLite numbers parameters as the port does: distinct names in the order of their first use.
  soci::sqlite3_column unbound{};
  unbound.isNull_ = true;
  backend().useData_.resize(1);
  backend().useData_[0].assign(statement.parameters.size(), unbound);
}

void SqliteStatement::bind(std::size_t index, const db::Value& value) {
  soci::sqlite3_column& column = backend().useData_[0][index];
  column.isNull_ = value.type() == db::ValueType::null;
  switch (value.type()) {
    case db::ValueType::null:
      break;
    case db::ValueType::integer:
      column.type_ = soci::dt_long_long;
      column.int64_ = value.as_integer();
      break;
    case db::ValueType::boolean:
      column.type_ = soci::dt_long_long;
      column.int64_ = value.as_boolean() ? 1 : 0;
      break;
    case db::ValueType::real:
      column.type_ = soci::dt_double;
      column.double_ = value.as_real();
      break;
    case db::ValueType::text:
    case db::ValueType::bytes: {
      // A null pointer would bind NULL in place of an empty value.
      const std::string_view octets = value.as_octets();
      column.type_ = value.type() == db::ValueType::text ? soci::dt_string : soci::dt_blob;
      column.buffer_.constData_ = octets.data() == nullptr ? "" : octets.data();
      column.buffer_.size_ = octets.size();
      break;
    }
  }
}

bool SqliteStatement::start() {
  if (!is_readonly_) {
    if (connection_.access() == db::Access::read) connection_.throw_error(SQLITE_READONLY);
    changes_before_ = sqlite3_total_changes64(connection_.handle());
  }
  return SociStatement::start();
}

bool SqliteStatement::start_streaming() {
  // SQLite gives rows one by one in any case.
  if (!is_readonly_) throw_not_a_query();
  return start();
}

void SqliteStatement::read(std::span<db::Cell> cells) {
  for (std::size_t index = 0; index < cells.size(); ++index) {
    read_column(static_cast<int>(index), expected()[index], cells[index]);
  }
}

void SqliteStatement::read_column(int column, db::ValueType type, db::Cell& cell) {
  // One locked call for the column instead of one for its type, its value and its length. SQLite calls the
  // result unprotected because it does not hold the connection's mutex; no other thread uses this connection.
  sqlite3_value* value = sqlite3_column_value(backend().stmt_, column);
  const int storage = sqlite3_value_type(value);
  cell.null = storage == SQLITE_NULL;
  if (cell.null) return;
  switch (type) {
    case db::ValueType::null:
      return;
    case db::ValueType::integer:
      if (storage != SQLITE_INTEGER) throw_found_type(column, type, storage);
      cell.integer = sqlite3_value_int64(value);
      return;
    case db::ValueType::boolean:
      if (storage != SQLITE_INTEGER) throw_found_type(column, type, storage);
      cell.integer = sqlite3_value_int64(value);
      if (cell.integer != 0 && cell.integer != 1) {
        throw_wrong_type(static_cast<std::size_t>(column), type, "another integer");
      }
      return;
    case db::ValueType::real:
      if (storage != SQLITE_FLOAT && storage != SQLITE_INTEGER) throw_found_type(column, type, storage);
      cell.real = sqlite3_value_double(value);
      return;
    case db::ValueType::text: {
      if (storage == SQLITE_BLOB) throw_found_type(column, type, storage);
      const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
      cell.octets = {text, static_cast<std::size_t>(sqlite3_value_bytes(value))};
      return;
    }
    case db::ValueType::bytes: {
      if (storage != SQLITE_BLOB) throw_found_type(column, type, storage);
      const auto* octets = static_cast<const char*>(sqlite3_value_blob(value));
      cell.octets = {octets, static_cast<std::size_t>(sqlite3_value_bytes(value))};
      return;
    }
  }
}

void SqliteStatement::throw_found_type(int column, db::ValueType asked, int storage) {
  constexpr std::array names{"integer", "real", "text", "bytes"};  // SQLITE_INTEGER is 1
  throw_wrong_type(static_cast<std::size_t>(column), asked, names.at(static_cast<std::size_t>(storage) - 1));
}

std::int64_t SqliteStatement::affected_rows() {
  // The count of changes is that of the last statement that changed rows, which need not be this one.
  if (is_readonly_ || sqlite3_total_changes64(connection_.handle()) == changes_before_) return 0;
  return sqlite3_changes64(connection_.handle());
}

void SqliteStatement::reset() noexcept {
  sqlite3_reset(backend().stmt_);
  sqlite3_clear_bindings(backend().stmt_);
}

void SqliteStatement::require_column_count(std::size_t count) {
  const auto found = static_cast<std::size_t>(sqlite3_column_count(backend().stmt_));
  if (found != count) throw_column_count(count, found);
}

void SqliteStatement::throw_present_error() {
  connection_.throw_error(sqlite3_extended_errcode(connection_.handle()));
}

}  // namespace nerve::backends
