// SPDX-License-Identifier: Apache-2.0
#include "plan/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace nerve::convert {
namespace {

bool is_text(TargetType type) noexcept {
  return type == TargetType::text || type == TargetType::varchar;
}

/// SQLite compares text by its bytes, and so does the collation "C".
std::string definition_of(const ColumnPlan& column) {
  std::string text = to_ddl(column.type);
  if (is_text(column.type.type)) text += " COLLATE \"C\"";
  if (column.is_not_null) text += " NOT NULL";
  return text;
}

ColumnPlan plan_column(const sqlite::Column& column, const std::optional<Declared>& declared,
                       const ColumnProfile& profile, NameSpace& names) {
  const TypeChoice choice = choose_type(declared, profile);
  ColumnPlan plan;
  plan.source = column.name;
  plan.target = names.take(column.name);
  plan.declared = column.declared_type;
  plan.type = choice.type;
  plan.why = choice.why;
  // A value that is NULL all the same would be rejected with its row for the sake of a constraint.
  plan.is_not_null = column.is_not_null && profile.nulls == 0;
  plan.has_storable_text = profile.texts_unstorable() == 0;
  plan.misfits = choice.misfits;
  plan.changed = choice.changed;
  plan.definition = definition_of(plan);
  return plan;
}

TablePlan plan_table(const SourceTable& source, const TableProfile& profile, NameSpace& relations,
                     CasePolicy case_policy) {
  TablePlan plan;
  plan.source = source.table.name;
  plan.target = relations.take(source.table.name);
  plan.rowid = source.query.rowid;
  plan.rows = profile.rows;
  plan.bytes = profile.bytes;
  plan.range_starts = profile.range_starts;
  NameSpace names = column_names(case_policy);
  for (std::size_t i = 0; i < source.table.columns.size(); ++i) {
    plan.columns.push_back(
        plan_column(source.table.columns[i], source.declared[i], profile.columns[i], names));
  }
  return plan;
}

}  // namespace

Plan make_plan(const PlanRequest& request, const SourceSchema& schema,
               const std::vector<TableProfile>& profiles) {
  Plan plan;
  plan.source = request.source;
  plan.schema = request.schema;
  NameSpace relations(request.case_policy);
  for (std::size_t i = 0; i < schema.tables.size(); ++i)
    plan.tables.push_back(plan_table(schema.tables[i], profiles[i], relations, request.case_policy));
  for (const sqlite::Table& table : schema.left_out) {
    if (table.kind == sqlite::TableKind::shadow) {
      plan.notes.push_back(fmt::format("{} holds what belongs to a virtual table", table.name));
    } else {
      plan.untranslated.push_back({"table", table.name, "", table.unreadable, ""});
    }
  }
  return plan;
}

}  // namespace nerve::convert
