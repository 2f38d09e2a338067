// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"
#include "nerve/convert/profile.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace nerve::convert {

/// What is read of a table, and how.
struct TableQuery {
  std::string name;
  std::string rowid;  ///< the name by which its rowid can be asked for; empty where it has none
  std::vector<std::string> columns;  ///< by their names in SQLite
};

/// `SELECT` of the columns and, where there is one, of the rowid behind them: of a table with rowids in their
/// order and between ?1 and ?2, which are the only parameters; of another one all rows.
std::string select_rows(const TableQuery& table);
/// The same of all rows, without parameters.
std::string select_all_rows(const TableQuery& table);

/// Reads the whole table and says what its columns hold. `on_bytes` is told from time to time how many
/// bytes were read since it was told last. Throws what reading throws.
TableProfile scan_table(sqlite::Session& session, const TableQuery& table,
                        const std::vector<ColumnInterest>& interests, std::int64_t range_bytes,
                        const std::function<void(std::int64_t)>& on_bytes);

}  // namespace nerve::convert
