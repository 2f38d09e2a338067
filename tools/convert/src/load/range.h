// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "values/row_digest.h"

#include "nerve/convert/plan.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace nerve::convert {

/// A part of a table that is loaded in one transaction: rows from one rowid to another, or the whole of a
/// table without rowids.
struct Range {
  std::size_t table = 0;  ///< place in the plan
  std::int64_t first = std::numeric_limits<std::int64_t>::min();
  std::int64_t last = std::numeric_limits<std::int64_t>::max();
};

/// The ranges of a table, which together cover every rowid that there may be.
std::vector<Range> ranges_of(const TablePlan& table, std::size_t place);

/// What a range came to.
struct RangeResult {
  DigestSum stored;           ///< of the rows that were sent
  std::int64_t rejected = 0;  ///< rows that were left out
  std::int64_t nulled = 0;    ///< values that became NULL
};

}  // namespace nerve::convert
