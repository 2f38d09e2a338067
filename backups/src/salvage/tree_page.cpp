// SPDX-License-Identifier: Apache-2.0
#include "salvage/tree_page.h"

#include "salvage/big_endian.h"
#include "salvage/record.h"

#include <algorithm>
#include <array>

namespace nerve::backups::salvage {
namespace {

constexpr std::uint32_t leaf_header_bytes = 8;
constexpr std::uint32_t interior_header_bytes = 12;
constexpr std::uint32_t cell_bytes_min = 4;
constexpr std::uint32_t free_block_bytes_min = 4;
constexpr std::uint32_t content_start_of_zero = 65536;

struct PageKind {
  Family family = Family::table;
  bool is_leaf = true;
};

std::optional<PageKind> page_kind(std::uint8_t byte) noexcept {
  switch (byte) {
    case 2:
      return PageKind{Family::index, false};
    case 5:
      return PageKind{Family::table, false};
    case 10:
      return PageKind{Family::index, true};
    case 13:
      return PageKind{Family::table, true};
    default:
      return std::nullopt;
  }
}

/// How much of a payload stays in the page.
std::uint32_t local_bytes_of(std::uint64_t payload_bytes, std::uint32_t usable_bytes,
                             const PageKind& kind) noexcept {
  const std::uint32_t usable = usable_bytes;
  const std::uint32_t local_max = kind.family == Family::table ? usable - 35 : (usable - 12) * 64 / 255 - 23;
  if (payload_bytes <= local_max) return static_cast<std::uint32_t>(payload_bytes);
  const std::uint32_t local_min = (usable - 12) * 32 / 255 - 23;
  const auto local = static_cast<std::uint32_t>(local_min + (payload_bytes - local_min) % (usable - 4));
  return local <= local_max ? local : local_min;
}

/// A page seen as one of a certain kind.
class PageView {
 public:
  PageView(ByteView page, const PageBounds& bounds, const PageKind& kind)
      : page_(page.first(bounds.usable_bytes)),
        usable_bytes_(bounds.usable_bytes),
        page_number_max_(bounds.page_number_max),
        kind_(kind),
        first_pointer_(bounds.tree_offset + (kind.is_leaf ? leaf_header_bytes : interior_header_bytes)),
        first_free_block_(u16_at(page, bounds.tree_offset + 1)),
        cell_count_(u16_at(page, bounds.tree_offset + 3)),
        content_start_(u16_at(page, bounds.tree_offset + 5)),
        fragment_bytes_(u8_at(page, bounds.tree_offset + 7)),
        right_child_(kind.is_leaf ? 0 : u32_at(page, bounds.tree_offset + 8)) {
    if (content_start_ == 0) content_start_ = content_start_of_zero;
  }

  std::uint32_t cell_count() const noexcept { return cell_count_; }

  /// The page with the first cells that make it exact; nothing where no number of them does.
  std::optional<TreePage> read_exactly() const {
    const std::optional<std::uint32_t> free_bytes = count_free_bytes();
    if (!free_bytes || content_start_ > usable_bytes_) return std::nullopt;
    const std::uint32_t wanted = usable_bytes_ - content_start_;
    std::uint32_t found = *free_bytes + fragment_bytes_;
    TreePage page = empty_page();
    for (std::uint32_t number = 0; found < wanted && pointer_end(number) <= content_start_; ++number) {
      const std::optional<Cell> cell = cell_at(pointer(number));
      if (!cell || cell->offset < content_start_) return std::nullopt;
      found += cell->size_bytes;
      page.cells.push_back(*cell);
    }
    if (found != wanted || mark_overlaps(page.cells)) return std::nullopt;
    page.is_exact = true;
    return page;
  }

  /// The page with every cell that lies within bounds; nothing where none leads to a row or a page.
  std::optional<TreePage> read_what_is_there() const {
    TreePage page = empty_page();
    std::vector<Cell> damaged;
    std::uint32_t pointers_end_max = usable_bytes_;
    for (std::uint32_t number = 0; number < cell_count_ && pointer_end(number) <= pointers_end_max;
         ++number) {
      const std::optional<Cell> cell = cell_at(pointer(number));
      if (!cell || cell->offset < pointer_end(number) || !has_child(*cell)) {
        ++page.broken_cells;
        continue;
      }
      // What is no row must not cast doubt on those that are.
      if (has_payload() && !is_row(*cell)) {
        damaged.push_back(*cell);
        continue;
      }
      page.cells.push_back(*cell);
      pointers_end_max = std::min(pointers_end_max, cell->offset);
    }
    if (page.cells.empty()) return std::nullopt;
    mark_overlaps(page.cells);
    page.cells.insert(page.cells.end(), damaged.begin(), damaged.end());
    return page;
  }

 private:
  bool has_payload() const noexcept { return kind_.is_leaf || kind_.family == Family::index; }
  bool has_child(const Cell& cell) const noexcept {
    return kind_.is_leaf || (cell.child != 0 && cell.child <= page_number_max_);
  }
  bool is_row(const Cell& cell) const {
    return read_cut_record(page_.subspan(cell.local_offset, cell.local_bytes), cell.payload_bytes)
        .has_value();
  }

  TreePage empty_page() const {
    TreePage page;
    page.family = kind_.family;
    page.is_leaf = kind_.is_leaf;
    page.right_child = right_child_;
    return page;
  }

