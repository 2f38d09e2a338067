// SPDX-License-Identifier: Apache-2.0
#include "table_rows.h"

#include "nerve/backends/sqlite/content.h"
#include "nerve/core/text.h"

#include <fmt/format.h>

#include <cstdint>
#include <map>

namespace nerve::backups {

std::vector<TableRows> table_rows(sqlite::Session& session, ProgressSink* progress) {
  std::vector<TableRows> tables;
  for (const sqlite::TableCount& count : sqlite::count_rows(session, progress)) {
    // SQLite takes any bytes as a name, JSON only UTF-8.
    tables.push_back(
        {is_valid_utf8(count.name) ? count.name : sanitize_for_terminal(count.name), count.rows});
  }
  return tables;
}

std::vector<std::string> compare_rows(const Manifest& manifest, const std::vector<TableRows>& found) {
  std::vector<std::string> differences;
  std::map<std::string, std::int64_t> expected;
  for (const TableRows& table : manifest.tables) expected[table.name] = table.rows;
  for (const TableRows& table : found) {
    const auto recorded = expected.extract(table.name);
    if (recorded.empty()) {
      differences.push_back(fmt::format("table \"{}\" is not in the manifest", table.name));
    } else if (recorded.mapped() != table.rows) {
      differences.push_back(fmt::format("table \"{}\" has {} rows and the manifest says {}", table.name,
                                        table.rows, recorded.mapped()));
    }
  }
  for (const auto& [name, rows] : expected) {
    differences.push_back(fmt::format("table \"{}\" is missing", name));
  }
  return differences;
}

}  // namespace nerve::backups
