// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::convert::sql {

/// What a column is in PostgreSQL, and with that what the source is known to hold in it, NULL aside. A column
/// whose values are not as said here must be given as `unknown`.
enum class TargetType : std::uint8_t {
  boolean,           ///< the integers 0 and 1
  bigint,            ///< integers
  double_precision,  ///< reals
  /// Integers below 2^52 and reals, each real as the shortest decimal that reads back as it.
  numeric,
  text,       ///< texts, compared bytewise: the column is COLLATE "C"
  varchar,    ///< the same with a limit
  bytea,      ///< blobs
  date,       ///< texts, or numbers, as TimeForm says
  timestamp,  ///< the same
  timestamptz,
  json,     ///< texts that are JSON, kept as they are written
  jsonb,    ///< the same, not kept as written
  uuid,     ///< texts in the canonical form: 36 characters, lower case
  unknown,  ///< anything: the value is passed on and tested for NULL, and nothing else is said of it
};

/// How the type reads in DDL: "double precision". Not for `unknown`.
std::string_view to_sql(TargetType type) noexcept;

constexpr bool is_text(TargetType type) noexcept {
  return type == TargetType::text || type == TargetType::varchar;
}

constexpr bool is_time(TargetType type) noexcept {
  return type == TargetType::date || type == TargetType::timestamp || type == TargetType::timestamptz;
}

/// What SQLite makes of a value that meets a column (https://www.sqlite.org/datatype3.html).
enum class Affinity : std::uint8_t { none, blob, text, numeric, integer, real };

constexpr bool is_numeric(Affinity affinity) noexcept {
  return affinity == Affinity::numeric || affinity == Affinity::integer || affinity == Affinity::real;
}

/// The affinity of a declared type; of a column without one it is `blob`. `none` is for what is no column.
Affinity affinity_of(std::string_view declared_type);

/// `unknown` is one that only the application has.
enum class Collation : std::uint8_t { binary, nocase, rtrim, unknown };

/// How the source writes each value of a column that becomes date, timestamp or timestamptz.
enum class TimeForm : std::uint8_t {
  unknown,             ///< in several forms: the value is passed on, and nothing else is said of it
  date,                ///< the text YYYY-MM-DD
  datetime,            ///< the text YYYY-MM-DD HH:MM:SS
  datetime_t,          ///< the text YYYY-MM-DDTHH:MM:SS
  datetime_tz,         ///< the text YYYY-MM-DDTHH:MM:SSZ
  epoch_seconds,       ///< an integer, in seconds since 1970
  epoch_milliseconds,  ///< an integer, in milliseconds since 1970
};

/// A column that a name may stand for.
struct Column {
  std::string name;    ///< in the source
  std::string target;  ///< in PostgreSQL, quoted where it must be, without its table
  TargetType type = TargetType::unknown;
  Affinity affinity = Affinity::blob;
  Collation collation = Collation::binary;
  bool is_not_null = false;
  bool is_rowid = false;     ///< an INTEGER PRIMARY KEY, which is reached as rowid, oid and _rowid_ too
  bool is_implicit = false;  ///< no column in the source, where it is named by its name alone and by no `*`
  bool may_be_infinite = false;  ///< a double precision that holds an infinity
  bool is_mixed = false;         ///< a double precision of which SQLite holds some values as integers
  TimeForm time_form = TimeForm::unknown;
};

/// A table, or a view that was translated before.
struct Table {
  std::string name;    ///< in the source
  std::string target;  ///< in PostgreSQL, with its schema, quoted where it must be
  std::vector<Column> columns;
};

}  // namespace nerve::convert::sql
