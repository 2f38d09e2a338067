// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/bytes.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace nerve::backups::salvage {

/// The two sorts of b-tree: keys with rows, and keys that are rows (indexes, WITHOUT ROWID tables).
enum class Family : std::uint8_t { table, index };

/// One entry of a b-tree page. Which members mean something depends on the page: `child` on an interior one,
/// `key` in the family table, the payload on leaves and in the family index.
struct Cell {
  std::uint32_t offset = 0;      ///< in the page
  std::uint32_t size_bytes = 0;  ///< in the page
  std::uint32_t child = 0;
  std::int64_t key = 0;
  std::uint64_t payload_bytes = 0;  ///< in all
  std::uint32_t local_offset = 0;   ///< of the part of the payload that lies in the page
  std::uint32_t local_bytes = 0;
  std::uint32_t overflow_page = 0;  ///< where the rest begins; 0 where there is none
  bool is_overlapped = false;       ///< another cell claims some of the same bytes
};

/// A page of a b-tree (https://www.sqlite.org/fileformat2.html#b_tree_pages), each cell of it within bounds.
struct TreePage {
  Family family = Family::table;
  bool is_leaf = true;
  std::uint32_t right_child = 0;  ///< of an interior page
  std::vector<Cell> cells;
  std::uint32_t broken_cells = 0;  ///< cells that lead nowhere
  /// Whether cells, free blocks and fragments fill the page exactly, as SQLite keeps it: then no cell is
  /// missing and none is misread.
  bool is_exact = false;
  bool is_mended = false;  ///< exact only after the kind or the number of cells in its header was corrected
};

struct PageBounds {
  std::uint32_t tree_offset = 0;  ///< 100 on page 1
  std::uint32_t usable_bytes = 0;
  std::uint32_t page_number_max = std::numeric_limits<std::uint32_t>::max();  ///< that a child can have
};

/// Reads a page that should be of `family`. Nothing where no cell of it can be read. A wrong kind or number
/// of cells is corrected where only one other makes the page exact.
std::optional<TreePage> parse_tree_page(ByteView page, const PageBounds& bounds, Family family);

/// The same for a page of which nothing is known; only what is exact is taken for a page of a b-tree.
std::optional<TreePage> recognise_tree_page(ByteView page, const PageBounds& bounds);

}  // namespace nerve::backups::salvage
