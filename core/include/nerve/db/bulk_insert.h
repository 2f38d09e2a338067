// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/codec.h"
#include "nerve/db/connection.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace nerve::db {

class Session;

/// A stream of rows into one table by the engine's fastest way (COPY on PostgreSQL, one prepared insert on
/// SQLite).
///
/// Rows are checked by the engine, perhaps only at finish(): one wrong row fails the stream and with it the
/// transaction or savepoint around it. insert_batch() is for rows that may be rejected singly. While it is
/// open, no other statement may run in the transaction.
///
/// Where PostgreSQL's policies of row-level security hold for the role, they look at every row at finish(): a
/// row that they do not let in is DatabaseError of the kind `denied`. There the role needs the privilege
/// TEMPORARY on the database.
class BulkInsert {
 public:
  BulkInsert(BulkInsert&&) noexcept;
  BulkInsert& operator=(BulkInsert&&) = delete;
  ~BulkInsert();

  template <class... Columns>
  void add(const Columns&... columns) {
    const std::array<Value, sizeof...(Columns)> row{Codec<std::decay_t<const Columns&>>::encode(columns)...};
    add_row(row);
  }
  /// The same with a value for each column, in the order of the columns.
  void add_row(std::span<const Value> row);

  /// Ends the stream and returns the number of rows. A stream that is destroyed without it is abandoned.
  std::int64_t finish();

 private:
  friend class Transaction;
  BulkInsert(Session& session, const Identifier& table, std::span<const Identifier> columns);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nerve::db
