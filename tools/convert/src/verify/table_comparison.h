// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/postgresql/session.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/convert/plan.h"
#include "nerve/convert/report.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace nerve::convert {

/// A table on both sides.
struct ComparedTable {
  sqlite::Session& source;
  postgresql::Session& target;
  const TablePlan& plan;
  std::size_t place = 0;  ///< in the plan
  const std::string& schema;
};

/// Finds the rows that differ, whatever their order and whether or not they have a key. Both sides are read
/// by groups of rows whose digests begin alike, then for the digests of the groups that differ, and once more
/// for the rows to be told: at most `differences_max` of each side. Memory holds digests, and no other rows
/// than these.
std::vector<RowDifference> find_differences(const ComparedTable& table, std::size_t differences_max);

/// So many digests of the source are looked for at a time.
constexpr std::int64_t missing_digests_max = 2'000'000;

/// Finds rows of the source of which the target has fewer, whatever else it has: at most `differences_max`.
/// Both sides are read once for every `digests_max` rows of the source, until so many were found.
std::vector<RowDifference> find_missing(const ComparedTable& table, std::size_t differences_max,
                                        std::int64_t digests_max = missing_digests_max);

}  // namespace nerve::convert
