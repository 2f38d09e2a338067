// SPDX-License-Identifier: Apache-2.0
#include "postgresql/bulk_writer.h"

#include "postgresql/result.h"
#include "postgresql/text_format.h"

#include <charconv>
#include <memory>

namespace nerve::backends {

namespace {

constexpr std::size_t chunk_bytes = 64UL * 1024;

/// Reads the results that are left, so that the connection can be used again.
void drain(PGconn* handle) noexcept {
  while (PGresult* result = PQgetResult(handle)) PQclear(result);
}

}  // namespace

PostgresqlBulkWriter::PostgresqlBulkWriter(PostgresqlConnection& connection, const db::Identifier& table,
                                           std::span<const db::Identifier> columns)
    : connection_(connection) {
  std::string names;
  for (const db::Identifier& column : columns) names += (names.empty() ? "" : ",") + column.quoted();
  const std::string sql = "COPY " + table.quoted() + "(" + names + ") FROM STDIN";
  const Result result(PQexec(connection.handle(), sql.c_str()));
  if (PQresultStatus(result.get()) != PGRES_COPY_IN) connection.throw_error(result.get(), true);
  open_ = true;
  buffer_.reserve(chunk_bytes * 2);
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
  if (!buffer_.empty()) send();
  open_ = false;
  PQputCopyEnd(connection_.handle(), nullptr);
  const Result result(PQgetResult(connection_.handle()));
  drain(connection_.handle());
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) connection_.throw_error(result.get());
  std::int64_t rows = 0;
  const std::string_view count(PQcmdTuples(result.get()));
  std::from_chars(count.data(), count.data() + count.size(), rows);
  return rows;
}

}  // namespace nerve::backends
