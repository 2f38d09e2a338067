// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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

/// A type with what belongs to it.
struct ColumnType {
  TargetType type = TargetType::text;
  int length = 0;     ///< of varchar, in characters; 0 elsewhere
  int precision = 0;  ///< of numeric; 0: any number of digits
  int scale = 0;
  TimeForm time = TimeForm::iso_text;  ///< of date, timestamp and timestamptz

  friend bool operator==(const ColumnType&, const ColumnType&) = default;
};

/// "varchar(40)", "numeric(10,2)", "timestamp".
std::string to_ddl(const ColumnType& type);

}  // namespace nerve::convert
