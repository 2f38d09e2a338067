// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql/expression.h"
#include "sql/postgresql/value.h"
#include "sql/select.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::convert::sql {

/// A table under the name that a query gives it.
struct ScopeTable {
  std::string name;       ///< in the source: its alias, or its own name
  std::string qualifier;  ///< its alias in PostgreSQL; empty where columns stand without a table
  std::vector<Column> columns;
  bool is_nullable = false;         ///< the right side of a LEFT JOIN
  std::vector<std::string> hidden;  ///< columns that USING took together with one to their left, folded
};

/// What the names of an expression may stand for.
struct Scope {
  std::vector<ScopeTable> tables;
  const Scope* outer = nullptr;
  std::vector<Table> common_tables;  ///< of WITH
  /// The result columns, whose aliases are names in every clause but the list itself; null there.
  const std::vector<ResultColumn>* aliases = nullptr;
  bool allows_aggregates = false;
};

/// A column as a value; `is_nullable` where its table may be missing from a row.
Value column_value(const Column& column, std::string_view qualifier, bool is_nullable, std::size_t offset);

/// What a name stands for in the tables of this scope, not of outer ones; nothing where it is no column
/// there. Refuses a name that two tables have.
std::optional<Value> find_column(const Scope& scope, const ColumnName& name, std::size_t offset);

/// The column that a name stands for, in this scope or an outer one; null where there is none.
const Column* find_declared(const Scope& scope, const ColumnName& name);

/// BINARY, NOCASE or RTRIM. Refuses another one, which is the application's.
Collation collation_named(const Name& name, std::size_t offset);

/// The result column of this alias; null where there is none.
const Expression* find_alias(const std::vector<ResultColumn>& columns, std::string_view alias);

}  // namespace nerve::convert::sql
