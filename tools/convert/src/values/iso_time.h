// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nerve::convert {

/// How a date or a moment is written. A column is one of time where all its texts have one form: mixed forms
/// compare differently as text than as time.
enum class IsoForm : std::uint8_t {
  date,                ///< YYYY-MM-DD
  space_minutes,       ///< YYYY-MM-DD HH:MM
  space_seconds,       ///< YYYY-MM-DD HH:MM:SS, with or without a fraction
  t_minutes,           ///< YYYY-MM-DDTHH:MM
  t_seconds,           ///< YYYY-MM-DDTHH:MM:SS, with or without a fraction
  space_minutes_zone,  ///< as above, then Z or ±HH:MM
  space_seconds_zone,
  t_minutes_zone,
  t_seconds_zone,
};
inline constexpr int iso_form_count = 9;

constexpr bool has_zone(IsoForm form) noexcept {
  return form >= IsoForm::space_minutes_zone;
}

struct IsoTime {
  std::int64_t since_2000_us = 0;  ///< of the written time, or in UTC where a zone is written
  IsoForm form = IsoForm::date;
  bool has_fraction = false;  ///< of a second
};

/// Reads what SQLite's date functions read of ISO 8601, with years 0001 to 9999, no 24th hour, no leap second
/// and at most six digits of a fraction: what PostgreSQL's timestamp keeps whole. Days follow the proleptic
/// Gregorian calendar.
std::optional<IsoTime> parse_iso_time(std::string_view text) noexcept;

inline constexpr std::int64_t us_of_day = 86'400'000'000;

/// Microseconds since 2000-01-01 of a moment that is given in seconds or milliseconds since 1970-01-01;
/// absent outside the years 1 to 9999.
std::optional<std::int64_t> from_epoch_seconds(std::int64_t seconds) noexcept;
std::optional<std::int64_t> from_epoch_milliseconds(std::int64_t milliseconds) noexcept;
/// Of a Julian day number, to the millisecond, as SQLite's date functions read it; absent outside the years 1
/// to 9999, and where the day is not the nearest one to any millisecond, so that something would be lost.
std::optional<std::int64_t> from_julian_day(double day) noexcept;

}  // namespace nerve::convert
