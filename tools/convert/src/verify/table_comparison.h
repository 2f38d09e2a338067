// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/postgresql/session.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/convert/plan.h"
#include "nerve/convert/report.h"

#include <cstddef>
#include <string>
#include <vector>

namespace nerve::convert {

/// Finds the rows that differ, whatever their order and whether or not they have a key. Both sides are read
/// twice: first by groups of rows whose digests begin alike, then the rows of the groups that differ. At most
/// `differences_max` are told of each side.
std::vector<RowDifference> find_differences(sqlite::Session& source, postgresql::Session& target,
                                            const TablePlan& table, std::size_t place,
                                            const std::string& schema, std::size_t differences_max);

}  // namespace nerve::convert
