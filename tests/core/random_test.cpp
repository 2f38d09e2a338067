// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/random.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

namespace nerve {

namespace {

/// Gives numbers in the order in which a test lists them.
class ScriptedRandom final : public Random {
 public:
  explicit ScriptedRandom(std::vector<std::uint64_t> numbers) : numbers_(std::move(numbers)) {}
  void fill(std::span<std::byte> bytes) override {
    REQUIRE(next_ < numbers_.size());
    REQUIRE(bytes.size() == sizeof(std::uint64_t));
    std::memcpy(bytes.data(), &numbers_[next_++], bytes.size());
  }
  std::size_t used() const { return next_; }

 private:
  std::vector<std::uint64_t> numbers_;
  std::size_t next_ = 0;
};

}  // namespace

TEST_CASE("the seeded generator is SplitMix64") {
  // The first five outputs for seed 1234567, as Rosetta Code publishes them ("Pseudo-random
  // numbers/Splitmix64").
  SeededRandom random(1234567);
  for (const std::uint64_t expected : {6457827717110365317U, 3203168211198807973U, 9817491932198370423U,
                                       4593380528125082431U, 16408922859458223821U}) {
    std::array<std::byte, 8> bytes{};
    random.fill(bytes);
    CHECK(std::bit_cast<std::uint64_t>(bytes) == expected);
  }
}

TEST_CASE("draws that would favour small numbers are dropped") {
  // 2^64 mod 3 is 1: of all draws only 0 is surplus.
  ScriptedRandom random({0, 1});
  CHECK(random.below(3) == 1);
  CHECK(random.used() == 2);
  // 2^64 mod (2^63 + 1) is 2^63 - 1: everything below that is surplus.
  const std::uint64_t bound = (std::uint64_t{1} << 63) + 1;
  ScriptedRandom large({5, bound - 3, bound - 2});
  CHECK(large.below(bound) == bound - 2);
  CHECK(large.used() == 3);
}

TEST_CASE("a power of two needs one draw and 1 has one answer") {
  ScriptedRandom random({0xffff'ffff'ffff'ffff, 7});
  CHECK(random.below(16) == 15);
  CHECK(random.below(1) == 0);
  CHECK(random.used() == 2);
}

TEST_CASE("a bound of 0 is refused") {
  SeededRandom random(1);
  CHECK_THROWS_AS(random.below(0), ValidationError);
}

TEST_CASE("all numbers below a bound are drawn about equally often") {
  SeededRandom random(42);
  std::array<int, 10> counts{};
  for (int i = 0; i < 100'000; ++i) ++counts[random.below(counts.size())];
  // Ten standard deviations of a binomial distribution with p = 0.1 are 949.
  for (const int count : counts) CHECK(std::abs(count - 10'000) < 949);
}

TEST_CASE("the system fills every byte of a large span, differently each time") {
  // More than the 256 bytes that getrandom(2) never interrupts.
  std::vector<std::byte> first(100'000);
  std::vector<std::byte> second(100'000);
  system_random().fill(first);
  system_random().fill(second);
  CHECK(first != second);
  std::array<int, 256> counts{};
  for (const std::byte byte : first) ++counts[std::to_integer<std::size_t>(byte)];
  // The mean is 390.6, the standard deviation below 20: a gap of zeros or a constant would show.
  CHECK(*std::min_element(counts.begin(), counts.end()) > 190);
  CHECK(*std::max_element(counts.begin(), counts.end()) < 590);
}

}  // namespace nerve
