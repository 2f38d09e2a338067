// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::convert {

/// The types that columns are given in PostgreSQL.
enum class TargetType : std::uint8_t {
  boolean,
  bigint,
  double_precision,
  numeric,
  text,
  varchar,
  bytea,
  date,
  timestamp,
  timestamptz,
  json,
  uuid,
};

/// As DDL and a rules file write it, without length or precision: "double precision".
std::string_view to_string(TargetType type) noexcept;
/// Of all types.
std::vector<std::string_view> target_type_names();
std::optional<TargetType> parse_target_type(std::string_view text) noexcept;

/// How SQLite's values say what a target of time holds.
enum class TimeForm : std::uint8_t {
  iso_text,
  epoch_seconds,
  epoch_milliseconds,
  julian_day,
};

/// "ISO text", "epoch seconds", "epoch milliseconds", "Julian day".
std::string_view to_string(TimeForm form) noexcept;
std::optional<TimeForm> parse_time_form(std::string_view text) noexcept;

/// text or varchar.
bool is_text(TargetType type) noexcept;
/// date, timestamp or timestamptz.
bool is_time(TargetType type) noexcept;

/// A type with what belongs to it.
struct ColumnType {
  TargetType type = TargetType::text;
  int length = 0;     ///< of varchar, in characters; 0 elsewhere
  int precision = 0;  ///< of numeric; 0: any number of digits
  int scale = 0;
  TimeForm time = TimeForm::iso_text;  ///< of date, timestamp and timestamptz

  friend bool operator==(const ColumnType&, const ColumnType&) = default;
};

// PostgreSQL's bounds.
inline constexpr int varchar_length_max = 10'485'760;
inline constexpr int numeric_precision_max = 1'000;

/// "varchar(40)", "numeric(10,2)", "timestamp".
std::string to_ddl(const ColumnType& type);
/// Reads what to_ddl() writes, also with spaces and "numeric(10)"; absent for anything else, and for a
/// length, precision or scale that PostgreSQL does not take.
std::optional<ColumnType> parse_column_type(std::string_view text);

}  // namespace nerve::convert
