// SPDX-License-Identifier: Apache-2.0
#include "values/decimal.h"

#include <charconv>
#include <cmath>
#include <string_view>
#include <vector>

namespace nerve::convert {
namespace {

// src/backend/utils/adt/numeric.c of PostgreSQL, numeric_send(): number of digits of base 10000, the weight
// of the first one, the sign, the display scale, the digits; 16 bits each.
constexpr int base_digits = 4;
constexpr std::uint16_t positive = 0x0000;
constexpr std::uint16_t negative = 0x4000;
constexpr std::uint16_t infinity = 0xd000;
constexpr std::uint16_t negative_infinity = 0xf000;
constexpr std::uint32_t head_bytes = 8;

void trim(Decimal& value) noexcept {
  while (value.digit_count > 0 && value.digits[static_cast<std::size_t>(value.digit_count) - 1] == '0') {
    --value.digit_count;
    ++value.exponent;
  }
  if (value.digit_count == 0) value = Decimal{};
}

int floor_divided(int value, int divisor) noexcept {
  return value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor);
}

}  // namespace

Decimal to_decimal(std::int64_t value) noexcept {
  Decimal decimal;
  decimal.is_negative = value < 0;
  const std::uint64_t magnitude =
      value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  const auto end =
      std::to_chars(decimal.digits.data(), decimal.digits.data() + decimal.digits.size(), magnitude).ptr;
  decimal.digit_count = static_cast<int>(end - decimal.digits.data());
  if (magnitude == 0) decimal.digit_count = 0;
  trim(decimal);
  return decimal;
}

Decimal to_decimal(double value) noexcept {
  Decimal decimal;
  if (value == 0) return decimal;
  decimal.is_negative = value < 0;
  // d[.d…]e±dd
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), std::fabs(value), std::chars_format::scientific)
          .ptr;
  const char* next = text.data();
  for (; next != end && *next != 'e'; ++next) {
    if (*next != '.') decimal.digits[static_cast<std::size_t>(decimal.digit_count++)] = *next;
  }
  ++next;
  if (*next == '+') ++next;
  int exponent = 0;
  std::from_chars(next, end, exponent);
  decimal.exponent = exponent - (decimal.digit_count - 1);
  trim(decimal);
  return decimal;
}

void append_numeric(const Decimal& value, RowBuffer& buffer) {
  if (value.digit_count == 0) {
    buffer.number<std::uint32_t>(head_bytes);
    buffer.number<std::uint64_t>(0);
    return;
  }
  // The place of the last digit is brought down to a multiple of four by zeros behind it, that of the first
  // one up by zeros before it.
  const int low = floor_divided(value.exponent, base_digits);
  const int zeros_behind = value.exponent - low * base_digits;
  const int total = value.digit_count + zeros_behind;
  const int groups = (total + base_digits - 1) / base_digits;
  buffer.number(static_cast<std::uint32_t>(head_bytes + 2 * static_cast<std::uint32_t>(groups)));
  buffer.number(static_cast<std::uint16_t>(groups));
  buffer.number(static_cast<std::uint16_t>(low + groups - 1));
  buffer.number(value.is_negative ? negative : positive);
  buffer.number(static_cast<std::uint16_t>(value.fraction_digits()));
  const int zeros_before = groups * base_digits - total;
  for (int group = 0; group < groups; ++group) {
    int number = 0;
    for (int place = group * base_digits; place < (group + 1) * base_digits; ++place) {
      const int digit = place - zeros_before;
      const bool is_digit = digit >= 0 && digit < value.digit_count;
      number = number * 10 + (is_digit ? value.digits[static_cast<std::size_t>(digit)] - '0' : 0);
    }
    buffer.number(static_cast<std::uint16_t>(number));
  }
}

void append_numeric_infinity(bool is_negative, RowBuffer& buffer) {
  buffer.number<std::uint32_t>(head_bytes);
  buffer.number<std::uint16_t>(0);
  buffer.number<std::uint16_t>(0);
  buffer.number(is_negative ? negative_infinity : infinity);
  buffer.number<std::uint16_t>(0);
}

}  // namespace nerve::convert
