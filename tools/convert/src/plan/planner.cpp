// SPDX-License-Identifier: Apache-2.0
#include "plan/planner.h"

#include "plan/schema_context.h"
#include "plan/table_definition.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace nerve::convert {
namespace {

/// PostgreSQL's MaxHeapAttributeNumber.
constexpr std::size_t columns_max = 1'600;

OnMisfit on_misfit(MisfitRule rule) noexcept {
  switch (rule) {
    case MisfitRule::widen:
    case MisfitRule::reject:
      return OnMisfit::reject;
    case MisfitRule::null:
      return OnMisfit::null;
    case MisfitRule::fail:
      return OnMisfit::fail;
  }
  return OnMisfit::reject;
}

ColumnPlan plan_column(const SourceTable& source, std::size_t place, const ColumnProfile& profile,
                       NameSpace& names) {
  const sqlite::Column& column = source.table.columns[place];
  const ColumnRule& rule = source.rules[place];
  const TypeChoice choice = choose_type(source.declared[place], profile, rule, profile.held_misfits);
  ColumnPlan plan;
  plan.source = column.name;
  plan.target = rule.name.empty() ? names.take(column.name) : rule.name;
  plan.declared = column.declared_type;
  plan.type = choice.type;
  plan.why = choice.why;
  plan.on_misfit = on_misfit(rule.on_misfit);
  // A row whose value is NULL all the same would be rejected for the sake of a constraint.
  plan.is_not_null = column.is_not_null && profile.nulls == 0;
  plan.has_storable_text = profile.texts_unstorable() == 0;
  plan.misfits = choice.misfits;
  plan.changed = choice.changed;
  return plan;
}

TablePlan plan_table(const SourceTable& source, const TableProfile& profile, NameSpace& relations,
                     CasePolicy case_policy) {
  TablePlan plan;
  plan.source = source.table.name;
  plan.target = source.ruled_name.empty() ? relations.take(source.table.name) : source.ruled_name;
  plan.rowid = source.query.rowid;
  plan.rows = profile.rows;
  plan.bytes = profile.bytes;
  plan.range_starts = profile.range_starts;
  NameSpace names = column_names(case_policy);
  for (const ColumnRule& rule : source.rules) names.reserve(rule.name);
  for (std::size_t place = 0; place < source.table.columns.size(); ++place)
    plan.columns.push_back(plan_column(source, place, profile.columns[place], names));
  return plan;
}

void note_kept_rowids(const std::vector<DefinedTable>& tables, Plan& plan) {
  for (std::size_t table = 0; table < tables.size(); ++table) {
    const SourceTable& source = *tables[table].source;
    if (!source.kept_rowid || source.rowid_user.empty()) continue;
    plan.notes.push_back(fmt::format("{} keeps its rowids in the column {}, for {} names rows by them",
                                     source.table.name, plan.tables[table].columns[*source.kept_rowid].target,
                                     source.rowid_user));
  }
}

void note_lost_offsets(Plan& plan) {
  for (const TablePlan& table : plan.tables) {
    for (const ColumnPlan& column : table.columns) {
      if (column.type.type != TargetType::timestamptz || column.type.time != TimeForm::iso_text) continue;
      plan.notes.push_back(fmt::format("{}.{} keeps each moment, and not the offset that it was written with",
                                       table.source, column.source));
    }
  }
}

void note_numbers_of_database(const SourceSchema& schema, Plan& plan) {
  const auto note = [&](std::string_view pragma, std::int64_t number) {
    if (number == 0) return;
    plan.notes.push_back(fmt::format(
        "PRAGMA {} is {}; PostgreSQL has no place for it, so keep it in a table where a program asks for it",
        pragma, number));
  };
  note("user_version", schema.user_version);
  note("application_id", schema.application_id);
}

void list_left_out(const SourceSchema& schema, Plan& plan) {
  for (const sqlite::Table& table : schema.left_out) {
    if (table.kind == sqlite::TableKind::shadow) {
      plan.notes.push_back(
          fmt::format("{} belongs to a virtual table, and is not converted by itself", table.name));
    } else {
      const auto entry = std::ranges::find_if(schema.entries, [&](const SchemaEntry& one) {
        return one.type == "table" && one.name == table.name;
      });
      plan.untranslated.push_back(
          {"table", table.name, "", table.unreadable, entry == schema.entries.end() ? "" : entry->sql});
    }
  }
}

void list_broken_not_null(const DefinedTable& table, Plan& plan) {
  const std::vector<sqlite::Column>& columns = table.source->table.columns;
  for (std::size_t place = 0; place < columns.size(); ++place) {
    const std::int64_t nulls = table.profile->columns[place].nulls;
    if (!columns[place].is_not_null || nulls == 0) continue;
    plan.untranslated.push_back({"not null", columns[place].name, table.source->table.name,
                                 fmt::format("{} rows have NULL there", nulls), ""});
  }
}

/// By what SQLite compares a column that is not compared by octets.
std::string comparison_of(const DefinedTable& table, std::size_t place) {
  switch (table.environment.columns[place].collation) {
    case sql::Collation::nocase:
      return "without regard to the case of A to Z";
    case sql::Collation::rtrim:
      return "without regard to trailing spaces";
    case sql::Collation::unknown:
      return "by a collation that only its application has";
    case sql::Collation::binary:
      break;
  }
  return "by octets";
}

/// A column without its collation finds other rows, whatever its keys and indexes say.
void list_collations(const DefinedTable& table, const TablePlan& columns, Plan& plan) {
  for (std::size_t place = 0; place < columns.columns.size(); ++place) {
    const sql::Collation collation = table.environment.columns[place].collation;
    const ColumnPlan& column = columns.columns[place];
    if (collation == sql::Collation::binary || !may_be_text(column)) continue;
    // Of octets there is no other case; the texts among them are told as changed.
    const bool is_known = collation != sql::Collation::unknown && column.type.type != TargetType::bytea;
    const std::string instead =
        is_known ? fmt::format("; there compare {}", compared(column, collation)) : "";
    const auto* rule = sql::find_rule<sql::ColumnCollation>(*table.column_definition(place));
    plan.untranslated.push_back({"collation", column.source, columns.source,
                                 fmt::format("SQLite compares it {}, and PostgreSQL by octets{}",
                                             comparison_of(table, place), instead),
                                 "COLLATE " + rule->collation.text});
  }
}

/// The number from which SQLite goes on to number rows.
std::int64_t last_rowid(const DefinedTable& table, const SourceSchema& schema) {
  if (!table.rowid_column) return 0;
  const ColumnProfile& profile = table.profile->columns[*table.rowid_column];
  std::int64_t last = profile.integers > 0 ? profile.integer_max : 0;
  const auto sequence = schema.sequences.find(table.source->table.name);
  if (sequence != schema.sequences.end()) last = std::max(last, sequence->second);
  return last;
}

}  // namespace

