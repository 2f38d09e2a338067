// SPDX-License-Identifier: Apache-2.0
#include "values/iso_time.h"

#include <chrono>
#include <cmath>

namespace nerve::convert {
namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr std::int64_t days_to_2000 = sys_days(year(2000) / 1 / 1).time_since_epoch().count();
constexpr std::int64_t us_min =
    (sys_days(year(1) / 1 / 1).time_since_epoch().count() - days_to_2000) * us_of_day;
constexpr std::int64_t us_end =
    (sys_days(year(10000) / 1 / 1).time_since_epoch().count() - days_to_2000) * us_of_day;
constexpr std::int64_t us_of_minute = 60'000'000;
constexpr std::int64_t us_of_second = 1'000'000;

/// Takes a text apart from its beginning; whatever does not fit makes `is_good` false for good.
class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept : rest_(text) {}

  bool is_good() const noexcept { return is_good_; }
  bool is_at_end() const noexcept { return rest_.empty(); }
  char next() const noexcept { return rest_.empty() ? '\0' : rest_.front(); }
  bool take(char wanted) noexcept {
    if (next() != wanted || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void require(char wanted) noexcept {
    if (!take(wanted)) is_good_ = false;
  }
  int digits(std::size_t count, int least, int most) noexcept {
    int value = 0;
    if (rest_.size() < count) is_good_ = false;
    for (std::size_t i = 0; is_good_ && i < count; ++i) {
      const char c = rest_[i];
      if (c < '0' || c > '9') is_good_ = false;
      value = value * 10 + (c - '0');
    }
    if (value < least || value > most) is_good_ = false;
    if (is_good_) rest_.remove_prefix(count);
    return value;
  }
  /// Microseconds of one to six digits.
  int fraction() noexcept {
    int value = 0;
    int count = 0;
    while (next() >= '0' && next() <= '9' && count < 6) {
      value = value * 10 + (next() - '0');
      rest_.remove_prefix(1);
      ++count;
    }
    if (count == 0) is_good_ = false;
    for (; count < 6; ++count) value *= 10;
    return value;
  }

 private:
  std::string_view rest_;
  bool is_good_ = true;
};

std::int64_t date_us(Scanner& text) noexcept {
  const int the_year = text.digits(4, 1, 9999);
  text.require('-');
  const int the_month = text.digits(2, 1, 12);
  text.require('-');
  const int the_day = text.digits(2, 1, 31);
  if (!text.is_good()) return 0;
  const year_month_day date{year(the_year), month(static_cast<unsigned>(the_month)),
                            day(static_cast<unsigned>(the_day))};
  // A Scanner that is not good stays so.
  if (!date.ok()) text.digits(1, 1, 0);
  return (sys_days(date).time_since_epoch().count() - days_to_2000) * us_of_day;
}

/// The written offset from UTC in minutes.
std::int64_t zone_minutes(Scanner& text) noexcept {
  if (text.take('Z')) return 0;
  const int sign = text.take('-') ? -1 : 1;
  if (sign == 1) text.require('+');
  const int hours = text.digits(2, 0, 14);
  text.require(':');
  return sign * (hours * 60 + text.digits(2, 0, 59));
}

std::optional<std::int64_t> in_range(std::int64_t us) noexcept {
  if (us < us_min || us >= us_end) return std::nullopt;
  return us;
}

std::optional<std::int64_t> since_1970(std::int64_t count, std::int64_t unit_us) noexcept {
  std::int64_t us = 0;
  if (__builtin_mul_overflow(count, unit_us, &us) ||
      __builtin_sub_overflow(us, days_to_2000 * us_of_day, &us)) {
    return std::nullopt;
  }
  return in_range(us);
}

}  // namespace

std::optional<IsoTime> parse_iso_time(std::string_view whole) noexcept {
  Scanner text(whole);
  IsoTime time;
  time.since_2000_us = date_us(text);
  if (!text.is_good()) return std::nullopt;
  if (text.is_at_end()) return time;
  const bool has_t = text.take('T');
  if (!has_t) text.require(' ');
  const int hours = text.digits(2, 0, 23);
  text.require(':');
  const int minutes = text.digits(2, 0, 59);
  time.since_2000_us += (hours * 60 + minutes) * us_of_minute;
  const bool has_seconds = text.take(':');
  if (has_seconds) {
    time.since_2000_us += text.digits(2, 0, 59) * us_of_second;
    time.has_fraction = text.take('.');
    if (time.has_fraction) time.since_2000_us += text.fraction();
  }
  const bool is_zoned = text.is_good() && !text.is_at_end();
  if (is_zoned) time.since_2000_us -= zone_minutes(text) * us_of_minute;
  if (!text.is_good() || !text.is_at_end() || !in_range(time.since_2000_us)) return std::nullopt;
  const int form = 1 + (has_t ? 2 : 0) + (has_seconds ? 1 : 0) + (is_zoned ? 4 : 0);
  time.form = static_cast<IsoForm>(form);
  return time;
}

std::optional<std::int64_t> from_epoch_seconds(std::int64_t seconds) noexcept {
  return since_1970(seconds, us_of_second);
}

std::optional<std::int64_t> from_epoch_milliseconds(std::int64_t milliseconds) noexcept {
  return since_1970(milliseconds, 1'000);
}

std::optional<std::int64_t> from_julian_day(double day) noexcept {
  constexpr double ms_of_day = 86'400'000.0;
  constexpr double day_of_2000 = 2'451'544.5;
  if (!(day > 1'721'425.0 && day < 5'373'485.0)) return std::nullopt;
  const auto ms = static_cast<std::int64_t>(std::floor(day * ms_of_day + 0.5));
  if (static_cast<double>(ms) / ms_of_day != day) return std::nullopt;
  return in_range((ms - static_cast<std::int64_t>(day_of_2000 * ms_of_day)) * 1'000);
}

}  // namespace nerve::convert
