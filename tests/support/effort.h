// SPDX-License-Identifier: Apache-2.0
// How much a test tries: what is enough for every change, or all of it.
#pragma once

#include <algorithm>
#include <cstdlib>

namespace nerve::test {

/// What a test of every change may do at most; CONTRIBUTING.md tells the rule.
inline constexpr int kills_in_ci = 5;
inline constexpr int sequences_in_ci = 200;
inline constexpr int rows_in_ci = 10'000;

/// Whether this is a long run, which tries everything: `tools/test --long AREA` sets NERVE_TEST_LONG.
inline bool is_long_run() {
  static const bool is_long = std::getenv("NERVE_TEST_LONG") != nullptr;  // NOLINT(concurrency-mt-unsafe)
  return is_long;
}

/// How many a test tries: `full_count` in a long run, `ci_count` otherwise. Both make the same claim.
template <class Count>
Count scaled(Count ci_count, Count full_count) {
  return is_long_run() ? full_count : ci_count;
}

/// So many kills, sequences or rows, but no more than `count_in_ci` outside of a long run.
template <class Count>
Count at_most_in_ci(Count count_in_ci, Count full_count) {
  return scaled(std::min(count_in_ci, full_count), full_count);
}

}  // namespace nerve::test
