// SPDX-License-Identifier: Apache-2.0
#include "postgresql/bulk_writer.h"

#include "postgresql/result.h"
#include "postgresql/row_reader.h"
#include "postgresql/text_format.h"

#include "nerve/core/bytes.h"
#include "nerve/core/random.h"

#include <array>
#include <cstddef>
#include <string_view>

namespace nerve::backends {

namespace {

constexpr std::size_t chunk_bytes = 64UL * 1024;

/// Reads the results that are left, so that the connection can be used again.
void drain(PGconn* handle) noexcept {
  while (PGresult* result = PQgetResult(handle)) PQclear(result);
}

/// Whether the role may write into a table only what its policies let pass. False for a table that is not
/// there, which the statement after this tells about.
bool has_active_policies(PostgresqlConnection& connection, const db::Identifier& table) {
  const std::string sql = "SELECT pg_catalog.row_security_active(CAST(pg_catalog.to_regclass('" +
                          table.quoted() + "') AS pg_catalog.oid))";
  const Result result(PQexec(connection.handle(), sql.c_str()));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) connection.throw_error(result.get());
  return std::string_view(PQgetvalue(result.get(), 0, 0)) == "t";
}

}  // namespace

PostgresqlBulkWriter::PostgresqlBulkWriter(PostgresqlConnection& connection, const db::Identifier& table,
                                           std::span<const db::Identifier> columns)
    : connection_(connection) {
  std::string names;
  for (const db::Identifier& column : columns) names += (names.empty() ? "" : ",") + column.quoted();
  if (has_active_policies(connection, table)) create_temporary(table.quoted(), names);
  const std::string target = temporary_.empty() ? table.quoted() : temporary_;
  const std::string sql = "COPY " + target + "(" + names + ") FROM STDIN";
  const Result result(PQexec(connection.handle(), sql.c_str()));
  if (PQresultStatus(result.get()) != PGRES_COPY_IN) connection.throw_error(result.get(), true);
  open_ = true;
  buffer_.reserve(chunk_bytes * 2);
}

void PostgresqlBulkWriter::create_temporary(const std::string& table, const std::string& columns) {
  // A random name, since the session may hold temporary tables of others, and with its schema, which comes
  // last on the path.
  std::array<std::byte, 16> bytes{};
  system_random().fill(bytes);
  temporary_ = "pg_temp.nerve_bulk_" + to_hex(bytes);
  // By a query that is not run, since LIKE would bring the NOT NULL of columns along: the error of a missing
  // value would then name this table.
  const std::string sql = "CREATE TEMPORARY TABLE " + temporary_ + " ON COMMIT DROP AS SELECT " + columns +
                          " FROM " + table + " WITH NO DATA";
  const Result result(PQexec(connection_.handle(), sql.c_str()));
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) connection_.throw_error(result.get(), true);
  move_sql_ = "INSERT INTO " + table + "(" + columns + ") SELECT " + columns + " FROM " + temporary_ +
              ";DROP TABLE " + temporary_;
}

PostgresqlBulkWriter::~PostgresqlBulkWriter() {
  if (!open_) return;
  PQputCopyEnd(connection_.handle(), "abandoned");
  drain(connection_.handle());
}

void PostgresqlBulkWriter::add(std::span<const db::Value> row) {
  for (std::size_t index = 0; index < row.size(); ++index) {
    if (index != 0) buffer_ += '\t';
    append_escaped(row[index]);
  }
  buffer_ += '\n';
  if (buffer_.size() >= chunk_bytes) send();
}

void PostgresqlBulkWriter::append_escaped(const db::Value& value) {
  if (value.type() == db::ValueType::null) {
    buffer_ += "\\N";
    return;
  }
  if (value.type() != db::ValueType::text && value.type() != db::ValueType::bytes) {
    append_text_format(value, buffer_);
    return;
  }
  field_.clear();
  append_text_format(value, field_);
  for (const char c : field_) {
    switch (c) {
      case '\\':
        buffer_ += "\\\\";
        break;
      case '\t':
        buffer_ += "\\t";
        break;
      case '\n':
        buffer_ += "\\n";
        break;
      case '\r':
        buffer_ += "\\r";
        break;
      default:
        buffer_ += c;
    }
  }
}

void PostgresqlBulkWriter::send() {
  const int sent = PQputCopyData(connection_.handle(), buffer_.data(), static_cast<int>(buffer_.size()));
  buffer_.clear();
  if (sent == 1) return;
  open_ = false;
  const Result result(PQgetResult(connection_.handle()));
  drain(connection_.handle());
  connection_.throw_error(result.get());
}

std::int64_t PostgresqlBulkWriter::finish() {
  const std::int64_t rows = end_copy();
  return temporary_.empty() ? rows : move_rows();
}

std::int64_t PostgresqlBulkWriter::end_copy() {
  if (!buffer_.empty()) send();
  open_ = false;
  PQputCopyEnd(connection_.handle(), nullptr);
  const Result result(PQgetResult(connection_.handle()));
  drain(connection_.handle());
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) connection_.throw_error(result.get());
  return rows_changed(result.get());
}

std::int64_t PostgresqlBulkWriter::move_rows() {
  // Both statements in one message; the first result is that of the INSERT, or the only one where it failed.
  // The table goes at once, so that many streams in one transaction hold no more than one.
  if (PQsendQuery(connection_.handle(), move_sql_.c_str()) != 1) connection_.throw_error(nullptr);
  const Result inserted(PQgetResult(connection_.handle()));
  const Result dropped(PQgetResult(connection_.handle()));
  drain(connection_.handle());
  for (const Result* result : {&inserted, &dropped}) {
    if (PQresultStatus(result->get()) != PGRES_COMMAND_OK) connection_.throw_error(result->get());
  }
  return rows_changed(inserted.get());
}

}  // namespace nerve::backends
