// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "salvage/page_map.h"
#include "salvage/page_source.h"
#include "salvage/payload.h"
#include "salvage/record.h"
#include "salvage/tree_page.h"

#include "nerve/backups/salvage.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

namespace nerve::backups::salvage {

/// Keys from `low` to `high`, both included.
struct KeyRange {
  std::int64_t low = std::numeric_limits<std::int64_t>::min();
  std::int64_t high = std::numeric_limits<std::int64_t>::max();

  bool contains(std::int64_t key) const noexcept { return low <= key && key <= high; }
};

/// Why a row that could be read may not be one of its table as it stands.
enum class Doubt : std::uint8_t {
  none,
  key_out_of_order,  ///< its key does not fit between its neighbours
  cell_overlapped,   ///< another cell of its page claims some of its bytes
  damaged,           ///< its record has another length than its values
  cut,               ///< a part of it lies in overflow pages that could not be read
  overflow_shared,   ///< another row claims its overflow pages
};

/// One row as it was read. Borrowed: valid while the sink runs.
struct TreeRow {
  std::uint32_t page = 0;
  std::optional<std::int64_t> key;  ///< the rowid; absent in the family index
  const Record& record;
  Doubt doubt = Doubt::none;
};

using RowSink = std::function<void(const TreeRow&)>;

/// A page that more than one place leads to, as one of them sees it.
struct Claim {
  std::uint32_t page = 0;
  KeyRange range;
};

/// What was not found in a b-tree.
struct TreeLosses {
  PageList lost_pages;
  PageList damaged_pages;          ///< read in part
  std::uint64_t broken_cells = 0;  ///< rows that could not be decoded
  std::uint64_t mended_pages = 0;  ///< nothing is lost of these
  std::vector<KeyRange> gaps;      ///< where the rows of lost pages belong
  std::vector<Claim> claims;       ///< pages left aside, since others lead to them too

  void add_gap(const KeyRange& range);
  /// Joins the gaps that overlap, and orders them.
  void join_gaps();
};

/// Whether each key belongs to a longest run of ascending ones; the others are out of order.
std::vector<bool> in_ascending_order(const std::vector<std::int64_t>& keys);

/// Takes rows from one b-tree, page by page. A page is taken once, whatever leads to it, so that no damage
/// makes this endless.
class TreeWalk {
 public:
  /// Borrows all.
  TreeWalk(const PageSource& source, PageMap& map, Family family, TreeLosses& losses, RowSink sink)
      : source_(source),
        map_(map),
        family_(family),
        losses_(losses),
        sink_(std::move(sink)),
        payloads_(source, map, PayloadReader::Rows::in_use) {}

  /// Whether a page with several references is taken or becomes a claim.
  enum class Shared : std::uint8_t { claim, take };

  /// Takes the tree from `root` down; `shared` is for the root, everything below is claimed.
  void walk(std::uint32_t root, const KeyRange& range, Shared shared);
  /// Takes the rows of one page, which has been parsed, and nothing below it.
  void take_rows(std::uint32_t number, ByteView page, const TreePage& tree_page, const KeyRange& range);

 private:
  struct Step {
    std::uint32_t page = 0;
    KeyRange range;
    std::uint32_t depth = 0;
    Shared shared = Shared::claim;
  };

  void visit(const Step& step);
  bool may_take(std::uint32_t number) const noexcept;
  bool claim(const Step& step);
  void lose(const Step& step);
  void push_children(const Step& step, const TreePage& page);
  void take_cell(std::uint32_t number, ByteView page, const Cell& cell, bool is_in_order);

  const PageSource& source_;
  PageMap& map_;
  Family family_;
  TreeLosses& losses_;
  RowSink sink_;
  PayloadReader payloads_;
  std::vector<Step> steps_;
  Bytes page_;
};

/// Counts in the map how many places lead to each page of the b-tree at `root`. Returns false where a page of
/// it could not be read.
enum class TreeUse : std::uint8_t { rows, index_only };
bool count_references(const PageSource& source, PageMap& map, std::uint32_t root, Family family, TreeUse use);

}  // namespace nerve::backups::salvage
