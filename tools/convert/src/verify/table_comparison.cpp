// SPDX-License-Identifier: Apache-2.0
#include "verify/table_comparison.h"

#include "verify/row_digests.h"
#include "verify/target_rows.h"

#include <nlohmann/json.hpp>

#include <map>

namespace nerve::convert {
namespace {

constexpr std::size_t group_count = 65'536;
constexpr unsigned group_shift = 48;
/// Of the groups that differ, so many rows are looked at at most.
constexpr std::int64_t examined_rows_max = 200'000;

std::size_t group_of(const RowDigest& digest) noexcept {
  return static_cast<std::size_t>(digest.high >> group_shift);
}

/// The groups whose rows are to be looked at one by one.
std::vector<bool> groups_to_examine(const std::vector<DigestSum>& left, const std::vector<DigestSum>& right) {
  std::vector<bool> is_examined(group_count);
  std::int64_t rows = 0;
  for (std::size_t group = 0; group < group_count; ++group) {
    if (left[group] == right[group]) continue;
    rows += left[group].rows + right[group].rows;
    is_examined[group] = true;
    if (rows > examined_rows_max) break;
  }
  return is_examined;
}

/// How often a row is there more than on the other side.
struct Surplus {
  std::int64_t count = 0;
  std::string row;
};

}  // namespace

std::vector<RowDifference> find_differences(sqlite::Session& source, postgresql::Session& target,
                                            const TablePlan& table, std::size_t place,
                                            const std::string& schema, std::size_t differences_max) {
  std::vector<DigestSum> of_source(group_count);
  std::vector<DigestSum> of_target(group_count);
  each_source_digest(source, table, Range{.table = place},
                     [&](const RowDigest& digest, ByteView) { of_source[group_of(digest)].add(digest); });
  each_target_digest(target, table, schema, {},
                     [&](const RowDigest& digest, ByteView) { of_target[group_of(digest)].add(digest); });
  const std::vector<bool> is_examined = groups_to_examine(of_source, of_target);
  // Positive where the source has more of a row, negative where the target has.
  std::map<RowDigest, Surplus> surplus;
  const auto count = [&](const RowDigest& digest, ByteView row, std::int64_t by) {
    if (!is_examined[group_of(digest)]) return;
    Surplus& entry = surplus[digest];
    entry.count += by;
    if (entry.row.empty()) entry.row = as_text(row);
    if (entry.count == 0) surplus.erase(digest);
  };
  each_source_digest(source, table, Range{.table = place},
                     [&](const RowDigest& digest, ByteView row) { count(digest, row, 1); });
  each_target_digest(target, table, schema, {},
                     [&](const RowDigest& digest, ByteView row) { count(digest, row, -1); });
  std::vector<RowDifference> differences;
  for (const bool is_source : {true, false}) {
    std::size_t told = 0;
    for (const auto& [digest, entry] : surplus) {
      if ((entry.count > 0) != is_source || told == differences_max) continue;
      ++told;
      differences.push_back(
          {is_source ? "source" : "target",
           decode_row(table, as_bytes(entry.row)).dump(-1, ' ', false, Json::error_handler_t::replace),
           entry.count > 0 ? entry.count : -entry.count});
    }
  }
  return differences;
}

}  // namespace nerve::convert
