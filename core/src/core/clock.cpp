// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/clock.h"

namespace nerve {

Timestamp SystemClock::now() const {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return Timestamp::from_microseconds(
      std::chrono::duration_cast<std::chrono::microseconds>(since_1970).count());
}

SystemClock& system_clock() noexcept {
  static SystemClock clock;
  return clock;
}

}  // namespace nerve
