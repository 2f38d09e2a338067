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

// Of the catalogues, with operands of the very types of an operator in pg_catalog: what is in the schema of
// the tables does not fit better.
std::string_view table_exists_expression(Dialect dialect) noexcept {
  return dialect == Dialect::sqlite
             ? "EXISTS (SELECT 1 FROM sqlite_schema WHERE type IN ('table', 'view') AND name = :table)"
             : "EXISTS (SELECT 1 FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid "
               "OPERATOR(pg_catalog.=) c.relnamespace WHERE n.nspname OPERATOR(pg_catalog.=) "
               "pg_catalog.current_schema() AND c.relname OPERATOR(pg_catalog.=) CAST(:table AS "
               "pg_catalog.name) AND c.relkind IN ('r', 'p', 'v', 'm', 'f'))";
}

std::string_view schema_is_used_expression(Dialect dialect) noexcept {
  // What an extension brought is no use that somebody made of it, except its relations.
  return dialect == Dialect::sqlite
             ? "EXISTS (SELECT 1 FROM sqlite_schema)"
             : "EXISTS (SELECT 1 FROM (SELECT relnamespace, NULL, oid FROM pg_catalog.pg_class UNION ALL "
               "SELECT pronamespace, tableoid, oid FROM pg_catalog.pg_proc UNION ALL "
               "SELECT oprnamespace, tableoid, oid FROM pg_catalog.pg_operator UNION ALL "
               "SELECT typnamespace, tableoid, oid FROM pg_catalog.pg_type WHERE typelem "
               "OPERATOR(pg_catalog.=) CAST(0 AS pg_catalog.oid)) AS o(schema, class, id) "
               "JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) o.schema "
               "WHERE n.nspname OPERATOR(pg_catalog.=) pg_catalog.current_schema() AND NOT EXISTS (SELECT 1 "
               "FROM pg_catalog.pg_depend AS d WHERE d.classid OPERATOR(pg_catalog.=) o.class AND d.objid "
               "OPERATOR(pg_catalog.=) o.id AND d.deptype OPERATOR(pg_catalog.=) CAST('e' AS "
               "pg_catalog.\"char\")))";
}

std::string_view database_size_expression(Dialect dialect) noexcept {
  return dialect == Dialect::sqlite
             ? "(SELECT page_count * page_size FROM pragma_page_count, pragma_page_size)"
             : "pg_catalog.pg_database_size(pg_catalog.current_database())";
}

std::string_view try_lock_expression(Dialect dialect) noexcept {
  return dialect == Dialect::sqlite ? ":lock IS NOT NULL" : "pg_catalog.pg_try_advisory_xact_lock(:lock)";
}

}  // namespace nerve::db