  std::uint32_t pointer_end(std::uint32_t number) const noexcept { return first_pointer_ + 2 * (number + 1); }
  std::uint32_t pointer(std::uint32_t number) const noexcept {
    return u16_at(page_, pointer_end(number) - 2);
  }

  /// The bytes in free blocks; nothing where their chain is broken. They lie in ascending order, so that the
  /// chain ends.
  std::optional<std::uint32_t> count_free_bytes() const noexcept {
    std::uint32_t total_bytes = 0;
    std::uint32_t offset = first_free_block_;
    std::uint32_t end = content_start_;
    while (offset != 0) {
      if (offset < end || offset + free_block_bytes_min > usable_bytes_) return std::nullopt;
      const std::uint32_t size_bytes = u16_at(page_, offset + 2);
      if (size_bytes < free_block_bytes_min || offset + size_bytes > usable_bytes_) return std::nullopt;
      total_bytes += size_bytes;
      end = offset + size_bytes;
      offset = u16_at(page_, offset);
    }
    return total_bytes;
  }

  std::optional<Cell> cell_at(std::uint32_t offset) const noexcept {
    Cell cell;
    cell.offset = offset;
    std::uint32_t end = offset;
    if (!kind_.is_leaf) {
      if (end + 4 > usable_bytes_) return std::nullopt;
      cell.child = u32_at(page_, end);
      end += 4;
    }
    if (has_payload()) {
      const std::optional<Varint> payload = varint_at(page_, end);
      if (!payload || payload->value > payload_bytes_max) return std::nullopt;
      cell.payload_bytes = payload->value;
      end += payload->size_bytes;
    }
    if (kind_.family == Family::table) {
      const std::optional<Varint> key = varint_at(page_, end);
      if (!key) return std::nullopt;
      cell.key = static_cast<std::int64_t>(key->value);
      end += key->size_bytes;
    }
    if (has_payload()) {
      cell.local_offset = end;
      cell.local_bytes = local_bytes_of(cell.payload_bytes, usable_bytes_, kind_);
      end += cell.local_bytes;
      if (cell.local_bytes < cell.payload_bytes) {
        if (end + 4 > usable_bytes_) return std::nullopt;
        cell.overflow_page = u32_at(page_, end);
        end += 4;
      }
    }
    cell.size_bytes = std::max(end - offset, cell_bytes_min);
    if (offset + cell.size_bytes > usable_bytes_) return std::nullopt;
    return cell;
  }

  /// Whether any two cells claim the same bytes.
  static bool mark_overlaps(std::vector<Cell>& cells) {
    std::vector<Cell*> by_offset;
    by_offset.reserve(cells.size());
    for (Cell& cell : cells) by_offset.push_back(&cell);
    std::ranges::sort(by_offset, {}, &Cell::offset);
    bool is_found = false;
    Cell* widest = nullptr;  // of those so far, the one that ends last
    for (Cell* cell : by_offset) {
      if (widest != nullptr && widest->offset + widest->size_bytes > cell->offset) {
        widest->is_overlapped = cell->is_overlapped = is_found = true;
      }
      if (widest == nullptr || cell->offset + cell->size_bytes > widest->offset + widest->size_bytes) {
        widest = cell;
      }
    }
    return is_found;
  }

  ByteView page_;
  std::uint32_t usable_bytes_;
  std::uint32_t page_number_max_;
  PageKind kind_;
  std::uint32_t first_pointer_;
  std::uint32_t first_free_block_;
  std::uint32_t cell_count_;
  std::uint32_t content_start_;
  std::uint32_t fragment_bytes_;
  std::uint32_t right_child_;
};

}  // namespace

std::optional<TreePage> parse_tree_page(ByteView page, const PageBounds& bounds, Family family) {
  const std::optional<PageKind> stated = page_kind(u8_at(page, bounds.tree_offset));
  const bool is_fitting = stated && stated->family == family;
  if (is_fitting) {
    const PageView view(page, bounds, *stated);
    std::optional<TreePage> exact = view.read_exactly();
    const bool is_believable = exact && (!exact->cells.empty() || view.cell_count() == 0);
    if (is_believable) {
      exact->is_mended = exact->cells.size() != view.cell_count();
      return exact;
    }
  }
  // A kind that was overwritten shows in the way the page is filled. An empty page shows nothing.
  for (const bool is_leaf : {true, false}) {
    if (is_fitting && stated->is_leaf == is_leaf) continue;
    std::optional<TreePage> mended = PageView(page, bounds, {family, is_leaf}).read_exactly();
    if (mended && !mended->cells.empty()) {
      mended->is_mended = true;
      return mended;
    }
  }
  if (!is_fitting) return std::nullopt;
  return PageView(page, bounds, *stated).read_what_is_there();
}

std::optional<TreePage> recognise_tree_page(ByteView page, const PageBounds& bounds) {
  const std::optional<PageKind> stated = page_kind(u8_at(page, bounds.tree_offset));
  if (!stated) return std::nullopt;
  const PageView view(page, bounds, *stated);
  std::optional<TreePage> exact = view.read_exactly();
  if (!exact || exact->cells.size() != view.cell_count()) return std::nullopt;
  return exact;
}

}  // namespace nerve::backups::salvage
