// SPDX-License-Identifier: Apache-2.0
#include "verify/target_rows.h"

#include "values/big_endian.h"
#include "values/row_buffer.h"

#include "nerve/core/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <bit>
#include <chrono>
#include <cmath>

namespace nerve::convert {
namespace {

// Signature, flags, and the length of an extension, which no version has.
constexpr std::size_t header_bytes = 19;
constexpr std::size_t trailer_bytes = 2;
constexpr std::uint16_t trailer = 0xffff;

std::string moment_text(std::int64_t since_2000_us, bool has_zone) {
  using namespace std::chrono;
  const sys_time<microseconds> time = sys_days(year(2000) / 1 / 1) + microseconds(since_2000_us);
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}{}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count(), has_zone ? "Z" : "");
}

std::string date_text(std::int32_t days_since_2000) {
  using namespace std::chrono;
  const year_month_day date(sys_days(year(2000) / 1 / 1) + days(days_since_2000));
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

/// The digits of a numeric in groups of four, as numeric_send() of PostgreSQL wrote them.
std::string numeric_text(ByteView field) {
  const auto word = [&](std::size_t place) {
    return read_big_endian<std::uint16_t>(field.data() + 2 * place);
  };
  const int groups = word(0);
  const int weight = static_cast<std::int16_t>(word(1));
  const std::uint16_t sign = word(2);
  if (sign >= 0xc000) return sign == 0xc000 ? "NaN" : sign == 0xd000 ? "Infinity" : "-Infinity";
  std::string text = sign == 0x4000 ? "-" : "";
  const auto group = [&](int number) {
    return number >= 0 && number < groups ? word(4 + static_cast<std::size_t>(number)) : std::uint16_t{0};
  };
  text += weight < 0 ? "0" : std::to_string(group(0));
  for (int number = 1; number <= weight; ++number) text += fmt::format("{:04}", group(number));
  std::string fraction;
  for (int number = weight + 1; number < groups; ++number) fraction += fmt::format("{:04}", group(number));
  while (fraction.ends_with('0')) fraction.pop_back();
  return fraction.empty() ? text : text + "." + fraction;
}

Json decode_field(const ColumnType& type, ByteView field) {
  switch (type.type) {
    case TargetType::boolean:
      return field[0] != std::byte{0};
    case TargetType::bigint:
      return static_cast<std::int64_t>(read_big_endian<std::uint64_t>(field.data()));
    case TargetType::double_precision: {
      const auto value = std::bit_cast<double>(read_big_endian<std::uint64_t>(field.data()));
      if (!std::isfinite(value)) return fmt::format("{}", value);
      return value;
    }
    case TargetType::numeric:
      return numeric_text(field);
    case TargetType::date:
      return date_text(static_cast<std::int32_t>(read_big_endian<std::uint32_t>(field.data())));
    case TargetType::timestamp:
    case TargetType::timestamptz:
      return moment_text(static_cast<std::int64_t>(read_big_endian<std::uint64_t>(field.data())),
                         type.type == TargetType::timestamptz);
    case TargetType::bytea:
    case TargetType::uuid:
      return "\\x" + to_hex(field);
    case TargetType::text:
    case TargetType::varchar:
    case TargetType::json:
      return std::string(as_text(field));
  }
  return nullptr;
}

}  // namespace

void each_target_row(postgresql::Session& target, const std::string& copy_sql,
                     const std::function<void(ByteView)>& on_row) {
  bool is_first = true;
  target.copy_out(copy_sql, [&](ByteView piece) {
    if (is_first) {
      if (piece.size() < header_bytes) throw IntegrityError("the server sent COPY without its header");
      piece = piece.subspan(header_bytes);
      is_first = false;
    }
    if (piece.empty()) return;
    if (piece.size() == trailer_bytes && read_big_endian<std::uint16_t>(piece.data()) == trailer) return;
    on_row(piece);
  });
}

Json decode_row(const TablePlan& table, ByteView row) {
  Json values = Json::object();
  std::size_t place = sizeof(std::uint16_t);
  for (const ColumnPlan& column : table.columns) {
    const auto length = read_big_endian<std::uint32_t>(row.data() + place);
    place += sizeof(std::uint32_t);
    if (length == null_field_length) {
      values[column.source] = nullptr;
      continue;
    }
    values[column.source] = decode_field(column.type, row.subspan(place, length));
    place += length;
  }
  return values;
}

}  // namespace nerve::convert
