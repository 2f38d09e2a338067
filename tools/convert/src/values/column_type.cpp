// SPDX-License-Identifier: Apache-2.0
#include "nerve/convert/column_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

namespace nerve::convert {
namespace {

constexpr std::array type_names{
    std::pair{TargetType::boolean, std::string_view("boolean")},
    std::pair{TargetType::bigint, std::string_view("bigint")},
    std::pair{TargetType::double_precision, std::string_view("double precision")},
    std::pair{TargetType::numeric, std::string_view("numeric")},
    std::pair{TargetType::text, std::string_view("text")},
    std::pair{TargetType::varchar, std::string_view("varchar")},
    std::pair{TargetType::bytea, std::string_view("bytea")},
    std::pair{TargetType::date, std::string_view("date")},
    std::pair{TargetType::timestamp, std::string_view("timestamp")},
    std::pair{TargetType::timestamptz, std::string_view("timestamptz")},
    std::pair{TargetType::json, std::string_view("json")},
    std::pair{TargetType::uuid, std::string_view("uuid")},
};

/// The numbers in "10, 2"; absent where there is anything else.
std::optional<std::vector<int>> read_numbers(std::string_view text) {
  std::vector<int> numbers;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string_view part = text.substr(begin, end - begin);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    int number = 0;
    const auto [rest, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (error != std::errc() || rest != part.data() + part.size()) return std::nullopt;
    numbers.push_back(number);
    begin = end + 1;
  }
  return numbers;
}

std::optional<ColumnType> with_numbers(TargetType type, const std::vector<int>& numbers) {
  if (type == TargetType::varchar && numbers.size() == 1 && numbers[0] >= 1 &&
      numbers[0] <= varchar_length_max)
    return ColumnType{.type = type, .length = numbers[0]};
  if (type != TargetType::numeric || numbers.size() > 2) return std::nullopt;
  const int scale = numbers.size() == 2 ? numbers[1] : 0;
  if (numbers[0] < 1 || numbers[0] > numeric_precision_max || scale < 0 || scale > numbers[0])
    return std::nullopt;
  return ColumnType{.type = type, .precision = numbers[0], .scale = scale};
}

}  // namespace

std::string_view to_string(TargetType type) noexcept {
  return type_names[static_cast<std::size_t>(type)].second;
}

std::vector<std::string_view> target_type_names() {
  std::vector<std::string_view> names;
  names.reserve(type_names.size());
  for (const auto& [type, name] : type_names) names.push_back(name);
  return names;
}

std::optional<TargetType> parse_target_type(std::string_view text) noexcept {
  for (const auto& [type, name] : type_names) {
    if (text == name) return type;
  }
  return std::nullopt;
}

std::string_view to_string(TimeForm form) noexcept {
  switch (form) {
    case TimeForm::iso_text:
      return "ISO text";
    case TimeForm::epoch_seconds:
      return "epoch seconds";
    case TimeForm::epoch_milliseconds:
      return "epoch milliseconds";
    case TimeForm::julian_day:
      return "Julian day";
  }
  return "";
}

std::optional<TimeForm> parse_time_form(std::string_view text) noexcept {
  for (const TimeForm form :
       {TimeForm::iso_text, TimeForm::epoch_seconds, TimeForm::epoch_milliseconds, TimeForm::julian_day}) {
    if (text == to_string(form)) return form;
  }
  return std::nullopt;
}

bool is_text(TargetType type) noexcept {
  return type == TargetType::text || type == TargetType::varchar;
}

bool is_time(TargetType type) noexcept {
  return type == TargetType::date || type == TargetType::timestamp || type == TargetType::timestamptz;
}

std::string to_ddl(const ColumnType& type) {
  const std::string_view name = to_string(type.type);
  if (type.type == TargetType::varchar && type.length > 0) return fmt::format("{}({})", name, type.length);
  if (type.type == TargetType::numeric && type.precision > 0)
    return fmt::format("{}({},{})", name, type.precision, type.scale);
  return std::string(name);
}

std::optional<ColumnType> parse_column_type(std::string_view text) {
  const std::size_t open = text.find('(');
  std::string_view name = text.substr(0, open);
  while (name.ends_with(' ')) name.remove_suffix(1);
  const auto type = parse_target_type(name);
  if (!type) return std::nullopt;
  if (open != std::string_view::npos) {
    if (!text.ends_with(')')) return std::nullopt;
    const auto numbers = read_numbers(text.substr(open + 1, text.size() - open - 2));
    return numbers ? with_numbers(*type, *numbers) : std::nullopt;
  }
  // PostgreSQL's varchar without a length is text.
  if (*type == TargetType::varchar) return std::nullopt;
  return ColumnType{.type = *type};
}

}  // namespace nerve::convert
