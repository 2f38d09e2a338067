// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/json.h"
#include "nerve/db/database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nerve::postgresql {

struct IndexStatistics {
  std::string name;
  std::uint64_t size_bytes = 0;
};

struct TableStatistics {
  std::string name;  ///< with its schema: "public.users"
  std::string kind;  ///< "table", "partitioned" (its rows are in its partitions) or "materialized_view"
  /// What the server believes since the last VACUUM or ANALYZE; absent where it never looked.
  std::optional<std::int64_t> rows;
  std::uint64_t size_bytes = 0;          ///< with TOAST and free space map, without indexes
  std::vector<IndexStatistics> indexes;  ///< the largest first

  std::optional<double> average_row_bytes() const noexcept;
  std::uint64_t indexes_bytes() const noexcept;
};

/// What a PostgreSQL database holds, and where its bytes are.
struct Statistics {
  std::string database;          ///< its name, without credentials
  std::string version;           ///< of the server
  std::uint64_t size_bytes = 0;  ///< of the whole database, the system's tables included
  std::string encoding;
  std::int64_t view_count = 0;
  std::int64_t trigger_count = 0;
  std::vector<TableStatistics> tables;  ///< the largest first, its indexes counted; of equals, by name

  /// The sum of what is known.
  std::int64_t rows() const noexcept;
  /// As the JSON of sqlite::Statistics, less what only a file has; numbers of rows are estimates.
  Json to_json() const;
};

/// Reads the catalogue in one snapshot; no table is read. System schemas are left out. Throws what
/// Database::read throws.
Statistics collect_statistics(db::Database& database);

}  // namespace nerve::postgresql
