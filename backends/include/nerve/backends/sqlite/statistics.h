// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/schema.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/core/json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nerve {
class ProgressSink;
}

namespace nerve::sqlite {

struct IndexStatistics {
  std::string name;
  std::optional<std::uint64_t> size_bytes;  ///< absent where SQLite is built without the dbstat table
};

struct TableStatistics {
  std::string name;
  TableKind kind = TableKind::table;
  std::int64_t rows = 0;
  std::optional<std::uint64_t> size_bytes;     ///< all its pages, without its indexes
  std::optional<std::uint64_t> payload_bytes;  ///< what its rows take, without free space and page headers
  std::vector<IndexStatistics> indexes;        ///< the largest first

  /// Bytes of a row on average; absent for an empty table.
  std::optional<double> average_row_bytes() const noexcept;
  std::optional<std::uint64_t> indexes_bytes() const noexcept;
};

/// What a database holds, and where its bytes are.
struct Statistics {
  std::string path;
  std::uint64_t size_bytes = 0;  ///< pages in use and free, as this state of the database has them
  std::uint32_t page_size_bytes = 0;
  std::int64_t page_count = 0;
  std::int64_t free_page_count = 0;
  std::uint64_t wal_bytes = 0;
  std::string journal_mode;
  std::string encoding;
  std::int64_t view_count = 0;
  std::int64_t trigger_count = 0;
  std::vector<TableStatistics> tables;  ///< the largest first, its indexes counted; of equals, by name

  std::int64_t rows() const noexcept;
  /// {"path", "size_bytes", …, "tables": [{"name", "kind", "rows", "size_bytes", …}]}; what is unknown is
  /// null.
  Json to_json() const;
};

/// Reads every page once, in one snapshot. Throws IntegrityError where damage stands in the way.
Statistics collect_statistics(Session& session, ProgressSink* progress = nullptr);

}  // namespace nerve::sqlite
