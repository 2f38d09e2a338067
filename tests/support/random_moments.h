// SPDX-License-Identifier: Apache-2.0
// Random moments at which a test kills or signals what it runs.
#pragma once

#include "support/effort.h"

#include <algorithm>
#include <chrono>
#include <random>

namespace nerve::test {

/// Moments for runs that are to be disturbed, until as many were as wanted. A run may end before its moment,
/// for a machine is not equally fast all the time; another one makes up for it, up to four times as many
/// (or 40).
/// Outside of a long run no more than kills_in_ci are wanted (effort.h).
class RandomMoments {
 public:
  RandomMoments(unsigned int seed, int wanted) : random_(seed), wanted_(at_most_in_ci(kills_in_ci, wanted)) {}

  bool is_one_wanted() const {
    return disturbed_ < wanted_ && runs_ < std::max(4 * wanted_, runs_min_of_few);
  }
  /// A moment in a run that takes `duration` when it is left alone.
  std::chrono::microseconds next(std::chrono::microseconds duration) {
    ++runs_;
    return std::chrono::microseconds(std::uniform_int_distribution<long>(0, duration.count())(random_));
  }
  void count(bool is_disturbed) {
    if (is_disturbed) ++disturbed_;
  }
  int runs() const { return runs_; }
  int wanted() const { return wanted_; }
  /// Whether as many runs were disturbed as wanted.
  bool is_enough() const { return disturbed_ >= wanted_; }

 private:
  /// Of a few runs too many may end before their moment.
  static constexpr int runs_min_of_few = 40;

  std::mt19937 random_;
  int wanted_;
  int runs_ = 0;
  int disturbed_ = 0;
};

}  // namespace nerve::test
