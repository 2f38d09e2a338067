// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "work.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nerve::bench {

struct Sizes {
  std::int64_t rows = 1'000'000;
  std::int64_t look_ups = 200'000;
  int rounds = 3;
};

/// Seconds of one contestant, the median of its rounds.
struct Times {
  std::string name;
  double insert_s = 0;
  double read_s = 0;
  double look_up_s = 0;
};

/// Runs all contestants, round by round in turn so that a noisy moment meets all of them. Throws when their
/// checksums differ.
std::vector<Times> measure(const std::vector<std::unique_ptr<Work>>& contestants, const Sizes& sizes);

}  // namespace nerve::bench
