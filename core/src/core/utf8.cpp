// SPDX-License-Identifier: Apache-2.0
// The UTF-8 of nerve/core/text.h.
#include "nerve/core/text.h"

#include <cstdint>
#include <cstring>

namespace nerve {

namespace {

/// What the first byte of a sequence says, by Unicode 15 table 3-7. The range of the second byte is narrower
/// than the usual 80..BF after E0 and F0 (overlong forms), ED (surrogates) and F4 (beyond U+10FFFF).
struct Lead {
  std::size_t size_bytes = 0;  // 0: begins no sequence
  char32_t bits = 0;
  unsigned second_min = 0x80;
  unsigned second_max = 0xbf;
};

constexpr Lead lead_of(unsigned byte) noexcept {
  if (byte < 0x80) return {.size_bytes = 1, .bits = byte};
  if (byte < 0xc2) return {};
  if (byte < 0xe0) return {.size_bytes = 2, .bits = byte & 0x1fU};
  if (byte == 0xe0) return {.size_bytes = 3, .bits = 0, .second_min = 0xa0};
  if (byte == 0xed) return {.size_bytes = 3, .bits = 0x0d, .second_max = 0x9f};
  if (byte < 0xf0) return {.size_bytes = 3, .bits = byte & 0x0fU};
  if (byte == 0xf0) return {.size_bytes = 4, .bits = 0, .second_min = 0x90};
  if (byte < 0xf4) return {.size_bytes = 4, .bits = byte & 0x07U};
  if (byte == 0xf4) return {.size_bytes = 4, .bits = 0x04, .second_max = 0x8f};
  return {};
}

/// How many bytes of ASCII a text begins with. Most text is nothing else, so it is read by words.
std::size_t ascii_prefix(std::string_view text) noexcept {
  constexpr std::uint64_t high_bits = 0x8080808080808080;
  std::size_t place = 0;
  for (; place + sizeof(std::uint64_t) <= text.size(); place += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + place, sizeof word);
    if ((word & high_bits) != 0) break;
  }
  while (place < text.size() && static_cast<unsigned char>(text[place]) < 0x80) ++place;
  return place;
}

}  // namespace

CodePoint first_code_point(std::string_view text) noexcept {
  const auto byte_at = [text](std::size_t place) {
    return static_cast<unsigned>(static_cast<unsigned char>(text[place]));
  };
  constexpr CodePoint invalid{.value = 0, .size_bytes = 1, .valid = false};
  const Lead lead = lead_of(byte_at(0));
  if (lead.size_bytes == 0 || lead.size_bytes > text.size()) return invalid;
  char32_t value = lead.bits;
  for (std::size_t place = 1; place < lead.size_bytes; ++place) {
    const unsigned byte = byte_at(place);
    const unsigned minimum = place == 1 ? lead.second_min : 0x80U;
    const unsigned maximum = place == 1 ? lead.second_max : 0xbfU;
    if (byte < minimum || byte > maximum) return invalid;
    value = value << 6 | (byte & 0x3fU);
  }
  return {.value = value, .size_bytes = lead.size_bytes, .valid = true};
}

bool is_valid_utf8(std::string_view text) noexcept {
  for (;;) {
    text.remove_prefix(ascii_prefix(text));
    if (text.empty()) return true;
    const CodePoint point = first_code_point(text);
    if (!point.valid) return false;
    text.remove_prefix(point.size_bytes);
  }
}

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view spaces = " \t\n\r\f\v";
  const std::size_t begin = std::min(text.find_first_not_of(spaces), text.size());
  const std::size_t end = text.find_last_not_of(spaces);
  return end == std::string_view::npos ? std::string_view() : text.substr(begin, end + 1 - begin);
}

std::string_view cut_text(std::string_view text, std::size_t size_bytes_max) noexcept {
  if (text.size() <= size_bytes_max) return text;
  std::size_t end = size_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

}  // namespace nerve
