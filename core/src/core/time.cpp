// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/time.h"

#include "nerve/core/error.h"

#include <array>
#include <cstddef>
#include <ctime>
#include <optional>

namespace nerve {

namespace {

constexpr std::int64_t us_per_second = 1'000'000;
constexpr std::int64_t seconds_per_day = 86'400;
constexpr std::size_t fraction_digits_max = 6;
constexpr std::size_t text_length = 27;

[[noreturn]] void refuse(const char* what) {
  throw ValidationError(std::string("timestamp ") + what,
                        "Write it as RFC 3339 does, for example 2026-03-01T12:00:00Z.");
}

/// Reads a text from its beginning, one fixed-width part after another.
class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept : rest_(text) {}

  bool at_end() const noexcept { return rest_.empty(); }

  /// Takes the next character if it is one of `choices`.
  std::optional<char> take_any(std::string_view choices) noexcept {
    if (rest_.empty() || choices.find(rest_.front()) == std::string_view::npos) return std::nullopt;
    const char taken = rest_.front();
    rest_.remove_prefix(1);
    return taken;
  }
  void expect_any(std::string_view choices, const char* refusal) {
    if (!take_any(choices)) refuse(refusal);
  }
  std::optional<int> take_digit() noexcept {
    if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') return std::nullopt;
    const int digit = rest_.front() - '0';
    rest_.remove_prefix(1);
    return digit;
  }
  int number(int width, const char* refusal) {
    int value = 0;
    for (int i = 0; i < width; ++i) {
      const auto digit = take_digit();
      if (!digit) refuse(refusal);
      value = value * 10 + *digit;
    }
    return value;
  }

 private:
  std::string_view rest_;
};

std::int64_t parse_day(Scanner& scanner) {
  constexpr const char* refusal = "does not begin with a date YYYY-MM-DD";
  const int year = scanner.number(4, refusal);
  scanner.expect_any("-", refusal);
  const auto month = static_cast<unsigned>(scanner.number(2, refusal));
  scanner.expect_any("-", refusal);
  const auto day = static_cast<unsigned>(scanner.number(2, refusal));
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) refuse("names a day that the calendar does not have");
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::int64_t parse_fraction_us(Scanner& scanner) {
  if (!scanner.take_any(".")) return 0;
  std::int64_t fraction_us = 0;
  std::size_t digits = 0;
  while (const auto digit = scanner.take_digit()) {
    if (++digits > fraction_digits_max) refuse("has more than 6 digits after the point");
    fraction_us = fraction_us * 10 + *digit;
  }
  if (digits == 0) refuse("has no digit after the point");
  for (; digits < fraction_digits_max; ++digits) fraction_us *= 10;
  return fraction_us;
}

std::int64_t parse_time_of_day_us(Scanner& scanner) {
  constexpr const char* refusal = "has no time of day HH:MM:SS";
  const int hour = scanner.number(2, refusal);
  scanner.expect_any(":", refusal);
  const int minute = scanner.number(2, refusal);
  scanner.expect_any(":", refusal);
  const int second = scanner.number(2, refusal);
  if (hour > 23 || minute > 59 || second > 59) refuse("has a time of day beyond 23:59:59");
  return (hour * 3600 + minute * 60 + second) * us_per_second + parse_fraction_us(scanner);
}

std::int64_t parse_offset_us(Scanner& scanner) {
  constexpr const char* refusal = "has no zone: Z or an offset such as +01:00";
  if (scanner.take_any("Zz")) return 0;
  const auto sign = scanner.take_any("+-");
  if (!sign) refuse(refusal);
  const int hours = scanner.number(2, refusal);
  const int minutes = scanner.take_any(":") ? scanner.number(2, refusal) : 0;
  if (hours > 23 || minutes > 59) refuse("has an offset beyond 23:59");
  const std::int64_t offset_us = (hours * 60 + minutes) * 60 * us_per_second;
  return *sign == '-' ? -offset_us : offset_us;
}

/// Writes `value` with `width` digits and returns where it ended.
char* put_number(char* out, std::int64_t value, int width) {
  for (int i = width - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return out + width;
}

/// Writes `YYYY-MM-DDxHH:MM:SS` with `separator` at x and returns where it ended.
char* put_seconds(char* out, std::int64_t seconds, char separator) {
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::int64_t second_of_day = (time - day).count();
  out = put_number(out, static_cast<int>(date.year()), 4);
  *out++ = '-';
  out = put_number(out, static_cast<unsigned>(date.month()), 2);
  *out++ = '-';
  out = put_number(out, static_cast<unsigned>(date.day()), 2);
  *out++ = separator;
  out = put_number(out, second_of_day / 3600, 2);
  *out++ = ':';
  out = put_number(out, second_of_day / 60 % 60, 2);
  *out++ = ':';
  return put_number(out, second_of_day % 60, 2);
}

std::int64_t whole_seconds(std::int64_t time_us) {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::microseconds(time_us)).count();
}

/// How far the zone of the process is ahead of UTC then, cut to minutes since no text form has room for more.
std::int64_t local_offset_minutes(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm local{};
  if (localtime_r(&time, &local) == nullptr) return 0;
  return local.tm_gmtoff / 60;
}

}  // namespace

Timestamp Timestamp::parse(std::string_view text) {
  Scanner scanner(text);
  const std::int64_t day = parse_day(scanner);
  scanner.expect_any("Tt ", "has neither T nor a space between date and time");
  const std::int64_t time_of_day_us = parse_time_of_day_us(scanner);
  const std::int64_t offset_us = parse_offset_us(scanner);
  if (!scanner.at_end()) refuse("goes on after its zone");
  return from_microseconds(day * seconds_per_day * us_per_second + time_of_day_us - offset_us);
}

std::string Timestamp::to_text() const {
  const std::int64_t seconds = whole_seconds(since_1970_us_);
  std::array<char, text_length> text{};
  char* out = put_seconds(text.data(), seconds, 'T');
  *out++ = '.';
  out = put_number(out, since_1970_us_ - seconds * us_per_second, 6);
  *out++ = 'Z';
  return {text.data(), out};
}

std::string Timestamp::to_local_text(bool utc) const {
  const std::int64_t seconds = whole_seconds(since_1970_us_);
  std::int64_t offset_minutes = utc ? 0 : local_offset_minutes(seconds);
  // In the first and last hours of the range, local time may fall into a year without four digits.
  const std::int64_t local_us = since_1970_us_ + offset_minutes * 60 * us_per_second;
  const bool in_range = local_us >= min_us && local_us <= max_us;
  if (!in_range) offset_minutes = 0;

  std::array<char, text_length> text{};
  char* out = put_seconds(text.data(), seconds + offset_minutes * 60, ' ');
  if (utc || !in_range) {
    *out++ = 'Z';
  } else {
    const std::int64_t distance = offset_minutes < 0 ? -offset_minutes : offset_minutes;
    *out++ = offset_minutes < 0 ? '-' : '+';
    out = put_number(out, distance / 60, 2);
    *out++ = ':';
    out = put_number(out, distance % 60, 2);
  }
  return {text.data(), out};
}

void Timestamp::throw_out_of_range() {
  throw ValidationError("timestamp is outside the years 0000 to 9999");
}

}  // namespace nerve
