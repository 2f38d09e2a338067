// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::sqlite {

/// Any name as SQLite reads it inside a statement: in double quotes, quotes doubled. Throws ValidationError
/// for a name with a NUL, which would cut the statement. (nerve::db::Identifier is for our own names; this
/// one is for anybody's.)
std::string quote_identifier(std::string_view name);

/// Text as a literal of a statement: in single quotes, quotes doubled. Throws ValidationError for text with a
/// NUL.
std::string quote_text(std::string_view text);

enum class TableKind : std::uint8_t {
  table,   ///< rows of its own
  shadow,  ///< rows that belong to a virtual table
  virtual_table,
  view,
};

/// "table", "shadow", "virtual" or "view".
std::string_view to_string(TableKind kind) noexcept;

struct Column {
  std::string name;
  std::string declared_type;     ///< empty where none is declared
  int primary_key_position = 0;  ///< 1-based place in the primary key; 0 outside it
  bool is_not_null = false;
  bool is_generated = false;
  bool is_stored =
      true;  ///< whether the file holds it: a virtual generated column is computed when it is read
  bool is_hidden = false;  ///< of a virtual table
};

struct Table {
  std::string name;
  TableKind kind = TableKind::table;
  bool is_without_rowid = false;
  bool is_strict = false;
  std::vector<Column> columns;  ///< empty where the table is unreadable
  /// Why its columns cannot be read ("no such module: spatialite", "no such column: c.id"); empty when they
  /// can.
  std::string unreadable;
  bool is_damaged = false;  ///< of a virtual table: what it reads of its own tables is damaged

  /// Whether it holds rows in the file: virtual tables and views do not.
  bool has_rows() const noexcept { return kind == TableKind::table || kind == TableKind::shadow; }
};

/// Every table and view of the main database in the order of their names, sqlite_schema itself excluded,
/// SQLite's own tables (sqlite_sequence, sqlite_stat1) included. A virtual table whose module is not loaded,
/// or a view that does not fit the schema, is listed as unreadable and stops nothing. Throws IntegrityError
/// when the schema itself is damaged.
std::vector<Table> list_tables(Session& session);

/// Names by which the rowid of `table` can be addressed in a statement: the first of rowid, _rowid_ and oid
/// that is not the name of a column; empty when each is, or when the table has no rowid.
std::string rowid_name(const Table& table);

}  // namespace nerve::sqlite
