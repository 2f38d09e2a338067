// SPDX-License-Identifier: Apache-2.0
#include "sqlite/bulk_writer.h"

#include <string>

namespace nerve::backends {

using namespace sqlite_api;  // NOLINT(google-build-using-namespace): where SOCI's header puts SQLite

SqliteBulkWriter::SqliteBulkWriter(SqliteConnection& connection, const db::Identifier& table,
                                   std::span<const db::Identifier> columns)
    : connection_(connection) {
  std::string names;
  std::string places;
  for (const db::Identifier& column : columns) {
    names += (names.empty() ? "" : ",") + column.quoted();
    places += places.empty() ? "?" : ",?";
  }
  const std::string sql = "INSERT INTO " + table.quoted() + "(" + names + ") VALUES (" + places + ")";
  if (sqlite3_prepare_v2(connection.handle(), sql.c_str(), -1, &statement_, nullptr) != SQLITE_OK) {
    connection.throw_error(sqlite3_extended_errcode(connection.handle()), true);
  }
}

SqliteBulkWriter::~SqliteBulkWriter() {
  sqlite3_finalize(statement_);
}

void SqliteBulkWriter::add(std::span<const db::Value> row) {
  int position = 0;
  for (const db::Value& value : row) bind(++position, value);
  const int code = sqlite3_step(statement_);
  sqlite3_reset(statement_);
  if (code != SQLITE_DONE) connection_.throw_error(sqlite3_extended_errcode(connection_.handle()));
  ++rows_;
}

void SqliteBulkWriter::bind(int position, const db::Value& value) {
  const std::string_view octets = value.as_octets();
  const char* data = octets.data() == nullptr ? "" : octets.data();
  switch (value.type()) {
    case db::ValueType::null:
      sqlite3_bind_null(statement_, position);
      return;
    case db::ValueType::integer:
    case db::ValueType::boolean:
      sqlite3_bind_int64(statement_, position, value.as_integer());
      return;
    case db::ValueType::real:
      sqlite3_bind_double(statement_, position, value.as_real());
      return;
    case db::ValueType::text:
      sqlite3_bind_text64(statement_, position, data, octets.size(), SQLITE_STATIC, SQLITE_UTF8);
      return;
    case db::ValueType::bytes:
      sqlite3_bind_blob64(statement_, position, data, octets.size(), SQLITE_STATIC);
      return;
  }
}

std::int64_t SqliteBulkWriter::finish() {
  return rows_;
}

}  // namespace nerve::backends
