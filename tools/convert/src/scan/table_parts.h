// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "scan/table_scan.h"

#include "nerve/backends/sqlite/session.h"
#include "nerve/convert/profile.h"

#include <cstdint>
#include <vector>

namespace nerve::convert {

/// The parts in which a table is read, in the order of its rowids; one where it is small, or has none. They
/// are the same whoever reads them.
std::vector<RowidRange> table_parts(sqlite::Session& session, const TableQuery& table);

/// The profile of a table whose parts were read one by one. Ranges that together stay below `range_bytes`
/// become one.
TableProfile join_parts(std::vector<TablePart> parts, std::int64_t range_bytes);

}  // namespace nerve::convert
