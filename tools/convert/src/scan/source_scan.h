// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/source_schema.h"
#include "source/source_snapshot.h"

#include "nerve/convert/profile.h"
#include "nerve/core/progress.h"

#include <cstdint>
#include <vector>

namespace nerve::convert {

/// Reads every table once, by all readers of the snapshot at a time. The profiles are in the order of the
/// tables.
std::vector<TableProfile> scan_source(SourceSnapshot& snapshot, const SourceSchema& schema,
                                      std::int64_t range_bytes, ProgressSink* progress);

}  // namespace nerve::convert
