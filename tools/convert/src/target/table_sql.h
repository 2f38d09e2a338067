// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "scan/table_scan.h"

#include "nerve/convert/plan.h"

#include <cstdint>
#include <optional>
#include <string>

namespace nerve::convert {

/// "schema"."table", quoted.
std::string qualified_name(const std::string& schema, const std::string& name);

/// CREATE TABLE with the columns and nothing else. The server does not vacuum the table by itself: as long as
/// it is at that, each key, index and constraint would wait for it, and it takes the time of a core.
std::string create_table_sql(const TablePlan& table, const std::string& schema);
/// Has the server do so again.
std::string vacuum_by_itself_sql(const TablePlan& table, const std::string& schema);
/// COPY of the loaded columns, in binary.
std::string copy_in_sql(const TablePlan& table, const std::string& schema, bool is_frozen);

/// Blocks of a table on the server.
struct BlockRange {
  std::int64_t first = 0;
  std::optional<std::int64_t> end;  ///< the first one behind it; absent: to the table's end

  bool is_whole() const noexcept { return first == 0 && !end; }
};
/// COPY of all columns, in binary.
std::string copy_out_sql(const TablePlan& table, const std::string& schema, const BlockRange& blocks);

/// What is read of the source: all columns, also those that the target computes, so that these are compared.
TableQuery source_query(const TablePlan& table);

}  // namespace nerve::convert
