// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"
#include "nerve/convert/profile.h"

#include <cstdint>
#include <functional>
#include <limits>
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

/// Rows of a table by their rowids, both included.
struct RowidRange {
  std::int64_t first = std::numeric_limits<std::int64_t>::min();
  std::int64_t last = std::numeric_limits<std::int64_t>::max();
};

/// What a part of a table holds.
struct TablePart {
  TableProfile profile;
  std::int64_t last_range_bytes = 0;  ///< of the range that is begun last
};

/// Reads a part of a table, of one without rowids all of it, and says what its columns hold. `on_bytes` is
/// told from time to time how many bytes were read since it was told last. Throws what reading throws.
TablePart scan_part(sqlite::Session& session, const TableQuery& table, const RowidRange& part,
                    const std::vector<ColumnInterest>& interests, std::int64_t range_bytes,
                    const std::function<void(std::int64_t)>& on_bytes);

}  // namespace nerve::convert
