// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"
#include "nerve/db/codec.h"
#include "nerve/db/identifier.h"
#include "nerve/db/transaction.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace nerve::db {

/// A row that was not inserted.
struct RejectedRow {
  std::size_t index = 0;  ///< in the order of the input, from 0
  ErrorKind kind = ErrorKind::failure;
  std::string reason;  ///< the error's message, which holds no value
};

struct BatchReport {
  std::size_t total = 0;
  std::size_t inserted = 0;
  std::vector<RejectedRow> rejected;
};

/// Delivers the next row, a value for each column, or false at the end. What the values borrow must stay
/// until the row after the next chunk is asked for: give owned values where the input is a stream.
using RowSource = std::function<bool(std::vector<Value>& row)>;

/// Inserts rows and tells which ones the database refused and why.
///
/// Rows go in by the engine's bulk path, `chunk_rows` at a time inside a savepoint; a chunk that fails is
/// repeated row by row, so that only its wrong rows are left out. Errors that are not the row's fault (a lost
/// connection, a full disk) are thrown.
class BatchInsert {
 public:
  static constexpr std::size_t chunk_rows_default = 1000;

  BatchInsert(Identifier table, std::vector<Identifier> columns, std::size_t chunk_rows = chunk_rows_default);

  BatchReport run(Transaction& transaction, const RowSource& next) const;
  BatchReport run(Transaction& transaction, std::span<const std::vector<Value>> rows) const;

 private:
  void insert_chunk(Transaction& transaction, std::span<const std::vector<Value>> chunk,
                    BatchReport& report) const;
  void insert_singly(Transaction& transaction, std::span<const std::vector<Value>> chunk,
                     BatchReport& report) const;

  Identifier table_;
  std::vector<Identifier> columns_;
  std::size_t chunk_rows_;
  std::string insert_sql_;
};

}  // namespace nerve::db
