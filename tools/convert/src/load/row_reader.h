// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/encode.h"
#include "load/range.h"
#include "values/canonical_row.h"
#include "values/row_buffer.h"

#include "nerve/backends/sqlite/session.h"
#include "nerve/convert/plan.h"
#include "nerve/core/json.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace nerve::convert {

/// A value that could not be stored as planned.
struct Reject {
  std::optional<std::int64_t> rowid;  ///< absent where the table has none
  std::size_t column = 0;             ///< place in the plan's columns
  sqlite::StorageClass storage_class = sqlite::StorageClass::null;
  Misfit misfit = Misfit::none;
  bool is_row_left_out = true;  ///< or else NULL was stored
};

/// What is done with what a range holds. All octets are valid as long as the sink is called.
class RowSink {
 public:
  virtual ~RowSink() = default;
  /// A row with all its columns, in the format of binary COPY.
  virtual void row(ByteView /*whole*/, const RowDigest& /*digest*/) {}
  /// Many rows as they are loaded, without columns that the target computes; the last call ends the range.
  virtual void rows(ByteView /*loaded*/, std::int64_t /*count*/) {}
  /// `whole` is the row that the value is of.
  virtual void reject(const Reject& reject, const Json& whole) = 0;
};

/// Reads ranges of one table and encodes their rows as they are planned: once to load them, and again
/// whenever they are compared with what the target has.
class RowReader {
 public:
  explicit RowReader(const TablePlan& table);

  /// Reads one range; throws what reading throws, ValidationError for a misfit of a column whose policy is to
  /// fail, and what the sink throws.
  RangeResult read(sqlite::Session& session, const Range& range, RowSink& sink);

 private:
  void take_row(const sqlite::Row& row, RowSink& sink);
  void hand_over(RowSink& sink);
  void handle_misfit(const sqlite::Row& row, std::size_t column, Misfit misfit, RowSink& sink);
  void reject(const sqlite::Row& row, std::size_t column, Misfit misfit, RowSink& sink) const;
  Json whole_row(const sqlite::Row& row) const;

  const TablePlan& table_;
  std::string sql_;
  bool may_exceed_page_ = false;
  std::size_t loaded_count_ = 0;  ///< columns that are sent; the target computes the others
  RowDigester digester_;
  RowBuffer all_;     ///< rows with all columns: those not handed over, or the present one
  RowBuffer loaded_;  ///< where the target computes columns: rows without those, not handed over
  RangeResult result_;
  std::int64_t kept_ = 0;                              ///< rows that are not handed over
  bool is_left_out_ = false;                           ///< the present row
  std::vector<std::pair<std::size_t, Misfit>> nulls_;  ///< its columns that become NULL
};

}  // namespace nerve::convert
