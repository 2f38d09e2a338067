// SPDX-License-Identifier: Apache-2.0
#include "salvage/tree_walk.h"

#include "nerve/core/interrupt.h"

#include <algorithm>
#include <utility>

namespace nerve::backups::salvage {
namespace {

/// Deeper than SQLite's own limit of 20, since pages of few bytes make no other tree.
constexpr std::uint32_t depth_max = 40;

bool is_strictly_ascending(const std::vector<std::int64_t>& keys) {
  return std::ranges::adjacent_find(keys, std::greater_equal<>()) == keys.end();
}

std::vector<std::int64_t> keys_of(const TreePage& page) {
  std::vector<std::int64_t> keys;
  keys.reserve(page.cells.size());
  for (const Cell& cell : page.cells) keys.push_back(cell.key);
  return keys;
}

}  // namespace

void TreeLosses::add_gap(const KeyRange& range) {
  // Damage can make each cell of each page a gap of its own. Beyond so many, rows go to lost_and_found
  // instead.
  constexpr std::size_t gaps_max = 1'000'000;
  if (gaps.size() < gaps_max) gaps.push_back(range);
}

void TreeLosses::join_gaps() {
  std::ranges::sort(gaps, {}, &KeyRange::low);
  std::vector<KeyRange> joined;
  for (const KeyRange& gap : gaps) {
    if (!joined.empty() && gap.low <= joined.back().high) {
      joined.back().high = std::max(joined.back().high, gap.high);
    } else {
      joined.push_back(gap);
    }
  }
  gaps = std::move(joined);
}

std::vector<bool> in_ascending_order(const std::vector<std::int64_t>& keys) {
  if (is_strictly_ascending(keys)) return std::vector<bool>(keys.size(), true);
  // Patience sorting: ends[n] is the place of the smallest key that ends a run of n + 1.
  constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> ends;
  std::vector<std::size_t> before(keys.size(), none);
  for (std::size_t place = 0; place < keys.size(); ++place) {
    const auto end =
        std::ranges::lower_bound(ends, keys[place], {}, [&](std::size_t at) { return keys[at]; });
    if (end != ends.begin()) before[place] = *std::prev(end);
    if (end == ends.end()) {
      ends.push_back(place);
    } else {
      *end = place;
    }
  }
  std::vector<bool> is_in_order(keys.size(), false);
  for (std::size_t place = ends.empty() ? none : ends.back(); place != none; place = before[place]) {
    is_in_order[place] = true;
  }
  return is_in_order;
}

void TreeWalk::walk(std::uint32_t root, const KeyRange& range, Shared shared) {
  steps_.assign(1, {root, range, 0, shared});
  while (!steps_.empty()) {
    throw_if_interrupted();
    const Step step = steps_.back();
    steps_.pop_back();
    visit(step);
  }
}

bool TreeWalk::may_take(std::uint32_t number) const noexcept {
  if (!source_.is_page(number) || map_.has(number, PageMap::walked)) return false;
  if (map_.has(number, PageMap::pointer_map)) return false;
  return !(map_.is_free_list_whole && map_.has(number, PageMap::unused));
}

void TreeWalk::lose(const Step& step) {
  losses_.lost_pages.add(step.page);
  losses_.add_gap(step.range);
}

/// A page that very many places lead to is none of theirs.
bool TreeWalk::claim(const Step& step) {
  constexpr std::size_t claims_max = 1'000'000;
  if (losses_.claims.size() >= claims_max) return false;
  losses_.claims.push_back({step.page, step.range});
  return true;
}

void TreeWalk::visit(const Step& step) {
  if (step.depth > depth_max || !may_take(step.page)) return lose(step);
  if (step.shared == Shared::claim && map_.references(step.page) > 1) {
    return claim(step) ? void() : lose(step);
  }
  if (!source_.read(step.page, page_)) return lose(step);
  const std::optional<TreePage> page = parse_tree_page(page_, source_.bounds(step.page), family_);
  if (!page) return lose(step);
  map_.set(step.page, PageMap::walked);
  if (page->is_mended) ++losses_.mended_pages;
  if (!page->is_exact) losses_.damaged_pages.add(step.page);
  if (page->is_leaf || family_ == Family::index) take_rows(step.page, page_, *page, step.range);
  if (!page->is_leaf) push_children(step, *page);
}

void TreeWalk::push_children(const Step& step, const TreePage& page) {
  // A cell that leads nowhere led to a page of some keys of this one.
  if (page.broken_cells > 0) losses_.add_gap(step.range);
  std::vector<bool> is_believed(page.cells.size(), true);
  if (family_ == Family::table) is_believed = in_ascending_order(keys_of(page));
  for (std::size_t place = 0; place < page.cells.size(); ++place) {
    if (family_ == Family::table && !step.range.contains(page.cells[place].key)) is_believed[place] = false;
  }
  // From the right, so that the leftmost child is the next that is taken: rows come in the order of their
  // keys.
  KeyRange range = step.range;
  const auto push = [&](std::uint32_t child) {
    steps_.push_back({child, range, step.depth + 1, Shared::claim});
  };
  std::vector<std::int64_t> lows(page.cells.size() + 1, step.range.low);
  for (std::size_t place = 0; place < page.cells.size(); ++place) {
    const bool has_next = is_believed[place] && family_ == Family::table &&
                          page.cells[place].key != std::numeric_limits<std::int64_t>::max();
    lows[place + 1] = has_next ? page.cells[place].key + 1 : lows[place];
  }
  range.low = lows.back();
  push(page.right_child);
  for (std::size_t place = page.cells.size(); place-- > 0;) {
    if (family_ == Family::table && is_believed[place]) range.high = page.cells[place].key;
    range.low = lows[place];
    push(page.cells[place].child);
  }
}

void TreeWalk::take_rows(std::uint32_t number, ByteView page, const TreePage& tree_page,
                         const KeyRange& range) {
  losses_.broken_cells += tree_page.is_leaf || family_ == Family::index ? tree_page.broken_cells : 0;
  std::vector<bool> is_in_order(tree_page.cells.size(), true);
  if (family_ == Family::table) {
    const std::vector<std::int64_t> keys = keys_of(tree_page);
    is_in_order = in_ascending_order(keys);
    // One key outside is a damaged key; several are right, and the key in the page above is damaged.
    const auto is_outside = [&](std::int64_t key) { return !range.contains(key); };
    const auto first = std::ranges::find_if(keys, is_outside);
    if (keys.size() > 2 && std::ranges::count_if(keys, is_outside) == 1) {
      is_in_order[static_cast<std::size_t>(first - keys.begin())] = false;
    }
  }
  for (std::size_t place = 0; place < tree_page.cells.size(); ++place) {
    take_cell(number, page, tree_page.cells[place], is_in_order[place]);
  }
}

void TreeWalk::take_cell(std::uint32_t number, ByteView page, const Cell& cell, bool is_in_order) {
  const Payload payload = payloads_.read(page, cell);
  Doubt doubt = Doubt::none;
  if (payload.state == PayloadState::cut) doubt = Doubt::cut;
  if (payload.state == PayloadState::shared) doubt = Doubt::overflow_shared;
  std::optional<Record> record = payload.state == PayloadState::cut
                                     ? read_cut_record(payload.octets, cell.payload_bytes)
                                     : read_record(payload.octets);
  if (!record) {
    record = read_damaged_record(payload.octets);
    doubt = Doubt::damaged;
  }
  if (!record || record->empty()) {
    ++losses_.broken_cells;
    return;
  }
  if (!is_in_order && doubt != Doubt::damaged) doubt = Doubt::key_out_of_order;
  if (cell.is_overlapped) doubt = Doubt::cell_overlapped;
  sink_({number, family_ == Family::table ? std::optional(cell.key) : std::nullopt, *record, doubt});
}

bool count_references(const PageSource& source, PageMap& map, std::uint32_t root, Family family,
                      TreeUse use) {
  bool is_whole = true;
  std::vector<std::uint32_t> pages;
  const auto refer_to = [&](std::uint32_t number) {
    if (!source.is_page(number)) {
      is_whole = false;
      return;
    }
    map.add_reference(number);
    if (use == TreeUse::index_only) map.set(number, PageMap::of_an_index);
    if (!map.has(number, PageMap::expanded)) pages.push_back(number);
    map.set(number, PageMap::expanded);
  };
  refer_to(root);
  Bytes bytes;
  while (!pages.empty()) {
    throw_if_interrupted();
    const std::uint32_t number = pages.back();
    pages.pop_back();
    const std::optional<TreePage> page =
        source.read(number, bytes) ? parse_tree_page(bytes, source.bounds(number), family) : std::nullopt;
    if (!page || !page->is_exact) is_whole = false;
    if (!page || page->is_leaf) continue;
    for (const Cell& cell : page->cells) refer_to(cell.child);
    refer_to(page->right_child);
  }
  return is_whole;
}

}  // namespace nerve::backups::salvage
