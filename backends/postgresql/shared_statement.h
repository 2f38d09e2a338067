// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "postgresql/connection.h"
#include "postgresql/cursor.h"
#include "postgresql/result.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace nerve::backends {

/// A statement on a session that others use between the transactions. The server keeps nothing of it: the
/// unnamed statement, which the next one replaces, tells whether it can be run and how many columns it has;
/// after that its text goes with each execution. SOCI would keep a statement by name, which the transaction
/// after the next could meet in another session.
class SharedStatement final : public db::PreparedStatement {
 public:
  SharedStatement(PostgresqlConnection& connection, const db::StatementText& statement);

  void bind(std::size_t index, const db::Value& value) override;
  void expect(std::span<const db::ValueType> columns) override;
  bool start() override;
  bool start_streaming() override;
  bool next() override;
  void read(std::span<db::Cell> cells) override;
  std::int64_t affected_rows() override;
  void reset() noexcept override;

 private:
  struct Slot {
    std::string text;
    bool is_null = true;
  };

  /// For each $n its value, or a null pointer.
  std::vector<const char*> values() const;

  PostgresqlConnection& connection_;
  std::string sql_;                  ///< with $1, $2 … for the parameters
  std::vector<std::size_t> places_;  ///< for each $n the slot whose value it takes
  std::vector<Slot> slots_;
  std::vector<db::ValueType> expected_;
  std::vector<std::string> decoded_;
  std::size_t column_count_ = 0;
  Result result_;
  int row_ = 0;
  std::optional<Cursor> cursor_;  ///< while rows are streamed
};

}  // namespace nerve::backends
