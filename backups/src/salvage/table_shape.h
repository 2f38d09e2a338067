// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "salvage/record.h"
#include "salvage/tree_page.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/backends/sqlite/schema.h"
#include "nerve/backends/sqlite/session.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::backups::salvage {

/// What a column makes of the values that are put into it
/// (https://www.sqlite.org/datatype3.html#determination_of_column_affinity).
enum class Affinity : std::uint8_t { blob, text, numeric, real };

Affinity affinity_of(std::string_view declared_type, bool is_strict);

/// Whether SQLite would take a text for a number: digits with an optional sign, point, exponent and spaces.
bool is_numeric_text(std::string_view text) noexcept;

struct StoredColumn {
  std::string name;
  Affinity affinity = Affinity::blob;
  bool is_not_null = false;
  bool is_generated = false;  ///< computed anew when the row is put in
  bool is_rowid = false;      ///< the INTEGER PRIMARY KEY, stored as NULL
  /// Whether a record that ends before it has a value for it: the default it was added to the table with.
  bool may_be_missing = true;
};

/// How the rows of a table lie in its records.
struct TableShape {
  std::string name;
  Family family = Family::table;
  std::vector<StoredColumn> columns;  ///< in the order of the record
  std::string rowid;                  ///< the name for it in a statement; empty where it has none

  /// Whether a record can be a row that SQLite has put into this table, so that putting it in again changes
  /// none of its values.
  bool fits(const Record& record, sqlite::TextEncoding encoding) const;
};

/// The shape of a table of `session`, in which it has just been made.
TableShape shape_of(sqlite::Session& session, const sqlite::Table& table);

}  // namespace nerve::backups::salvage
