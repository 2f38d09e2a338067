// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "salvage/lost_and_found.h"
#include "salvage/page_map.h"
#include "salvage/page_source.h"
#include "salvage/schema_entries.h"
#include "salvage/table_shape.h"
#include "salvage/table_writer.h"
#include "salvage/tree_walk.h"

#include "nerve/backups/salvage.h"

#include <cstdint>
#include <string>
#include <vector>

namespace nerve::backups::salvage {

/// One table on its way from its b-tree in the damaged file into the new database.
class TableSalvage {
 public:
  /// A table that stands in the new database.
  TableSalvage(const SchemaEntry& entry, TableShape shape, const PageSource& source, PageMap& map,
               NewDatabase& database, LostAndFound& lost, const std::function<void()>& on_row);
  /// A table that could not be made there: all its rows go to lost_and_found.
  TableSalvage(const SchemaEntry& entry, Family family, const PageSource& source, PageMap& map,
               NewDatabase& database, LostAndFound& lost, const std::function<void()>& on_row);
  TableSalvage(const TableSalvage&) = delete;
  TableSalvage& operator=(const TableSalvage&) = delete;

  const std::string& name() const noexcept { return entry_.name; }
  Family family() const noexcept { return shape_.family; }
  std::uint32_t root_page() const noexcept { return entry_.root_page; }

  /// Takes the whole tree; pages that others lead to as well become claims.
  void take_tree();
  /// The claims since the last call.
  std::vector<Claim> take_claims();
  /// How well a page fits as the part of this table that a claim makes it: 0 where it does not.
  int rate(const Claim& claim) const;
  /// Takes the part of the tree that was claimed.
  void take_claimed(const Claim& claim);
  void lose_claimed(const Claim& claim);

  /// Whether pages are missing, so that a page that nothing leads to may be one of them.
  bool has_gaps() const noexcept { return !losses_.gaps.empty(); }
  /// Joins the gaps; to be called when no more come.
  void settle_gaps();
  /// Whether all rows of the page could be missing ones of this table.
  bool could_hold(ByteView page, const TreePage& tree_page) const;
  /// Takes the rows of a page that nothing led to.
  void place(std::uint32_t number, ByteView page, const TreePage& tree_page);

  SalvagedTable& report() noexcept { return report_; }
  /// The report with what the walks have counted.
  SalvagedTable finish();

 private:
  bool records_fit(ByteView page, const TreePage& tree_page, std::size_t values_min) const;
  bool is_in_gap(const TreePage& tree_page) const;

  const SchemaEntry& entry_;
  TableShape shape_;
  const PageSource& source_;
  PageMap& map_;
  SalvagedTable report_;
  bool is_made_;
  TableWriter writer_;
  TreeLosses losses_;
  TreeWalk walk_;
};

}  // namespace nerve::backups::salvage
