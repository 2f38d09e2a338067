// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/repository.h"
#include "nerve/backups/salvage.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <numeric>
#include <string_view>

namespace nerve::backups {
namespace {

Json page_list(const PageList& pages) {
  return {{"total", pages.total}, {"first", pages.first}};
}

Json salvaged_table(const SalvagedTable& table) {
  return {{"name", table.name},
          {"rows", table.rows},
          {"whole", table.is_whole()},
          {"lost_pages", page_list(table.lost_pages)},
          {"damaged_pages", page_list(table.damaged_pages)},
          {"broken_cells", table.broken_cells},
          {"lost_and_found", table.lost_and_found},
          {"placed_rows", table.placed_rows},
          {"mended_pages", table.mended_pages}};
}

}  // namespace

std::int64_t SalvageReport::rows_total() const noexcept {
  return std::accumulate(tables.begin(), tables.end(), std::int64_t{0},
                         [](std::int64_t sum, const SalvagedTable& table) { return sum + table.rows; });
}

std::uint64_t SalvageReport::lost_and_found_rows() const noexcept {
  return std::accumulate(rows_by_reason.begin(), rows_by_reason.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& reason) { return sum + reason.second; });
}

bool SalvageReport::is_all_read() const noexcept {
  constexpr std::string_view without_table = "its table could not be made";
  const bool are_rows_whole = std::ranges::all_of(rows_by_reason, [&](const auto& rows) {
    return rows.first == without_table || rows.first == "deleted";
  });
  return !is_header_damaged && is_schema_whole && !has_lost_transactions && are_rows_whole &&
         std::ranges::all_of(tables, [](const SalvagedTable& table) {
           return table.lost_pages.total == 0 && table.damaged_pages.total == 0 && table.broken_cells == 0;
         });
}

bool SalvageReport::is_complete() const noexcept {
  return !is_header_damaged && is_schema_whole && !has_lost_transactions && lost_objects.empty() &&
         damaged_virtual_tables.empty() && lost_and_found_rows() == deleted_rows &&
         std::ranges::all_of(tables, &SalvagedTable::is_whole);
}

Json SalvageReport::to_json() const {
  Json list = Json::array();
  for (const SalvagedTable& table : tables) list.push_back(salvaged_table(table));
  Json objects = Json::array();
  for (const LostObject& object : lost_objects) {
    objects.push_back({{"type", object.type}, {"name", object.name}, {"problem", object.problem}});
  }
  Json found;
  if (!lost_and_found.empty()) {
    found = {{"table", lost_and_found},
             {"rows", lost_and_found_rows()},
             {"deleted_rows", deleted_rows},
             {"rows_by_reason", rows_by_reason}};
  }
  return {{"source", source_name(source)},
          {"target", source_name(target)},
          {"complete", is_complete()},
          {"page_size_bytes", page_size_bytes},
          {"page_count", page_count},
          {"rows", rows_total()},
          {"header_damaged", is_header_damaged},
          {"schema_whole", is_schema_whole},
          {"lost_transactions", has_lost_transactions},
          {"tables", list},
          {"lost_objects", objects},
          {"damaged_virtual_tables", damaged_virtual_tables},
          {"lost_and_found", found},
          {"notes", notes}};
}

}  // namespace nerve::backups
