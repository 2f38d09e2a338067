// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace nerve {

/// The character of a number below 16.
constexpr char hex_digit(unsigned value) noexcept {
  constexpr std::string_view digits = "0123456789abcdef";
  return digits[value];
}

/// The number that a hexadecimal digit of either case stands for; 16 or more for any other character.
constexpr unsigned hex_value(char digit) noexcept {
  constexpr unsigned no_digit = 16;
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a') + 10;
  if (digit >= 'A' && digit <= 'F') return static_cast<unsigned>(digit - 'A') + 10;
  return no_digit;
}

}  // namespace nerve
