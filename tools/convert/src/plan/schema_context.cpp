// SPDX-License-Identifier: Apache-2.0
#include "plan/schema_context.h"

#include "target/table_sql.h"

#include "nerve/backends/postgresql/session.h"

namespace nerve::convert {

std::string SchemaContext::target_of(std::size_t table) const {
  return qualified_name(plan.schema, plan.tables[table].target);
}

std::optional<std::size_t> SchemaContext::find_table(std::string_view name) const {
  for (std::size_t place = 0; place < plan.tables.size(); ++place) {
    if (is_same_name(plan.tables[place].source, name)) return place;
  }
  return std::nullopt;
}

std::string column_list(const TablePlan& table, const std::vector<std::size_t>& places) {
  std::string list;
  for (const std::size_t place : places)
    list += (list.empty() ? "" : ", ") + postgresql::quote_identifier(table.columns[place].target);
  return list;
}

}  // namespace nerve::convert
