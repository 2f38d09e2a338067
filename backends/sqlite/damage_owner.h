// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/schema.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::sqlite {

/// What one run of quick_check or integrity_check said.
struct CheckFindings {
  std::vector<std::string> findings;   ///< SQLite's words, one defect each
  std::optional<std::string> gave_up;  ///< the error that ended the check early
};

/// What of a table is damaged.
struct OwnedDamage {
  bool is_table_damaged = false;
  std::set<std::string> indexes;
};

/// Tells to which table or index the findings of a check belong.
///
/// SQLite names the index in findings on its entries, and the page in findings on structure. Pages are mapped
/// to tables and indexes by the dbstat table, which walks the b-trees of a damaged database as far as they
/// go; where a build has no dbstat, findings on structure count against the table.
class DamageOwners {
 public:
  /// Throws IntegrityError when the schema cannot be read: nothing can be named then.
  explicit DamageOwners(Session& session);

  const std::vector<Table>& tables() const noexcept { return tables_; }

  /// `findings` are those of a check of `table` and its indexes alone, and not empty.
  OwnedDamage attribute(const Table& table, const CheckFindings& findings) const;

  /// Whether a finding is about the free list or a page that no table and no index uses.
  bool belongs_to_nothing(std::string_view finding) const;

 private:
  void read_pages(Session& session, const std::string& owner, std::int64_t pages_max);

  std::vector<Table> tables_;
  std::map<std::string, std::set<std::string>> indexes_;  ///< by table
  std::map<std::int64_t, std::string> pages_;             ///< owner by page number
  std::set<std::string> undecodable_;                     ///< owners of pages that hold no b-tree page
};

}  // namespace nerve::sqlite
