// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "postgresql/connection.h"

#include "nerve/db/connection.h"

#include <cstdint>
#include <span>
#include <string>

namespace nerve::backends {

/// Rows by COPY … FROM STDIN in text format.
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
  void append_escaped(const db::Value& value);
  void send();

  PostgresqlConnection& connection_;
  std::string buffer_;
  std::string field_;
  bool open_ = false;
};

}  // namespace nerve::backends
