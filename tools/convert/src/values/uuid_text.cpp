// SPDX-License-Identifier: Apache-2.0
#include "values/uuid_text.h"

namespace nerve::convert {
namespace {

constexpr std::size_t text_size = 36;

constexpr bool is_hyphen_place(std::size_t place) noexcept {
  return place == 8 || place == 13 || place == 18 || place == 23;
}

}  // namespace

std::optional<std::array<std::byte, 16>> parse_uuid(std::string_view text) noexcept {
  if (text.size() != text_size) return std::nullopt;
  std::array<std::byte, 16> octets{};
  std::size_t nibbles = 0;
  for (std::size_t place = 0; place < text_size; ++place) {
    const char c = text[place];
    if (is_hyphen_place(place)) {
      if (c != '-') return std::nullopt;
      continue;
    }
    int digit = 0;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      digit = c - 'a' + 10;
    } else {
      return std::nullopt;
    }
    std::byte& octet = octets[nibbles / 2];
    octet = (octet << 4) | static_cast<std::byte>(digit);
    ++nibbles;
  }
  return octets;
}

}  // namespace nerve::convert
