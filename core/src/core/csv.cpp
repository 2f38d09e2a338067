// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/csv.h"

#include <charconv>
#include <string_view>

namespace nerve {

namespace {

bool is_number(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool is_formula(std::string_view text) {
  constexpr std::string_view starts = "=+-@\t\r";
  return !text.empty() && starts.find(text.front()) != std::string_view::npos && !is_number(text);
}

std::string csv_quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + '"';
}

}  // namespace

std::string csv_line(std::span<const std::string> fields) {
  std::string line;
  for (const std::string& field : fields) {
    if (&field != fields.data()) line += ',';
    const std::string text = is_formula(field) ? "'" + field : field;
    line += text.find_first_of(",\"\r\n") == std::string::npos ? text : csv_quoted(text);
  }
  return line + "\r\n";
}

}  // namespace nerve
