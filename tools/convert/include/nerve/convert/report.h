// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/json.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace nerve::convert {

/// A row that one side has and the other has not, or not so often.
struct RowDifference {
  std::string side;  ///< "source" or "target"
  std::string row;   ///< its values as JSON, by column
  std::int64_t count = 1;
};

/// What became of a table.
struct TableReport {
  std::string source;
  std::string target;
  std::int64_t rows = 0;      ///< in the source
  std::int64_t stored = 0;    ///< rows that were sent
  std::int64_t rejected = 0;  ///< rows that were left out
  std::int64_t nulled = 0;    ///< values that became NULL
  std::int64_t changed = 0;   ///< values that are stored as another storage class
  bool is_equal = false;      ///< the target has the very rows that were sent
  std::int64_t target_rows = 0;
  std::int64_t target_rows_before = 0;     ///< of those, the ones that were there before an append
  std::vector<RowDifference> differences;  ///< the first ones
};

/// docs/converting.md names the fields.
Json to_json(const std::vector<TableReport>& tables);

}  // namespace nerve::convert
