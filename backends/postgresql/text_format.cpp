// SPDX-License-Identifier: Apache-2.0
#include "postgresql/text_format.h"

#include <array>
#include <charconv>
#include <cmath>

namespace nerve::backends {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

template <class Number>
void append_number(Number number, std::string& text) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  text.append(buffer.data(), end);
}

}  // namespace

void append_text_format(const db::Value& value, std::string& text) {
  switch (value.type()) {
    case db::ValueType::null:
      return;
    case db::ValueType::integer:
      return append_number(value.as_integer(), text);
    case db::ValueType::boolean:
      text += value.as_boolean() ? 't' : 'f';
      return;
    case db::ValueType::real:
      if (std::isinf(value.as_real())) {
        text += value.as_real() > 0 ? "Infinity" : "-Infinity";
      } else {
        append_number(value.as_real(), text);
      }
      return;
    case db::ValueType::text:
      text += value.as_octets();
      return;
    case db::ValueType::bytes:
      text.reserve(text.size() + 2 + value.as_octets().size() * 2);
      text += "\\x";
      for (const char c : value.as_octets()) {
        const auto octet = static_cast<unsigned char>(c);
        text += {hex_digits[octet >> 4U], hex_digits[octet & 15U]};
      }
      return;
  }
}

bool decode_bytea(std::string_view text, std::string& octets) {
  octets.clear();
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return false;
  octets.reserve(text.size() / 2 - 1);
  for (std::size_t at = 2; at < text.size(); at += 2) {
    const int high = digit_value(text[at]);
    const int low = digit_value(text[at + 1]);
    if (high < 0 || low < 0) return false;
    octets += static_cast<char>(high * 16 + low);
  }
  return true;
}

}  // namespace nerve::backends
