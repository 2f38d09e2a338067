// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nerve::test {

/// Numbers that are the same in every run (Knuth's MMIX generator).
class Dice {
 public:
  /// Where each run begins; a test that fails prints it.
  static constexpr std::uint64_t seed = 1;

  template <typename Container>
  const auto& pick(const Container& container) {
    return container[next() % container.size()];
  }
  std::uint64_t next() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return state_ >> 33;
  }

 private:
  std::uint64_t state_ = seed;
};

}  // namespace nerve::test
