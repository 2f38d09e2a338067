// SPDX-License-Identifier: Apache-2.0
// to_canonical_text(): RFC 8785, with integers of 64 bits in full.
#include "hex_digit.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nerve {

namespace {

[[noreturn]] void refuse(const char* what) {
  throw ValidationError(std::string("JSON value has no canonical text: ") + what);
}

/// The sequence of UTF-16 code units as which RFC 8785 §3.2.3 compares keys.
std::u16string utf16_of(std::string_view text) {
  std::u16string units;
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    if (!point.valid) refuse("a key is not valid UTF-8");
    text.remove_prefix(point.size_bytes);
    if (point.value < 0x10000) {
      units += static_cast<char16_t>(point.value);
      continue;
    }
    const char32_t above = point.value - 0x10000;
    units += static_cast<char16_t>(0xd800 + (above >> 10));
    units += static_cast<char16_t>(0xdc00 + (above & 0x3ff));
  }
  return units;
}

/// ECMA-262 Number::toString, as RFC 8785 §3.2.2.3 asks: the shortest digits that read back as the same
/// number, placed by the exponent.
std::string number_text(double number) {
  if (!std::isfinite(number)) refuse("a number is not finite");
  if (number == 0) return "0";  // also for -0

  std::array<char, 32> buffer{};
  const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::fabs(number),
                                     std::chars_format::scientific);
  const std::string_view scientific(buffer.data(), static_cast<std::size_t>(written.ptr - buffer.data()));
  const std::size_t exponent_place = scientific.find('e');
  std::string digits(1, scientific.front());
  if (exponent_place > 2) digits += scientific.substr(2, exponent_place - 2);
  const int exponent = std::stoi(std::string(scientific.substr(exponent_place + 1)));

  const int length = static_cast<int>(digits.size());
  const int point = exponent + 1;  // digits before the decimal point
  std::string text = number < 0 ? "-" : "";
  if (point >= length && point <= 21) {
    text += digits + std::string(static_cast<std::size_t>(point - length), '0');
  } else if (point > 0 && point <= 21) {
    text += digits.insert(static_cast<std::size_t>(point), 1, '.');
  } else if (point > -6 && point <= 0) {
    text += "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  } else {
    if (length > 1) digits.insert(1, 1, '.');
    text += digits + (exponent < 0 ? "e-" : "e+") + std::to_string(std::abs(exponent));
  }
  return text;
}

class CanonicalWriter {
 public:
  void write(const Json& value, std::size_t depth) {
    switch (value.type()) {
      case Json::value_t::null:
        text_ += "null";
        return;
      case Json::value_t::boolean:
        text_ += value.get<bool>() ? "true" : "false";
        return;
      case Json::value_t::number_integer:
        text_ += std::to_string(value.get<std::int64_t>());
        return;
      case Json::value_t::number_unsigned:
        text_ += std::to_string(value.get<std::uint64_t>());
        return;
      case Json::value_t::number_float:
        text_ += number_text(value.get<double>());
        return;
      case Json::value_t::string:
        write_string(value.get_ref<const std::string&>());
        return;
      case Json::value_t::array:
        write_array(value, depth + 1);
        return;
      case Json::value_t::object:
        write_object(value, depth + 1);
        return;
      case Json::value_t::binary:
        refuse("it holds binary");
      case Json::value_t::discarded:
        refuse("it holds nothing");
    }
  }

  std::string take() { return std::move(text_); }

 private:
  void write_array(const Json& array, std::size_t depth) {
    if (depth > json_depth_max) refuse("it is nested deeper than 256 levels");
    text_ += '[';
    const char* separator = "";
    for (const Json& element : array) {
      text_ += separator;
      write(element, depth);
      separator = ",";
    }
    text_ += ']';
  }

  void write_object(const Json& object, std::size_t depth) {
    if (depth > json_depth_max) refuse("it is nested deeper than 256 levels");
    std::vector<std::pair<std::u16string, Json::const_iterator>> members;
    for (auto member = object.begin(); member != object.end(); ++member) {
      members.emplace_back(utf16_of(member.key()), member);
    }
    std::sort(members.begin(), members.end(),
              [](const auto& left, const auto& right) { return left.first < right.first; });
    text_ += '{';
    const char* separator = "";
    for (const auto& [key, member] : members) {
      text_ += separator;
      write_string(member.key());
      text_ += ':';
      write(member.value(), depth);
      separator = ",";
    }
    text_ += '}';
  }

  void write_string(std::string_view string) {
    if (!is_valid_utf8(string)) refuse("a text is not valid UTF-8");
    text_ += '"';
    for (const char character : string) write_character(character);
    text_ += '"';
  }

  void write_character(char character) {
    switch (character) {
      case '"':
        text_ += "\\\"";
        return;
      case '\\':
        text_ += "\\\\";
        return;
      case '\b':
        text_ += "\\b";
        return;
      case '\f':
        text_ += "\\f";
        return;
      case '\n':
        text_ += "\\n";
        return;
      case '\r':
        text_ += "\\r";
        return;
      case '\t':
        text_ += "\\t";
        return;
      default:
        break;
    }
    const auto octet = static_cast<unsigned char>(character);
    if (octet >= 0x20) {
      text_ += character;
      return;
    }
    text_ += "\\u00";
    text_ += hex_digit(octet >> 4U);
    text_ += hex_digit(octet & 0x0fU);
  }

  std::string text_;
};

}  // namespace

std::string to_canonical_text(const Json& value) {
  CanonicalWriter writer;
  writer.write(value, 0);
  return writer.take();
}

}  // namespace nerve
