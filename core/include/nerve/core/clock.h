// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/time.h"

#include <atomic>
#include <chrono>
#include <cstdint>

namespace nerve {

/// Where the time comes from. Nothing else reads the clock, so that tests can say what time it is. Safe for
/// many threads.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
};

/// The clock of the operating system (CLOCK_REALTIME). It may be set back while the program runs.
class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
};

/// The one SystemClock of the process. It has no state, so sharing it couples nothing.
SystemClock& system_clock() noexcept;

/// A clock that stands still until it is told otherwise.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start = {}) noexcept : now_us_(start.microseconds()) {}

  Timestamp now() const override { return Timestamp::from_microseconds(now_us_.load()); }
  void set(Timestamp time) noexcept { now_us_ = time.microseconds(); }
  /// A negative span sets it back.
  void advance(std::chrono::microseconds span) { set(now() + span); }

 private:
  std::atomic<std::int64_t> now_us_;
};

}  // namespace nerve
