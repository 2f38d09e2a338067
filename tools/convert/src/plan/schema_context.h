// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/names.h"
#include "plan/table_definition.h"
#include "sql/postgresql/translate.h"

#include "nerve/convert/plan.h"
#include "nerve/core/error.h"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace nerve::convert {

/// Columns in which a key or an index of the source allows no two equal rows.
struct UniqueColumns {
  std::set<std::size_t> places;
  bool is_plain = false;  ///< in the target by the columns themselves, so that foreign keys may name them
};

/// What the parts of the planner work on. Tables stand in the same places in `defined` and in `plan.tables`.
struct SchemaContext {
  const SourceSchema& source;
  std::vector<DefinedTable>& defined;
  Plan& plan;
  NameSpace& relations;  ///< names of tables, views, indexes and of the constraints that make an index
  std::vector<NameSpace> constraints;              ///< names of constraints, by table
  std::vector<std::vector<UniqueColumns>> unique;  ///< by table
  CasePolicy case_policy;

  std::string target_of(std::size_t table) const;
  /// The place of a table; absent where there is none of this name.
  std::optional<std::size_t> find_table(std::string_view name) const;
};

/// Columns of a table by their places: `"a", "b"`.
std::string column_list(const TablePlan& table, const std::vector<std::size_t>& places);

/// Whether values of a column may be texts, which alone a collation compares.
bool may_be_text(const ColumnPlan& column) noexcept;

/// A column in a key or an index, as SQLite compares it by this collation.
std::string compared(const ColumnPlan& column, sql::Collation collation);

/// What a translation gives. A name or a text that PostgreSQL cannot hold is a reason against it as well.
template <typename Translate>
auto translated(const Translate& translate) -> decltype(translate()) {
  try {
    return translate();
  } catch (const ValidationError& error) {
    return sql::Untranslatable{.reason = error.what()};
  }
}

// Each adds steps to the plan, and what has no equal to its list.
void plan_definitions(SchemaContext& context, std::size_t table);  ///< NOT NULL, defaults, generated columns
void plan_keys(SchemaContext& context, std::size_t table);         ///< PRIMARY KEY, UNIQUE
void plan_checks(SchemaContext& context, std::size_t table);
void plan_identity(SchemaContext& context, std::size_t table, std::int64_t last);
void plan_foreign_keys(SchemaContext& context, std::size_t table);
void plan_indexes(SchemaContext& context);
void plan_text_search(SchemaContext& context, std::size_t table);  ///< of a virtual table
void plan_views(SchemaContext& context);
void list_triggers(SchemaContext& context);

}  // namespace nerve::convert
