// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nerve::convert {

/// Whether a double holds this integer, so that it can be had back.
bool is_in_double(std::int64_t value) noexcept;

/// A short text that is kept without an allocation.
class NumberText {
 public:
  std::string_view view() const noexcept { return {characters_.data(), size_}; }

 private:
  friend NumberText number_text(std::int64_t value) noexcept;
  friend NumberText number_text(double value) noexcept;

  std::array<char, 32> characters_{};
  std::size_t size_ = 0;
};

/// The digits of an integer.
NumberText number_text(std::int64_t value) noexcept;
/// The shortest text that is read as this double again; it has a point or an exponent, so that it is not
/// taken for an integer: "0.1", "5.0", "1e+100", "-0.0", "Infinity", "-Infinity".
NumberText number_text(double value) noexcept;

}  // namespace nerve::convert
