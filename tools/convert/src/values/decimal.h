// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "values/row_buffer.h"

#include <array>
#include <cstdint>

namespace nerve::convert {

/// A decimal number of at most 19 digits: digits × 10^exponent, negative or not. Zero has no digits.
/// Otherwise neither its first nor its last digit is 0.
struct Decimal {
  std::array<char, 20> digits{};  ///< '0' to '9', the most significant first
  int digit_count = 0;
  int exponent = 0;
  bool is_negative = false;

  /// Digits before the point, leading zeros not counted.
  int integer_digits() const noexcept { return digit_count + exponent > 0 ? digit_count + exponent : 0; }
  /// Digits behind the point.
  int fraction_digits() const noexcept { return exponent < 0 ? -exponent : 0; }
};

Decimal to_decimal(std::int64_t value) noexcept;
/// The decimal number with the fewest digits that is read as this double again. `value` is finite. The sign
/// of a negative zero is lost.
Decimal to_decimal(double value) noexcept;

/// Appends a field of type numeric. Its display scale is the number of digits behind the point.
void append_numeric(const Decimal& value, RowBuffer& buffer);
/// Appends a field of type numeric that holds an infinity (PostgreSQL 14 and later).
void append_numeric_infinity(bool is_negative, RowBuffer& buffer);

}  // namespace nerve::convert
