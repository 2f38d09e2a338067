// SPDX-License-Identifier: Apache-2.0
#include "nerve/db/dialect.h"

namespace nerve::db {

std::string_view to_string(Dialect dialect) noexcept {
  return dialect == Dialect::sqlite ? "sqlite" : "postgresql";
}

std::string_view now_expression(Dialect dialect) noexcept {
  // SQLite knows milliseconds only; the zeros keep every timestamp at 27 characters so that text sorts as
  // time.
  return dialect == Dialect::sqlite ? "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')" : "clock_timestamp()";
}

std::string month_expression(Dialect dialect, std::string_view column) {
  const std::string name(column);
  return dialect == Dialect::sqlite ? "substr(" + name + ", 1, 7)"
                                    : "to_char(" + name + " AT TIME ZONE 'UTC', 'YYYY-MM')";
}

std::string elements_expression(Dialect dialect, std::string_view parameter) {
  const std::string name(parameter);
  return dialect == Dialect::sqlite
             ? "json_each(:" + name + ")"
             : "jsonb_array_elements_text(CAST(:" + name + " AS jsonb)) AS elements(value)";
}

std::string_view lock_row_clause(Dialect dialect) noexcept {
  return dialect == Dialect::sqlite ? "" : " FOR UPDATE";
}

}  // namespace nerve::db
