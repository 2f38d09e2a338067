// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/column_rule.h"
#include "plan/type_choice.h"
#include "scan/table_scan.h"

#include "nerve/backends/sqlite/schema.h"
#include "nerve/convert/plan.h"
#include "nerve/convert/profile.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace nerve::convert {

/// An object as sqlite_schema lists it.
struct SchemaEntry {
  std::string type;  ///< "table", "index", "view", "trigger"
  std::string name;
  std::string table;
  std::string sql;  ///< empty for an index that a constraint made
};

/// A table whose rows are converted.
struct SourceTable {
  sqlite::Table table;
  std::string sql;                           ///< its CREATE TABLE, or CREATE VIRTUAL TABLE
  std::string module;                        ///< of a virtual table, in lower case: "fts5"
  std::optional<std::size_t> key_of_module;  ///< the column by which the module numbers rows
  std::optional<std::size_t> kept_rowid;     ///< a column of rowids that is none in SQLite
  std::string rowid_user;                    ///< of a plain table with such a column: what names its rowids
  TableQuery query;                          ///< of all its columns
  std::vector<std::optional<Declared>> declared;  ///< by column
  std::vector<ColumnInterest> interests;
  std::string ruled_name;         ///< in the target; empty: as names are made
  std::vector<ColumnRule> rules;  ///< by column

  /// Takes a column out of all that is by column.
  void erase_column(std::size_t place);
  /// Of SQLite's full-text search without its texts (`content=''`).
  bool is_contentless() const;
  /// Of SQLite's full-text search. Its rowids say what the texts are of, so they are a column, the first one.
  bool is_text_search() const noexcept { return module == "fts3" || module == "fts4" || module == "fts5"; }
};

/// What there is to convert.
struct SourceSchema {
  std::vector<SourceTable> tables;                ///< in the order of their names
  std::vector<SchemaEntry> entries;               ///< in the order in which they were made
  std::map<std::string, std::int64_t> sequences;  ///< of sqlite_sequence, by table
  std::vector<sqlite::Table> left_out;  ///< what cannot be read, and what belongs to a virtual table
  std::int64_t user_version = 0;        ///< what programs number their schemas with
  std::int64_t application_id = 0;
  std::vector<Untranslated>
      skipped;  ///< tables and columns that a rule leaves out, columns that cannot be read
};

/// Reads the schema; throws what reading throws.
SourceSchema read_source_schema(sqlite::Session& session);

}  // namespace nerve::convert
