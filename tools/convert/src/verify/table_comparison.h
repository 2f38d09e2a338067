// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "values/row_digest.h"

#include "nerve/backends/postgresql/session.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/convert/plan.h"
#include "nerve/convert/report.h"

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

namespace nerve::convert {

/// The digests of all rows of a table of the target.
DigestSum sum_target(postgresql::Session& target, const TablePlan& table, const std::string& schema);

/// The digests of all rows of the source that can be stored as planned.
DigestSum sum_source(sqlite::Session& source, const TablePlan& table, std::size_t place);

/// Finds the rows that differ, whatever their order and whether or not they have a key. Both sides are read
/// twice: first by groups of rows whose digests begin alike, then the rows of the groups that differ. At most
/// `differences_max` are told of each side.
std::vector<RowDifference> find_differences(sqlite::Session& source, postgresql::Session& target,
                                            const TablePlan& table, std::size_t place,
                                            const std::string& schema, std::size_t differences_max);

}  // namespace nerve::convert
