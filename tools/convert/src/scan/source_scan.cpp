// SPDX-License-Identifier: Apache-2.0
#include "scan/source_scan.h"

#include "scan/table_parts.h"
#include "work/workers.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <utility>

namespace nerve::convert {

namespace {

/// A part of a table, as one worker reads it.
struct PartOfTable {
  std::size_t table = 0;
  std::size_t part = 0;
  RowidRange rowids;
};

}  // namespace

std::vector<TableProfile> scan_source(SourceSnapshot& snapshot, const SourceSchema& schema,
                                      std::int64_t range_bytes, ProgressSink* progress) {
  std::vector<PartOfTable> tasks;
  std::vector<std::vector<TablePart>> parts(schema.tables.size());
  for (std::size_t table = 0; table < schema.tables.size(); ++table) {
    for (const RowidRange& rowids : table_parts(snapshot.reader(0), schema.tables[table].query)) {
      tasks.push_back({table, parts[table].size(), rowids});
      parts[table].emplace_back();
    }
  }
  // Small tables at the end, so that all workers end at about the same time.
  std::ranges::stable_sort(tasks, std::greater(),
                           [&](const PartOfTable& task) { return parts[task.table].size(); });
  std::atomic<std::int64_t> bytes = 0;
  std::atomic<bool> is_stopped = false;
  const auto work = [&](std::size_t worker, std::size_t number) {
    const PartOfTable& task = tasks[number];
    const SourceTable& table = schema.tables[task.table];
    parts[task.table][task.part] = scan_part(snapshot.reader(worker), table.query, task.rowids,
                                             table.interests, range_bytes, [&](std::int64_t count) {
                                               if (is_stopped)
                                                 throw CancelledError("another part of the scan failed");
                                               bytes += count;
                                             });
  };
  run_tasks(snapshot.size(), tasks.size(), work, is_stopped, [&] {
    if (progress != nullptr) progress->update("scanning", static_cast<std::uint64_t>(bytes.load()), 0);
  });
  std::vector<TableProfile> profiles;
  profiles.reserve(parts.size());
  for (std::vector<TablePart>& one : parts) profiles.push_back(join_parts(std::move(one), range_bytes));
  return profiles;
}

}  // namespace nerve::convert
