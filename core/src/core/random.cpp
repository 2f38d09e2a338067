// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/random.h"

#include "nerve/core/error.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace nerve {

std::uint64_t Random::below(std::uint64_t bound) {
  if (bound == 0) throw ValidationError("a random number below 0 was asked for");
  // 2^64 mod bound: as many of the smallest draws are dropped, so that a multiple of `bound` remains.
  const std::uint64_t surplus = (0 - bound) % bound;
  while (true) {
    std::array<std::byte, sizeof(std::uint64_t)> drawn{};
    fill(drawn);
    const auto number = std::bit_cast<std::uint64_t>(drawn);
    if (number >= surplus) return number % bound;
  }
}

void SystemRandom::fill(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t filled = getrandom(bytes.data(), bytes.size(), 0);
    if (filled < 0 && errno == EINTR) continue;
    if (filled < 0) {
      throw Error(ErrorKind::unavailable,
                  "the system gives no random bytes: " + std::generic_category().message(errno),
                  "Check that no sandbox forbids the getrandom system call.");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(filled));
  }
}

SystemRandom& system_random() noexcept {
  static SystemRandom random;
  return random;
}

// SplitMix64: G. L. Steele, D. Lea, C. H. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA
// 2014.
void SeededRandom::fill(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    mixed ^= mixed >> 31;
    const std::size_t part = std::min(bytes.size(), sizeof(mixed));
    std::memcpy(bytes.data(), &mixed, part);
    bytes = bytes.subspan(part);
  }
}

}  // namespace nerve
