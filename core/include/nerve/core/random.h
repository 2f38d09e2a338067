// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nerve {

/// Where random bytes come from. Nothing else makes them, so that tests can repeat a run.
class Random {
 public:
  virtual ~Random() = default;

  virtual void fill(std::span<std::byte> bytes) = 0;

  /// A number from 0 to `bound` - 1, each equally likely (what would favour the small ones is drawn again).
  /// Throws ValidationError when `bound` is 0.
  std::uint64_t below(std::uint64_t bound);
};

/// The operating system's generator, getrandom(2): fit for keys. Safe for many threads, and keeps no buffer,
/// so a forked child never repeats its parent. fill() throws Error when the system refuses.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> bytes) override;
};

/// The one SystemRandom of the process. It has no state, so sharing it couples nothing.
SystemRandom& system_random() noexcept;

/// The same bytes for the same seed (SplitMix64). For tests and benchmarks; never for anything secret. For
/// one thread.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) noexcept : state_(seed) {}

  void fill(std::span<std::byte> bytes) override;

 private:
  std::uint64_t state_;
};

}  // namespace nerve
