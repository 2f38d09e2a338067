// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/bytes.h"

#include "hex_digit.h"

#include "nerve/core/error.h"

#include <array>
#include <cstdint>

namespace nerve {

namespace {

constexpr std::string_view base64url_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint32_t no_digit = 0xff;

constexpr std::array<std::uint8_t, 256> base64url_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_digit);
  for (std::size_t i = 0; i < base64url_digits.size(); ++i) {
    values[static_cast<std::uint8_t>(base64url_digits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

[[noreturn]] void refuse_character(std::size_t position, const char* what) {
  throw ValidationError("character " + std::to_string(position + 1) + " of the text is not " + what);
}

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string text(bytes.size() * 2, '0');
  char* out = text.data();
  for (const std::byte byte : bytes) {
    *out++ = hex_digit(std::to_integer<unsigned>(byte >> 4));
    *out++ = hex_digit(std::to_integer<unsigned>(byte & std::byte{0x0f}));
  }
  return text;
}

Bytes from_hex(std::string_view text) {
  if (text.size() % 2 != 0) throw ValidationError("hexadecimal text has an odd number of digits");
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const unsigned high = hex_value(text[i]);
    const unsigned low = hex_value(text[i + 1]);
    if (high > 15 || low > 15) refuse_character(high > 15 ? i : i + 1, "a hexadecimal digit");
    bytes.push_back(static_cast<std::byte>(high << 4 | low));
  }
  return bytes;
}

std::string to_base64url(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  for (const std::byte byte : bytes) {
    pending = (pending << 8 | std::to_integer<std::uint32_t>(byte)) & 0xffffU;
    pending_bits += 8;
    while (pending_bits >= 6) {
      pending_bits -= 6;
      text += base64url_digits[pending >> pending_bits & 0x3fU];
    }
  }
  if (pending_bits > 0) text += base64url_digits[pending << (6 - pending_bits) & 0x3fU];
  return text;
}

Bytes from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) throw ValidationError("base64url text has a length that no bytes have");
  Bytes bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint32_t digit = base64url_values[static_cast<std::uint8_t>(text[i])];
    if (digit == no_digit) refuse_character(i, "a base64url digit");
    pending = (pending << 6 | digit) & 0xffffU;
    pending_bits += 6;
    if (pending_bits < 8) continue;
    pending_bits -= 8;
    bytes.push_back(static_cast<std::byte>(pending >> pending_bits & 0xffU));
  }
  if ((pending & ((1U << pending_bits) - 1)) != 0) {
    throw ValidationError("base64url text ends in bits that belong to no byte");
  }
  return bytes;
}

bool equal_constant_time(ByteView left, ByteView right) noexcept {
  if (left.size() != right.size()) return false;
  // The accumulator is volatile so that the compiler cannot turn the loop into one that stops at the first
  // difference.
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    difference = static_cast<unsigned char>(difference | std::to_integer<unsigned char>(left[i] ^ right[i]));
  }
  return difference == 0;
}

}  // namespace nerve
