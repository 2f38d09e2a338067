// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "postgresql/connection.h"
#include "postgresql/cursor.h"
#include "soci/soci_statement.h"

#include <optional>
#include <string>
#include <vector>

namespace nerve::backends {

/// A statement that the session of a connection of its own keeps prepared. Values go as text whose type the
/// server infers from where they stand, and come back as text that is read here.
class PostgresqlStatement final : public SociStatement<soci::postgresql_statement_backend> {
 public:
  PostgresqlStatement(PostgresqlConnection& connection, const db::StatementText& statement);

  void bind(std::size_t index, const db::Value& value) override;
  bool start_streaming() override;
  bool next() override;
  void read(std::span<db::Cell> cells) override;
  std::int64_t affected_rows() override;
  void reset() noexcept override;

 protected:
  void require_column_count(std::size_t count) override;
  [[noreturn]] void throw_present_error() override;

 private:
  /// One parameter as libpq takes it: text that ends with NUL, or a null pointer for NULL.
  struct Slot {
    std::string text;
    char* pointer = nullptr;
  };

  PostgresqlConnection& connection_;
  std::vector<Slot> slots_;
  std::vector<std::string> decoded_;  // bytes of the present row, one for each column
  int column_count_ = -1;             // not known before the first execution
  std::optional<Cursor> cursor_;      // while rows are streamed
};

}  // namespace nerve::backends
