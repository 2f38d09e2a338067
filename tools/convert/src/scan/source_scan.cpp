// SPDX-License-Identifier: Apache-2.0
#include "scan/source_scan.h"

#include "scan/table_scan.h"
#include "work/workers.h"

#include "nerve/core/error.h"

#include <atomic>

namespace nerve::convert {

std::vector<TableProfile> scan_source(SourceSnapshot& snapshot, const SourceSchema& schema,
                                      std::int64_t range_bytes, ProgressSink* progress) {
  std::vector<TableProfile> profiles(schema.tables.size());
  std::atomic<std::size_t> next = 0;
  std::atomic<std::int64_t> bytes = 0;
  std::atomic<bool> is_stopped = false;
  const auto work = [&](std::size_t number) {
    for (std::size_t table = next++; table < schema.tables.size(); table = next++) {
      profiles[table] = scan_table(snapshot.reader(number), schema.tables[table].query,
                                   schema.tables[table].interests, range_bytes, [&](std::int64_t count) {
                                     if (is_stopped) throw CancelledError("another part of the scan failed");
                                     bytes += count;
                                   });
    }
  };
  run_workers(snapshot.size(), work, is_stopped, [&] {
    if (progress != nullptr) progress->update("scanning", static_cast<std::uint64_t>(bytes.load()), 0);
  });
  return profiles;
}

}  // namespace nerve::convert