Plan make_plan(const PlanRequest& request, const SourceSchema& schema,
               const std::vector<TableProfile>& profiles) {
  Plan plan;
  plan.source = request.source;
  plan.schema = request.schema;
  plan.folds_case = request.case_policy == CasePolicy::lower;
  plan.untranslated = schema.skipped;
  NameSpace relations(request.case_policy);
  for (const SourceTable& table : schema.tables) relations.reserve(table.ruled_name);
  std::vector<DefinedTable> defined;
  for (std::size_t i = 0; i < schema.tables.size(); ++i) {
    if (schema.tables[i].table.columns.size() > columns_max) {
      plan.untranslated.push_back({"table", schema.tables[i].table.name, "",
                                   fmt::format("it has {} columns, and PostgreSQL takes {}",
                                               schema.tables[i].table.columns.size(), columns_max),
                                   schema.tables[i].sql});
      continue;
    }
    plan.tables.push_back(plan_table(schema.tables[i], profiles[i], relations, request.case_policy));
    defined.push_back(define_table(schema.tables[i], profiles[i], plan.untranslated));
    fill_environment(defined.back(), plan.tables.back(), plan.schema);
  }
  SchemaContext context{schema, defined, plan, relations, {}, {}, request.case_policy};
  context.constraints.assign(plan.tables.size(), NameSpace(request.case_policy));
  context.unique.resize(plan.tables.size());
  for (std::size_t table = 0; table < plan.tables.size(); ++table) {
    list_broken_not_null(defined[table], plan);
    list_collations(defined[table], plan.tables[table], plan);
    plan_definitions(context, table);
    plan_keys(context, table);
    plan_text_search(context, table);
  }
  plan_indexes(context);
  for (std::size_t table = 0; table < plan.tables.size(); ++table) plan_checks(context, table);
  for (std::size_t table = 0; table < plan.tables.size(); ++table) plan_foreign_keys(context, table);
  for (std::size_t table = 0; table < plan.tables.size(); ++table)
    plan_identity(context, table, last_rowid(defined[table], schema));
  plan_views(context);
  list_triggers(context);
  list_left_out(schema, plan);
  note_kept_rowids(defined, plan);
  note_lost_offsets(plan);
  note_numbers_of_database(schema, plan);
  return plan;
}

}  // namespace nerve::convert
