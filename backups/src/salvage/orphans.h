// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "salvage/lost_and_found.h"
#include "salvage/page_map.h"
#include "salvage/page_source.h"
#include "salvage/table_salvage.h"

#include "nerve/core/progress.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace nerve::backups::salvage {

/// The pages with rows that no b-tree leads to any more.
class Orphans {
 public:
  struct Facts {
    bool is_schema_whole = true;    ///< each b-tree has its entry, so an orphan is of a table that lost pages
    bool are_indexes_whole = true;  ///< no index lost pages that could be taken for rows
  };

  /// Borrows all.
  Orphans(const PageSource& source, PageMap& map, std::vector<std::unique_ptr<TableSalvage>>& tables,
          LostAndFound& lost, const Facts& facts)
      : source_(source), map_(map), tables_(tables), lost_(lost), facts_(facts) {}

  /// Puts the rows of each such page into the only table that can have lost it, or into lost_and_found.
  void take_all(ProgressSink* progress);

  /// Puts rows that were deleted, on pages of the free list, into lost_and_found. How many they were.
  std::uint64_t take_deleted(ProgressSink* progress);

 private:
  std::vector<std::uint32_t> find_pages(ProgressSink* progress);
  bool is_candidate(std::uint32_t number) const noexcept;
  bool is_wanted(ByteView page, const TreePage& tree_page) const;
  void take(std::uint32_t number, ByteView page, const TreePage& tree_page);
  TableSalvage* only_owner(ByteView page, const TreePage& tree_page) const;
  void note_parent(std::uint32_t child, std::uint32_t parent);
  std::uint32_t root_of(std::uint32_t number) const;

  const PageSource& source_;
  PageMap& map_;
  std::vector<std::unique_ptr<TableSalvage>>& tables_;
  LostAndFound& lost_;
  Facts facts_;
  std::vector<std::uint32_t> parents_;  ///< among the orphans, by page; 0 where there is none
};

}  // namespace nerve::backups::salvage
