// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "soci/soci_statement.h"
#include "sqlite/connection.h"

#include <string>
#include <vector>

namespace nerve::backends {

/// A statement on SQLite. Values are bound without copies and read by their storage class, so that 64 bits,
/// NULs and bytes arrive as they were stored.
class SqliteStatement final : public SociStatement<soci::sqlite3_statement_backend> {
 public:
  SqliteStatement(SqliteConnection& connection, const db::StatementText& statement);

  void bind(std::size_t index, const db::Value& value) override;
  bool start() override;
  bool start_streaming() override;
  void read(std::span<db::Cell> cells) override;
  std::int64_t affected_rows() override;
  void reset() noexcept override;

 protected:
  void require_column_count(std::size_t count) override;
  [[noreturn]] void throw_present_error() override;

 private:
  void read_column(int column, db::ValueType type, db::Cell& cell);
  [[noreturn]] static void throw_found_type(int column, db::ValueType asked, int storage);

  SqliteConnection& connection_;
  bool is_readonly_ = false;
  std::int64_t changes_before_ = 0;
};

}  // namespace nerve::backends
