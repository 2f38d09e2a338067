// SPDX-License-Identifier: Apache-2.0
#include "salvage/free_list.h"

#include "salvage/big_endian.h"

#include "nerve/core/interrupt.h"

namespace nerve::backups::salvage {
namespace {

constexpr std::uint32_t pointer_bytes = 5;

/// Takes one trunk page and its leaves; false where it contradicts itself.
bool mark_trunk(const PageSource& source, PageMap& map, ByteView page, std::uint64_t& found) {
  const std::uint32_t leaves = u32_at(page, 4);
  if (leaves > source.layout().usable_bytes / 4 - 2) return false;
  for (std::uint32_t place = 0; place < leaves; ++place) {
    const std::uint32_t leaf = u32_at(page, 8 + std::size_t{4} * place);
    if (leaf == 1 || !source.is_page(leaf) || map.has(leaf, PageMap::unused)) return false;
    map.set(leaf, PageMap::unused);
    ++found;
  }
  return true;
}

}  // namespace

void mark_free_pages(const PageSource& source, PageMap& map) {
  const Layout& layout = source.layout();
  map.is_free_list_whole = false;
  if (layout.is_header_damaged) return;
  std::uint64_t found = 0;
  std::uint32_t trunk = layout.free_list_head;
  Bytes page;
  while (trunk != 0) {
    throw_if_interrupted();
    if (trunk == 1 || !source.is_page(trunk) || map.has(trunk, PageMap::unused)) return;
    if (!source.read(trunk, page)) return;
    map.set(trunk, PageMap::unused);
    ++found;
    if (!mark_trunk(source, map, page, found)) return;
    trunk = u32_at(page, 0);
  }
  map.is_free_list_whole = found == layout.free_page_count;
}

void mark_pointer_maps(const PageSource& source, PageMap& map) {
  if (!source.layout().is_auto_vacuum) return;
  const std::uint64_t step = source.layout().usable_bytes / pointer_bytes + 1;
  Bytes bytes;
  for (std::uint64_t number = 2; number <= map.page_count(); number += step) {
    // The lock page takes no other role, so the pointers that would lie there lie behind it.
    const auto page =
        static_cast<std::uint32_t>(source.is_page(static_cast<std::uint32_t>(number)) ? number : number + 1);
    if (page > map.page_count()) continue;
    // Where the header only seems to say that there are such pages, b-trees are in their places.
    const bool is_tree = source.read(page, bytes) && recognise_tree_page(bytes, source.bounds(page));
    if (!is_tree) map.set(page, PageMap::pointer_map);
  }
}

}  // namespace nerve::backups::salvage
