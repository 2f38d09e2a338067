// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/source_schema.h"
#include "source/source_snapshot.h"

#include "nerve/convert/profile.h"
#include "nerve/core/progress.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace nerve::convert {

/// A table that SQLite cannot read, though the file is sound.
struct ScanOptions {
  std::int64_t range_bytes = 0;
  /// A table of which pages are damaged is unread like others, and does not end the scan: nobody checked the
  /// source, or wanted it checked.
  bool leaves_out_damaged = false;
};

struct UnreadTable {
  std::size_t table = 0;  ///< place in the schema
  std::string reason;
};

/// Reads tables once, by all readers of the snapshot at a time, and fills in their profiles; `tables` are
/// their places in the schema and in the profiles. Those that cannot be read stop no other one, and are
/// returned.
std::vector<UnreadTable> scan_tables(SourceSnapshot& snapshot, const SourceSchema& schema,
                                     const std::vector<std::size_t>& tables, const ScanOptions& options,
                                     std::vector<TableProfile>& profiles, ProgressSink* progress);

}  // namespace nerve::convert
