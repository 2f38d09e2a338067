// SPDX-License-Identifier: Apache-2.0
#include "verify/table_sums.h"

#include "verify/row_digests.h"
#include "work/workers.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace nerve::convert {
namespace {

using Parameter = postgresql::Session::Parameter;

/// Large enough for the order of a table's parts not to matter to its reading, small enough for workers to
/// end together.
constexpr std::int64_t part_bytes = 128 * 1024 * 1024;

/// A part of a table of one side.
struct Part {
  std::size_t table = 0;
  std::int64_t bytes = 0;      ///< about
  std::optional<Range> range;  ///< of the source
  BlockRange blocks;           ///< of the target, where there is no range
};

std::int64_t block_count(postgresql::Session& session, const std::string& relation) {
  const std::array<Parameter, 1> parameters{relation};
  const std::string text =
      session
          .text("SELECT (pg_relation_size($1::regclass) / current_setting('block_size')::bigint)::text",
                parameters)
          .value_or("0");
  std::int64_t blocks = 0;
  std::from_chars(text.data(), text.data() + text.size(), blocks);
  return blocks;
}

void add_target_parts(postgresql::Session& session, const Plan& plan, std::size_t place,
                      std::vector<Part>& parts) {
  const TablePlan& table = plan.tables[place];
  const std::int64_t count = table.bytes / part_bytes + 1;
  if (count == 1) {
    parts.push_back({.table = place, .bytes = table.bytes, .range = std::nullopt, .blocks = {}});
    return;
  }
  const std::int64_t blocks = block_count(session, qualified_name(plan.schema, table.target));
  for (std::int64_t part = 0; part < count; ++part) {
    BlockRange range{.first = blocks * part / count, .end = std::nullopt};
    if (part + 1 < count) range.end = blocks * (part + 1) / count;
    parts.push_back({.table = place, .bytes = table.bytes / count, .range = std::nullopt, .blocks = range});
  }
}

void add_source_parts(const Plan& plan, std::size_t place, std::vector<Part>& parts) {
  const std::vector<Range> ranges = ranges_of(plan.tables[place], place);
  for (const Range& range : ranges) {
    parts.push_back({.table = place,
                     .bytes = plan.tables[place].bytes / static_cast<std::int64_t>(ranges.size()),
                     .range = range,
                     .blocks = {}});
  }
}

}  // namespace

TableSums sum_tables(const Plan& plan, SourceSnapshot& snapshot, std::span<postgresql::Session> targets,
                     Sides sides, ProgressSink* progress) {
  TableSums sums;
  sums.target.resize(plan.tables.size());
  std::vector<Part> parts;
  for (std::size_t table = 0; table < plan.tables.size(); ++table)
    add_target_parts(targets.front(), plan, table, parts);
  if (sides == Sides::both) {
    sums.source.resize(plan.tables.size());
    for (std::size_t table = 0; table < plan.tables.size(); ++table) add_source_parts(plan, table, parts);
  }
  std::ranges::stable_sort(parts, std::greater(), &Part::bytes);
  std::int64_t total = 0;
  for (const Part& part : parts) total += part.bytes;

  std::mutex mutex;
  std::atomic<std::int64_t> done = 0;
  std::atomic<bool> is_stopped = false;
  const auto work = [&](std::size_t worker, std::size_t number) {
    const Part& part = parts[number];
    const TablePlan& table = plan.tables[part.table];
    DigestSum sum;
    const OnDigest add = [&](const RowDigest& digest, ByteView) { sum.add(digest); };
    if (part.range) {
      each_source_digest(snapshot.reader(worker), table, *part.range, add);
    } else {
      each_target_digest(targets[worker], table, plan.schema, part.blocks, add);
    }
    done += part.bytes;
    const std::scoped_lock lock(mutex);
    (part.range ? sums.source : sums.target)[part.table].add(sum);
  };
  run_tasks(targets.size(), parts.size(), work, is_stopped, [&] {
    if (progress != nullptr)
      progress->update("comparing", static_cast<std::uint64_t>(done.load()),
                       static_cast<std::uint64_t>(total));
  });
  return sums;
}

}  // namespace nerve::convert
