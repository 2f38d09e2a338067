// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "postgresql/connection.h"

#include "nerve/db/connection.h"

#include <cstdint>
#include <span>
#include <string>

namespace nerve::backends {

/// Rows by COPY … FROM STDIN in text format.
///
/// PostgreSQL refuses COPY into a table whose policies of row-level security hold for the role. There the
/// rows go into a temporary table of the same columns, and from it by one INSERT when the stream ends, so
/// that the policies look at each of them. That takes the privilege TEMPORARY on the database, and SELECT on
/// the columns.
class PostgresqlBulkWriter final : public db::BulkWriter {
 public:
  PostgresqlBulkWriter(PostgresqlConnection& connection, const db::Identifier& table,
                       std::span<const db::Identifier> columns);
  PostgresqlBulkWriter(const PostgresqlBulkWriter&) = delete;
  PostgresqlBulkWriter& operator=(const PostgresqlBulkWriter&) = delete;
  ~PostgresqlBulkWriter() override;

  void add(std::span<const db::Value> row) override;
  std::int64_t finish() override;

 private:
  void create_temporary(const std::string& table, const std::string& columns);
  void append_escaped(const db::Value& value);
  void send();
  std::int64_t end_copy();
  std::int64_t move_rows();

  PostgresqlConnection& connection_;
  std::string buffer_;
  std::string field_;
  std::string temporary_;  ///< the temporary table; empty where the rows go straight into their own
  std::string move_sql_;   ///< what moves its rows, and drops it
  bool open_ = false;
};

}  // namespace nerve::backends
