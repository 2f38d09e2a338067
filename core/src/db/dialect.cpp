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

std::string_view share_row_clause(Dialect dialect) noexcept {
  return dialect == Dialect::sqlite ? "" : " FOR SHARE";
}

std::string short_id_expression(Dialect dialect, std::string_view column) {
  const std::string name(column);
  return dialect == Dialect::sqlite ? "substr(" + name + ", 29)" : "right(CAST(" + name + " AS text), 8)";
}

std::string id_expression(Dialect dialect, std::string_view text_expression) {
  // SQLite would read CAST(… AS uuid) as a number.
  const std::string expression(text_expression);
  return dialect == Dialect::sqlite ? expression : "CAST(" + expression + " AS uuid)";
}

std::string_view table_exists_expression(Dialect dialect) noexcept {
  return dialect == Dialect::sqlite
             ? "EXISTS (SELECT 1 FROM sqlite_schema WHERE type IN ('table', 'view') AND name = :table)"
             : "EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema() AND "
               "table_name = :table)";
}

std::string_view schema_is_used_expression(Dialect dialect) noexcept {
  return dialect == Dialect::sqlite ? "EXISTS (SELECT 1 FROM sqlite_schema)"
                                    : "EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = (SELECT oid FROM "
                                      "pg_namespace WHERE nspname "
                                      "= current_schema()))";
}

std::string_view database_size_expression(Dialect dialect) noexcept {
  return dialect == Dialect::sqlite
             ? "(SELECT page_count * page_size FROM pragma_page_count, pragma_page_size)"
             : "pg_database_size(current_database())";
}

std::string_view try_lock_expression(Dialect dialect) noexcept {
  return dialect == Dialect::sqlite ? ":lock IS NOT NULL" : "pg_catalog.pg_try_advisory_xact_lock(:lock)";
}

}  // namespace nerve::db
