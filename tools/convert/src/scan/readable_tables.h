// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/source_schema.h"
#include "scan/source_scan.h"
#include "source/source_snapshot.h"

#include "nerve/convert/profile.h"
#include "nerve/core/progress.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace nerve::convert {

/// The kind by which a column that SQLite cannot compute is told.
inline constexpr std::string_view unreadable_column = "generated column";

/// Reads every table once and returns the profiles, in the order of the tables.
///
/// What SQLite cannot read is taken out of the schema and told there: of a table the columns that are
/// computed when they are read, for what the others hold is there whatever they compute, and only where it
/// cannot be read without them either the table.
std::vector<TableProfile> scan_readable(SourceSnapshot& snapshot, SourceSchema& schema,
                                        const ScanOptions& options, ProgressSink* progress);

}  // namespace nerve::convert
