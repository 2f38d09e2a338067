// SPDX-License-Identifier: Apache-2.0
#include "scan/column_scan.h"

#include "values/decimal.h"
#include "values/iso_time.h"
#include "values/json_text.h"
#include "values/number_text.h"
#include "values/uuid_text.h"

#include "nerve/core/text.h"

#include <algorithm>
#include <cmath>

namespace nerve::convert {
namespace {

constexpr std::int64_t fixed_bytes = 8;

// 100,000,000 to 10,000,000,000 seconds: 1973-03-03 to 2286-11-20. A year, a count or a key is not in there,
// and neither is a moment in milliseconds.
constexpr std::int64_t seconds_min = 100'000'000;
constexpr std::int64_t seconds_max = 9'999'999'999;
constexpr std::int64_t ms_of_second = 1'000;
constexpr double julian_day_min = 2'441'744.5;
constexpr double julian_day_max = 2'556'292.5;

void count_digits(const Decimal& decimal, ColumnProfile& profile) noexcept {
  profile.integer_digits_max = std::max(profile.integer_digits_max, decimal.integer_digits());
  profile.fraction_digits_max = std::max(profile.fraction_digits_max, decimal.fraction_digits());
}

void count_integer(std::int64_t value, const ColumnInterest& interest, ColumnProfile& profile) noexcept {
  ++profile.integers;
  profile.integer_min = std::min(profile.integer_min, value);
  profile.integer_max = std::max(profile.integer_max, value);
  if (!is_in_double(value)) ++profile.integers_beyond_double;
  if (interest.decimal) count_digits(to_decimal(value), profile);
  if (!interest.time) return;
  if (value >= seconds_min && value <= seconds_max) ++profile.integers_as_seconds;
  if (value >= seconds_min * ms_of_second && value <= seconds_max * ms_of_second)
    ++profile.integers_as_milliseconds;
}

void count_real(double value, const ColumnInterest& interest, ColumnProfile& profile) noexcept {
  ++profile.reals;
  if (std::isinf(value)) {
    ++profile.reals_infinite;
    return;
  }
  if (value == 0 && std::signbit(value)) ++profile.reals_negative_zero;
  if (interest.decimal) count_digits(to_decimal(value), profile);
  if (interest.time && value >= julian_day_min && value <= julian_day_max && from_julian_day(value))
    ++profile.reals_as_julian_days;
}

void count_text(std::string_view text, const ColumnInterest& interest, ColumnProfile& profile) {
  ++profile.texts;
  const auto bytes = static_cast<std::int64_t>(text.size());
  profile.bytes += bytes;
  profile.text_bytes_max = std::max(profile.text_bytes_max, bytes);
  if (text.find('\0') != std::string_view::npos) {
    ++profile.texts_with_nul;
    return;
  }
  if (!is_valid_utf8(text)) {
    ++profile.texts_not_utf8;
    return;
  }
  // Of a text that is no longer than the longest one so far in octets, the characters need not be counted.
  if (bytes > profile.text_characters_max) {
    const auto is_first = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; };
    profile.text_characters_max =
        std::max<std::int64_t>(profile.text_characters_max, std::ranges::count_if(text, is_first));
  }
  if (interest.time) {
    if (const auto time = parse_iso_time(text)) {
      ++profile.texts_of_iso_form[static_cast<std::size_t>(time->form)];
      if (time->has_fraction) ++profile.texts_with_fraction;
    }
  }
  if (interest.json && is_json_text(text)) ++profile.texts_as_json;
  if (interest.uuid && is_uuid_text(text)) ++profile.texts_as_uuid;
}

}  // namespace

std::int64_t count_value(const sqlite::Value& value, const ColumnInterest& interest, ColumnProfile& profile) {
  switch (value.storage_class) {
    case sqlite::StorageClass::null:
      ++profile.nulls;
      return 0;
    case sqlite::StorageClass::integer:
      count_integer(value.integer, interest, profile);
      return fixed_bytes;
    case sqlite::StorageClass::real:
      count_real(value.real, interest, profile);
      return fixed_bytes;
    case sqlite::StorageClass::text:
      count_text(value.octets, interest, profile);
      break;
    case sqlite::StorageClass::blob:
      ++profile.blobs;
      profile.bytes += static_cast<std::int64_t>(value.octets.size());
      profile.blob_bytes_max =
          std::max(profile.blob_bytes_max, static_cast<std::int64_t>(value.octets.size()));
      break;
  }
  return static_cast<std::int64_t>(value.octets.size());
}

}  // namespace nerve::convert
