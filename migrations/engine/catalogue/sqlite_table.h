// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/migrations/catalogue.h"

#include <string>
#include <string_view>
#include <vector>

namespace nerve::migrations {

/// What SQLite keeps of a table only in its text, and tells by no PRAGMA.
struct SqliteTable {
  struct ColumnText {
    std::string name;
    std::string generated;  ///< expression
    std::string collation;
  };
  std::vector<ColumnText> columns;
  std::vector<Constraint> constraints;  ///< of columns and of the table alike
  std::vector<std::string> properties;  ///< "AUTOINCREMENT", and how a NOT NULL meets a conflict
};

/// Reads a CREATE TABLE as SQLite stored it. What no grammar of SQLite permits is skipped, never an error:
/// the database itself has accepted it.
SqliteTable read_sqlite_table(std::string_view sql);

/// Fills in the columns that a foreign key means by naming none: the primary key of its parent.
void refer_to(Constraint& key, std::vector<std::string> parent_columns);

}  // namespace nerve::migrations
