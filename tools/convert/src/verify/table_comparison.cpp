// SPDX-License-Identifier: Apache-2.0
#include "verify/table_comparison.h"

#include "verify/row_digests.h"
#include "verify/target_rows.h"

#include <nlohmann/json.hpp>

#include <algorithm>
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

void each_digest_of_source(const ComparedTable& table, const OnDigest& on_digest) {
  each_source_digest(table.source, table.plan, Range{.table = table.place}, on_digest);
}

void each_digest_of_target(const ComparedTable& table, const OnDigest& on_digest) {
  each_target_digest(table.target, table.plan, table.schema, {}, on_digest);
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
using Surplus = std::map<RowDigest, std::int64_t>;

/// Reads one side again for the rows of a few digests.
void tell_rows(const ComparedTable& table, bool is_source, const Surplus& surplus,
               std::vector<RowDifference>& differences) {
  if (surplus.empty()) return;
  std::map<RowDigest, std::string> rows;
  const auto keep = [&](const RowDigest& digest, ByteView row) {
    if (!surplus.contains(digest) || rows.contains(digest)) return;
    rows[digest] = decode_row(table.plan, row).dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  if (is_source) {
    each_digest_of_source(table, keep);
  } else {
    each_digest_of_target(table, keep);
  }
  for (const auto& [digest, row] : rows)
    differences.push_back({is_source ? "source" : "target", row, surplus.at(digest)});
}

/// How often the target lacks a row of the source.
struct Lack {
  RowDigest digest;
  std::int64_t count = 1;
};

/// Sorts digests, and makes one of those that are equal.
void collapse(std::vector<Lack>& lacks) {
  std::ranges::sort(lacks, {}, &Lack::digest);
  std::size_t kept = 0;
  for (std::size_t i = 1; i < lacks.size(); ++i) {
    if (lacks[i].digest == lacks[kept].digest) {
      lacks[kept].count += lacks[i].count;
    } else {
      lacks[++kept] = lacks[i];
    }
  }
  if (!lacks.empty()) lacks.resize(kept + 1);
}

/// A share of all digests, which are spread evenly.
struct Share {
  std::uint64_t number = 0;
  std::uint64_t count = 1;  ///< below 2^32

  bool has(const RowDigest& digest) const noexcept { return ((digest.high >> 32U) * count >> 32U) == number; }
};

/// Of the rows of a share.
std::vector<Lack> find_lacks(const ComparedTable& table, const Share& share, std::int64_t digests_max) {
  std::vector<Lack> lacks;
  std::size_t size_max = 2 * static_cast<std::size_t>(digests_max);
  each_digest_of_source(table, [&](const RowDigest& digest, ByteView) {
    if (!share.has(digest)) return;
    lacks.push_back({.digest = digest});
    if (lacks.size() < size_max) return;
    collapse(lacks);
    size_max = std::max(size_max, 2 * lacks.size());
  });
  collapse(lacks);
  each_digest_of_target(table, [&](const RowDigest& digest, ByteView) {
    if (!share.has(digest)) return;
    const auto found = std::ranges::lower_bound(lacks, digest, {}, &Lack::digest);
    if (found != lacks.end() && found->digest == digest) --found->count;
  });
  std::erase_if(lacks, [](const Lack& lack) { return lack.count <= 0; });
  return lacks;
}

}  // namespace

std::vector<RowDifference> find_differences(const ComparedTable& table, std::size_t differences_max) {
  std::vector<DigestSum> of_source(group_count);
  std::vector<DigestSum> of_target(group_count);
  each_digest_of_source(table,
                        [&](const RowDigest& digest, ByteView) { of_source[group_of(digest)].add(digest); });
  each_digest_of_target(table,
                        [&](const RowDigest& digest, ByteView) { of_target[group_of(digest)].add(digest); });
  const std::vector<bool> is_examined = groups_to_examine(of_source, of_target);
  // Positive where the source has more of a row, negative where the target has.
  Surplus surplus;
  const auto count = [&](const RowDigest& digest, std::int64_t by) {
    if (!is_examined[group_of(digest)]) return;
    const auto entry = surplus.try_emplace(digest).first;
    entry->second += by;
    if (entry->second == 0) surplus.erase(entry);
  };
  each_digest_of_source(table, [&](const RowDigest& digest, ByteView) { count(digest, 1); });
  each_digest_of_target(table, [&](const RowDigest& digest, ByteView) { count(digest, -1); });
  Surplus of_one_side;
  std::vector<RowDifference> differences;
  for (const bool is_source : {true, false}) {
    of_one_side.clear();
    for (const auto& [digest, more] : surplus) {
      if ((more > 0) == is_source && of_one_side.size() < differences_max)
        of_one_side.emplace(digest, is_source ? more : -more);
    }
    tell_rows(table, is_source, of_one_side, differences);
  }
  return differences;
}

std::vector<RowDifference> find_missing(const ComparedTable& table, std::size_t differences_max,
                                        std::int64_t digests_max) {
  const std::uint64_t shares = static_cast<std::uint64_t>(table.plan.rows / digests_max) + 1;
  Surplus missing;
  for (std::uint64_t share = 0; share < shares && missing.size() < differences_max; ++share) {
    for (const Lack& lack : find_lacks(table, {.number = share, .count = shares}, digests_max)) {
      if (missing.size() < differences_max) missing.emplace(lack.digest, lack.count);
    }
  }
  std::vector<RowDifference> differences;
  tell_rows(table, true, missing, differences);
  return differences;
}

}  // namespace nerve::convert
