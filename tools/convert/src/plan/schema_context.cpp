// SPDX-License-Identifier: Apache-2.0
#include "plan/schema_context.h"

#include "sql/tokens.h"
#include "target/table_sql.h"

#include "nerve/backends/postgresql/session.h"

#include <fmt/format.h>

namespace nerve::convert {

std::string SchemaContext::target_of(std::size_t table) const {
  return qualified_name(plan.schema, plan.tables[table].target);
}

std::optional<std::size_t> SchemaContext::find_table(std::string_view name) const {
  for (std::size_t place = 0; place < plan.tables.size(); ++place) {
    if (sql::equals_folded(plan.tables[place].source, name)) return place;
  }
  return std::nullopt;
}

bool may_be_text(const ColumnPlan& column) noexcept {
  const TargetType type = column.type.type;
  return is_text(type) || type == TargetType::json || (type == TargetType::bytea && column.changed > 0);
}

std::string compared(const ColumnPlan& column, sql::Collation collation) {
  const bool is_json = column.type.type == TargetType::json;
  const std::string name = postgresql::quote_identifier(column.target);
  const std::string text = is_json ? fmt::format("({}::text)", name) : name;
  if (collation == sql::Collation::nocase) return fmt::format("lower({} COLLATE \"C\")", text);
  if (collation == sql::Collation::rtrim) return fmt::format("rtrim({}, ' ')", text);
  return is_json ? fmt::format("({} COLLATE \"C\")", text) : name;
}

std::string column_list(const TablePlan& table, const std::vector<std::size_t>& places) {
  std::string list;
  for (const std::size_t place : places)
    list += (list.empty() ? "" : ", ") + postgresql::quote_identifier(table.columns[place].target);
  return list;
}

}  // namespace nerve::convert
