// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sqlite/connection.h"

#include "nerve/db/connection.h"

#include <cstdint>
#include <span>

namespace nerve::backends {

/// Rows by one natively prepared insert.
class SqliteBulkWriter final : public db::BulkWriter {
 public:
  SqliteBulkWriter(SqliteConnection& connection, const db::Identifier& table,
                   std::span<const db::Identifier> columns);
  SqliteBulkWriter(const SqliteBulkWriter&) = delete;
  SqliteBulkWriter& operator=(const SqliteBulkWriter&) = delete;
  ~SqliteBulkWriter() override;

  void add(std::span<const db::Value> row) override;
  std::int64_t finish() override;

 private:
  void bind(int position, const db::Value& value);

  SqliteConnection& connection_;
  sqlite_api::sqlite3_stmt* statement_ = nullptr;
  std::int64_t rows_ = 0;
};

}  // namespace nerve::backends
