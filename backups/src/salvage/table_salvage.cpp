// SPDX-License-Identifier: Apache-2.0
#include "salvage/table_salvage.h"

#include <algorithm>
#include <utility>

namespace nerve::backups::salvage {
namespace {

constexpr int descent_max = 40;

/// Ratings of a claim.
constexpr int fits_not = 0;
constexpr int fits = 1;
constexpr int fits_range = 2;
constexpr int fits_range_exactly = 3;

TableShape unknown_shape(const SchemaEntry& entry, Family family) {
  TableShape shape;
  shape.name = entry.name;
  shape.family = family;
  return shape;
}

}  // namespace

TableSalvage::TableSalvage(const SchemaEntry& entry, TableShape shape, const PageSource& source, PageMap& map,
                           NewDatabase& database, LostAndFound& lost, const std::function<void()>& on_row)
    : entry_(entry),
      shape_(std::move(shape)),
      source_(source),
      map_(map),
      is_made_(true),
      writer_(database, lost, shape_, entry.root_page, report_),
      walk_(source, map, shape_.family, losses_, [this, &on_row](const TreeRow& row) {
        on_row();
        writer_.put(row);
      }) {
  report_.name = entry.name;
}

TableSalvage::TableSalvage(const SchemaEntry& entry, Family family, const PageSource& source, PageMap& map,
                           NewDatabase& database, LostAndFound& lost, const std::function<void()>& on_row)
    : entry_(entry),
      shape_(unknown_shape(entry, family)),
      source_(source),
      map_(map),
      is_made_(false),
      writer_(database, lost, shape_, entry.root_page, report_),
      walk_(source, map, family, losses_, [this, &lost, &on_row](const TreeRow& row) {
        on_row();
        if (row.doubt == Doubt::damaged) {
          ++report_.broken_cells;
          return;
        }
        ++report_.lost_and_found;
        lost.add({entry_.root_page, row.page, row.key, entry_.name, "its table could not be made"},
                 row.record);
      }) {
  report_.name = entry.name;
}

void TableSalvage::take_tree() {
  walk_.walk(entry_.root_page, {}, TreeWalk::Shared::claim);
  writer_.release();
}

std::vector<Claim> TableSalvage::take_claims() {
  return std::exchange(losses_.claims, {});
}

bool TableSalvage::records_fit(ByteView page, const TreePage& tree_page, std::size_t values_min) const {
  return std::ranges::all_of(tree_page.cells, [&](const Cell& cell) {
    const ByteView local = page.subspan(cell.local_offset, cell.local_bytes);
    const std::optional<Record> record = read_cut_record(local, cell.payload_bytes);
    return record && record->size() >= values_min && shape_.fits(*record, source_.layout().encoding);
  });
}

int TableSalvage::rate(const Claim& claim) const {
  Bytes bytes;
  std::uint32_t number = claim.page;
  int rating = fits;
  for (int depth = 0; depth < descent_max; ++depth) {
    const std::optional<TreePage> page = source_.read(number, bytes)
                                             ? parse_tree_page(bytes, source_.bounds(number), shape_.family)
                                             : std::nullopt;
    if (!page) return fits_not;
    if (depth == 0 && shape_.family == Family::table && !page->cells.empty()) {
      const bool is_inside =
          std::ranges::all_of(page->cells, [&](const Cell& cell) { return claim.range.contains(cell.key); });
      if (!is_inside) return fits_not;
      rating = page->is_leaf && page->cells.back().key == claim.range.high ? fits_range_exactly : fits_range;
    }
    if (page->is_leaf || shape_.family == Family::index) {
      return !is_made_ || records_fit(bytes, *page, 1) ? rating : fits_not;
    }
    number = page->cells.empty() ? page->right_child : page->cells.front().child;
  }
  return fits_not;
}

void TableSalvage::take_claimed(const Claim& claim) {
  walk_.walk(claim.page, claim.range, TreeWalk::Shared::take);
}

void TableSalvage::lose_claimed(const Claim& claim) {
  losses_.lost_pages.add(claim.page);
  losses_.add_gap(claim.range);
}

void TableSalvage::settle_gaps() {
  losses_.join_gaps();
}

bool TableSalvage::is_in_gap(const TreePage& tree_page) const {
  if (shape_.family == Family::index) return has_gaps();
  const auto [low, high] = std::ranges::minmax(tree_page.cells, {}, &Cell::key);
  const auto behind = std::ranges::upper_bound(losses_.gaps, low.key, {}, &KeyRange::low);
  return behind != losses_.gaps.begin() && std::prev(behind)->contains(high.key);
}

bool TableSalvage::could_hold(ByteView page, const TreePage& tree_page) const {
  return is_made_ && tree_page.family == shape_.family && !tree_page.cells.empty() && is_in_gap(tree_page) &&
         records_fit(page, tree_page, writer_.values_min());
}

void TableSalvage::place(std::uint32_t number, ByteView page, const TreePage& tree_page) {
  const std::int64_t before = report_.rows;
  map_.set(number, PageMap::walked);
  walk_.take_rows(number, page, tree_page, {});
  report_.placed_rows += report_.rows - before;
}

SalvagedTable TableSalvage::finish() {
  report_.lost_pages = losses_.lost_pages;
  report_.damaged_pages = losses_.damaged_pages;
  report_.mended_pages = losses_.mended_pages;
  SalvagedTable report = report_;
  report.broken_cells += losses_.broken_cells;
  return report;
}

}  // namespace nerve::backups::salvage
