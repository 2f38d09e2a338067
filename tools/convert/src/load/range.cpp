// SPDX-License-Identifier: Apache-2.0
#include "load/range.h"

namespace nerve::convert {

std::vector<Range> ranges_of(const TablePlan& table, std::size_t place) {
  std::vector<Range> ranges{{.table = place}};
  // The first range begins with the lowest rowid that there can be, whatever was found.
  for (std::size_t i = 1; i < table.range_starts.size(); ++i) {
    ranges.back().last = table.range_starts[i] - 1;
    ranges.push_back({.table = place, .first = table.range_starts[i]});
  }
  return ranges;
}

}  // namespace nerve::convert
