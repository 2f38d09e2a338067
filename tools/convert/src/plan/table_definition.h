// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/source_schema.h"
#include "sql/create_table.h"
#include "sql/postgresql/target.h"

#include "nerve/convert/plan.h"
#include "nerve/convert/profile.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::convert {

/// A key of a table: PRIMARY KEY or UNIQUE, of a column or of the table.
struct Key {
  std::string name;  ///< empty where none is written
  bool is_primary = false;
  bool is_descending = false;              ///< of the only column
  std::size_t terms = 0;                   ///< as written, where a column may stand twice
  std::vector<std::size_t> columns;        ///< places in the table, each once
  std::vector<sql::Collation> collations;  ///< by which SQLite compares them
  sql::ConflictClause conflict = sql::ConflictClause::none;
};

/// A table of the source with its CREATE TABLE taken apart and what becomes of its columns.
struct DefinedTable {
  const SourceTable* source = nullptr;
  const TableProfile* profile = nullptr;
  std::optional<sql::CreateTable> definition;  ///< absent for a virtual table, and where it cannot be read
  std::vector<Key> keys;
  std::optional<std::size_t> rowid_column;  ///< the INTEGER PRIMARY KEY
  bool is_autoincrement = false;
  sql::Table environment;  ///< what expressions of the table may name, when its columns are planned

  /// The place of a column; absent where there is none of this name.
  std::optional<std::size_t> column(std::string_view name) const noexcept;
  /// The place of the column that a term names, with COLLATE or without; absent for another expression.
  std::optional<std::size_t> column(const sql::OrderingTerm& term) const noexcept;
  const sql::ColumnDefinition* column_definition(std::size_t place) const noexcept;
  /// The places of the primary key's columns, in its order; the rowid's column counts as one.
  std::vector<std::size_t> primary_key() const;
};

/// The collation that SQLite knows by this name; `unknown` for one that an application has.
sql::Collation read_collation(std::string_view name) noexcept;

/// Takes the definition apart. What cannot be read is told in `untranslated`.
DefinedTable define_table(const SourceTable& source, const TableProfile& profile,
                          std::vector<Untranslated>& untranslated);

/// Fills in the environment, from the plan of the columns.
void fill_environment(DefinedTable& table, const TablePlan& plan, const std::string& schema);

}  // namespace nerve::convert
