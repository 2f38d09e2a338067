// SPDX-License-Identifier: Apache-2.0
// The sizes, counts, durations and lists of nerve/core/text.h.
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string>

namespace nerve {

std::string format_size(std::uint64_t size_bytes) {
  constexpr std::array<const char*, 6> units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (size_bytes < 1024) return fmt::format("{} B", size_bytes);
  double size = static_cast<double>(size_bytes) / 1024;
  std::size_t unit = 0;
  // 1023.95 and more would be shown as "1024.0".
  while (size >= 1023.95 && unit + 1 < units.size()) {
    size /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", size, units[unit]);
}

std::string format_count(std::int64_t count) {
  std::string digits = std::to_string(count);
  const std::size_t first_digit = count < 0 ? 1 : 0;
  for (std::size_t place = digits.size(); place > first_digit + 3;) {
    place -= 3;
    digits.insert(place, 1, ',');
  }
  return digits;
}

namespace {

/// "2 min 5 s", and "2 min" where nothing is left of the smaller unit.
std::string in_two_units(std::int64_t amount, std::int64_t per_larger, const char* larger,
                         const char* smaller) {
  const std::string text = fmt::format("{} {}", amount / per_larger, larger);
  return amount % per_larger == 0 ? text : fmt::format("{} {} {}", text, amount % per_larger, smaller);
}

}  // namespace

std::string format_duration(std::chrono::nanoseconds duration) {
  if (duration < std::chrono::nanoseconds::zero()) {
    // The most negative span has no positive counterpart.
    const auto opposite =
        duration == std::chrono::nanoseconds::min() ? std::chrono::nanoseconds::max() : -duration;
    return fmt::format("-{}", format_duration(opposite));
  }
  const auto ns = static_cast<double>(duration.count());
  if (ns < 1e3) return fmt::format("{} ns", duration.count());
  if (ns < 999.5e3) return fmt::format("{:.{}f} \xc2\xb5s", ns / 1e3, ns < 9.95e3 ? 1 : 0);
  if (ns < 999.5e6) return fmt::format("{:.{}f} ms", ns / 1e6, ns < 9.95e6 ? 1 : 0);
  if (ns < 59.95e9) return fmt::format("{:.1f} s", ns / 1e9);

  // Rounded by hand: std::chrono::round compares in nanoseconds, where the longest spans overflow.
  const auto cut = std::chrono::floor<std::chrono::seconds>(duration);
  const bool up = duration - cut >= std::chrono::milliseconds(500);
  const std::chrono::seconds rounded = cut + std::chrono::seconds(up ? 1 : 0);
  const auto seconds = rounded.count();
  if (seconds < 3600) return in_two_units(seconds, 60, "min", "s");
  const auto minutes = std::chrono::round<std::chrono::minutes>(rounded).count();
  if (minutes < 24 * 60) return in_two_units(minutes, 60, "h", "min");
  const auto hours = std::chrono::round<std::chrono::hours>(rounded).count();
  return in_two_units(hours, 24, "d", "h");
}

std::string list_names(std::span<const std::string> names, std::size_t named_max) {
  const std::span<const std::string> named = names.first(std::min(names.size(), named_max));
  std::string list = fmt::format("{}", fmt::join(named, ", "));
  if (names.size() > named_max) list += fmt::format(" and {} more", names.size() - named_max);
  return list;
}

}  // namespace nerve
