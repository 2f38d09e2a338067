// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace nerve {

/// A moment in UTC: microseconds since 1970-01-01T00:00:00Z, without leap seconds, in the years 0000 to 9999
/// of the proleptic Gregorian calendar. Every Timestamp therefore has its text; what would leave that range
/// throws ValidationError.
class Timestamp {
 public:
  static constexpr std::int64_t min_us = -62'167'219'200'000'000;  ///< 0000-01-01T00:00:00.000000Z
  static constexpr std::int64_t max_us = 253'402'300'799'999'999;  ///< 9999-12-31T23:59:59.999999Z

  constexpr Timestamp() noexcept = default;  ///< 1970-01-01T00:00:00.000000Z

  static constexpr Timestamp from_microseconds(std::int64_t since_1970_us) {
    if (since_1970_us < min_us || since_1970_us > max_us) throw_out_of_range();
    return Timestamp(since_1970_us);
  }

  /// Reads RFC 3339: `YYYY-MM-DD`, `T` or a space, `HH:MM:SS`, no fraction or one of 1 to 6 digits, then `Z`
  /// or an offset `±hh` or `±hh:mm`. The calendar is strict; second 60 and a missing zone are refused. Throws
  /// ValidationError, whose message holds nothing of `text`.
  static Timestamp parse(std::string_view text);

  /// `YYYY-MM-DDTHH:MM:SS.ffffffZ`: always 27 characters, which sort as time.
  std::string to_text() const;

  /// For people, to the second: `YYYY-MM-DD HH:MM:SS+hh:mm` in the zone of the process (TZ), or `YYYY-MM-DD
  /// HH:MM:SSZ` when `utc` is set. parse() reads both.
  std::string to_local_text(bool utc) const;

  constexpr std::int64_t microseconds() const noexcept { return since_1970_us_; }

  friend constexpr auto operator<=>(Timestamp, Timestamp) noexcept = default;

  friend constexpr Timestamp operator+(Timestamp time, std::chrono::microseconds span) {
    std::int64_t sum_us = 0;
    if (__builtin_add_overflow(time.since_1970_us_, span.count(), &sum_us)) throw_out_of_range();
    return from_microseconds(sum_us);
  }
  friend constexpr Timestamp operator-(Timestamp time, std::chrono::microseconds span) {
    std::int64_t difference_us = 0;
    if (__builtin_sub_overflow(time.since_1970_us_, span.count(), &difference_us)) throw_out_of_range();
    return from_microseconds(difference_us);
  }
  friend constexpr std::chrono::microseconds operator-(Timestamp left, Timestamp right) noexcept {
    return std::chrono::microseconds(left.since_1970_us_ - right.since_1970_us_);
  }
  constexpr Timestamp& operator+=(std::chrono::microseconds span) { return *this = *this + span; }
  constexpr Timestamp& operator-=(std::chrono::microseconds span) { return *this = *this - span; }

 private:
  explicit constexpr Timestamp(std::int64_t since_1970_us) noexcept : since_1970_us_(since_1970_us) {}
  [[noreturn]] static void throw_out_of_range();

  std::int64_t since_1970_us_ = 0;
};

}  // namespace nerve
