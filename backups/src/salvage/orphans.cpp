// SPDX-License-Identifier: Apache-2.0
#include "salvage/orphans.h"

#include "salvage/tree_walk.h"

#include "nerve/core/interrupt.h"

#include <algorithm>

namespace nerve::backups::salvage {
namespace {

constexpr int climb_max = 40;
constexpr std::uint32_t pages_between_updates = 256;

constexpr std::string_view without_table = "no table leads to its page";
constexpr std::string_view deleted_row = "deleted";

}  // namespace

bool Orphans::is_candidate(std::uint32_t number) const noexcept {
  if (!source_.is_page(number)) return false;
  const bool is_unused = map_.is_free_list_whole && map_.has(number, PageMap::unused);
  // What an index leads to is its own, unless a table does so, too.
  const bool is_of_index = map_.has(number, PageMap::of_an_index) && map_.references(number) == 1;
  return !is_unused && !is_of_index && !map_.has(number, PageMap::walked) &&
         !map_.has(number, PageMap::pointer_map) && !map_.has(number, PageMap::overflow);
}

/// Pages of indexes hold what tables hold too. They are of interest only where they may be those of a table.
bool Orphans::is_wanted(ByteView page, const TreePage& tree_page) const {
  if (tree_page.family == Family::table) return tree_page.is_leaf;
  if (!facts_.is_schema_whole) return true;
  return std::ranges::any_of(tables_, [&](const auto& table) { return table->could_hold(page, tree_page); });
}

std::vector<std::uint32_t> Orphans::find_pages(ProgressSink* progress) {
  std::vector<std::uint32_t> found;
  parents_.assign(std::size_t{source_.page_count()} + 1, 0);
  Bytes bytes;
  for (std::uint32_t number = 2; number <= source_.page_count(); ++number) {
    throw_if_interrupted();
    if (progress != nullptr && number % pages_between_updates == 0) {
      progress->update("looking for lost pages", number, source_.page_count());
    }
    if (!is_candidate(number) || !source_.read(number, bytes)) continue;
    const std::optional<TreePage> page = recognise_tree_page(bytes, source_.bounds(number));
    if (!page) {
      // A damaged page of rows; whatever else begins like one gives no rows that can be decoded.
      const bool is_leaf = bytes.front() == std::byte{13};
      if (is_leaf && parse_tree_page(bytes, source_.bounds(number), Family::table)) found.push_back(number);
      continue;
    }
    if (!page->is_leaf) {
      for (const Cell& cell : page->cells) note_parent(cell.child, number);
      note_parent(page->right_child, number);
    }
    if (page->is_leaf || page->family == Family::index) found.push_back(number);
  }
  return found;
}

void Orphans::note_parent(std::uint32_t child, std::uint32_t parent) {
  if (source_.is_page(child) && parents_[child] == 0) parents_[child] = parent;
}

std::uint32_t Orphans::root_of(std::uint32_t number) const {
  for (int step = 0; step < climb_max && parents_[number] != 0; ++step) number = parents_[number];
  return number;
}

/// Nothing unless it is certain: no page may be a deleted one, of a table that is not known, or of two.
TableSalvage* Orphans::only_owner(ByteView page, const TreePage& tree_page) const {
  if (!map_.is_free_list_whole || !facts_.is_schema_whole || !tree_page.is_exact) return nullptr;
  if (tree_page.family == Family::index && !facts_.are_indexes_whole) return nullptr;
  TableSalvage* owner = nullptr;
  for (const auto& table : tables_) {
    if (!table->could_hold(page, tree_page)) continue;
    if (owner != nullptr) return nullptr;
    owner = table.get();
  }
  return owner;
}

void Orphans::take(std::uint32_t number, ByteView page, const TreePage& tree_page) {
  const bool is_contested = map_.has(number, PageMap::of_an_index) || map_.references(number) > 1;
  TableSalvage* owner = is_contested ? nullptr : only_owner(page, tree_page);
  if (owner != nullptr) return owner->place(number, page, tree_page);
  map_.set(number, PageMap::walked);
  TreeLosses losses;
  const std::uint32_t root = root_of(number);
  TreeWalk walk(source_, map_, tree_page.family, losses, [&](const TreeRow& row) {
    if (row.doubt == Doubt::damaged) return;  // how many values it has is not known here
    const std::string_view reason = row.doubt == Doubt::none ? without_table : reason_of(row.doubt);
    lost_.add({root, number, row.key, {}, reason}, row.record);
  });
  walk.take_rows(number, page, tree_page, {});
}

void Orphans::take_all(ProgressSink* progress) {
  for (const auto& table : tables_) table->settle_gaps();
  Bytes bytes;
  for (const std::uint32_t number : find_pages(progress)) {
    throw_if_interrupted();
    // Meanwhile a row may have turned out to have it as an overflow page.
    if (!is_candidate(number) || !source_.read(number, bytes)) continue;
    std::optional<TreePage> page = recognise_tree_page(bytes, source_.bounds(number));
    if (!page) page = parse_tree_page(bytes, source_.bounds(number), Family::table);
    if (page && is_wanted(bytes, *page)) take(number, bytes, *page);
  }
}

std::uint64_t Orphans::take_deleted(ProgressSink* progress) {
  std::uint64_t rows = 0;
  Bytes bytes;
  PayloadReader payloads(source_, map_, PayloadReader::Rows::deleted);
  for (std::uint32_t number = 2; number <= source_.page_count(); ++number) {
    throw_if_interrupted();
    if (progress != nullptr && number % pages_between_updates == 0) {
      progress->update("reading deleted rows", number, source_.page_count());
    }
    if (!map_.has(number, PageMap::unused) || map_.has(number, PageMap::walked)) continue;
    if (!source_.is_page(number) || !source_.read(number, bytes)) continue;
    const std::optional<TreePage> page = recognise_tree_page(bytes, source_.bounds(number));
    if (!page || !page->is_leaf || page->family != Family::table) continue;
    for (const Cell& cell : page->cells) {
      const Payload payload = payloads.read(bytes, cell);
      const auto record = payload.state == PayloadState::whole ? read_record(payload.octets) : std::nullopt;
      if (!record || record->empty()) continue;
      lost_.add({0, number, cell.key, {}, deleted_row}, *record);
      ++rows;
    }
  }
  return rows;
}

}  // namespace nerve::backups::salvage
