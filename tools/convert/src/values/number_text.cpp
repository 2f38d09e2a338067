// SPDX-License-Identifier: Apache-2.0
#include "values/number_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace nerve::convert {

bool is_in_double(std::int64_t value) noexcept {
  constexpr double two_to_63 = 9'223'372'036'854'775'808.0;
  const auto rounded = static_cast<double>(value);
  return rounded < two_to_63 && static_cast<std::int64_t>(rounded) == value;
}

NumberText number_text(std::int64_t value) noexcept {
  NumberText text;
  char* const begin = text.characters_.data();
  text.size_ =
      static_cast<std::size_t>(std::to_chars(begin, begin + text.characters_.size(), value).ptr - begin);
  return text;
}

NumberText number_text(double value) noexcept {
  NumberText text;
  char* const begin = text.characters_.data();
  if (std::isinf(value)) {
    const std::string_view name = value < 0 ? "-Infinity" : "Infinity";
    std::ranges::copy(name, begin);
    text.size_ = name.size();
    return text;
  }
  char* end = std::to_chars(begin, begin + text.characters_.size(), value).ptr;
  const auto is_of_real = [](char c) { return c == '.' || c == 'e'; };
  if (std::none_of(begin, end, is_of_real)) {
    *end++ = '.';
    *end++ = '0';
  }
  text.size_ = static_cast<std::size_t>(end - begin);
  return text;
}

}  // namespace nerve::convert
