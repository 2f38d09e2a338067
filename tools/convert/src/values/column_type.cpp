// SPDX-License-Identifier: Apache-2.0
#include "nerve/convert/column_type.h"

#include <fmt/format.h>

#include <array>
#include <utility>

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

}  // namespace

std::string_view to_string(TargetType type) noexcept {
  return type_names[static_cast<std::size_t>(type)].second;
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

std::string to_ddl(const ColumnType& type) {
  const std::string_view name = to_string(type.type);
  if (type.type == TargetType::varchar && type.length > 0) return fmt::format("{}({})", name, type.length);
  if (type.type == TargetType::numeric && type.precision > 0)
    return fmt::format("{}({},{})", name, type.precision, type.scale);
  return std::string(name);
}

}  // namespace nerve::convert
