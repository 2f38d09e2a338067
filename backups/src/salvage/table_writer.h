// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "salvage/lost_and_found.h"
#include "salvage/new_database.h"
#include "salvage/table_shape.h"
#include "salvage/tree_walk.h"

#include "nerve/backups/salvage.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace nerve::backups::salvage {

/// What lost_and_found says of a doubt.
std::string_view reason_of(Doubt doubt) noexcept;

/// Puts the rows of one table into the new database, and those that it cannot put there into lost_and_found.
class TableWriter {
 public:
  /// Borrows all; `report` counts.
  TableWriter(NewDatabase& database, LostAndFound& lost, const TableShape& shape, std::uint32_t root_page,
              SalvagedTable& report)
      : database_(database), lost_(lost), shape_(shape), root_page_(root_page), report_(report) {}

  /// Whether the row is in the table now.
  bool put(const TreeRow& row);

  /// Gives back the statements, which are made again when they are needed.
  void release() noexcept { statements_.clear(); }

  /// The fewest values that a record of this table had so far: less than the columns where some were added
  /// later. As many as the columns before the first row.
  std::size_t values_min() const noexcept { return values_min_.value_or(shape_.columns.size()); }

 private:
  bool insert(const TreeRow& row, std::string& refusal);
  ::sqlite3_stmt* statement_for(std::size_t values);

  NewDatabase& database_;
  LostAndFound& lost_;
  const TableShape& shape_;
  std::uint32_t root_page_;
  SalvagedTable& report_;
  std::map<std::size_t, StatementHandle> statements_;  ///< by the number of values
  std::optional<std::size_t> values_min_;
};

}  // namespace nerve::backups::salvage
