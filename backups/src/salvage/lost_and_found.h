// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "salvage/new_database.h"

#include "nerve/backups/salvage.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace nerve::backups::salvage {

/// A row that has no table it could be put into, and what is known of it.
struct LostRow {
  std::uint32_t root_page = 0;  ///< of the tree that its page hangs in
  std::uint32_t page = 0;
  std::optional<std::int64_t> key;
  std::string_view table;   ///< that it belongs to; empty where that is not known
  std::string_view reason;  ///< why it is here
};

/// The table of such rows: rootpgno, pgno, nfield, id, table_name, reason, c0, c1 … (the names are those of
/// the sqlite3 command's .recover, which has no table_name and reason). Made with the first row, widened as
/// needed.
class LostAndFound {
 public:
  /// `schema` holds the names that are taken.
  LostAndFound(NewDatabase& database, const Schema& schema);

  void add(const LostRow& row, const Record& record);

  /// Empty while there is no row.
  const std::string& name() const noexcept { return name_; }
  const std::map<std::string, std::uint64_t>& rows_by_reason() const noexcept { return rows_by_reason_; }

 private:
  void widen_to(std::size_t values);

  NewDatabase& database_;
  const Schema& schema_;
  std::string name_;
  std::size_t values_ = 0;  ///< columns c0 to c(values_ - 1) are there
  StatementHandle insert_;
  std::map<std::string, std::uint64_t> rows_by_reason_;
};

}  // namespace nerve::backups::salvage
