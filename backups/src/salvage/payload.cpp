// SPDX-License-Identifier: Apache-2.0
#include "salvage/payload.h"

#include "salvage/big_endian.h"

#include <algorithm>

namespace nerve::backups::salvage {
namespace {

constexpr std::size_t next_page_bytes = 4;

}  // namespace

bool PayloadReader::may_follow(std::uint32_t number) const noexcept {
  if (!source_.is_page(number) || map_.has(number, PageMap::pointer_map)) return false;
  if (rows_ == Rows::deleted) return map_.has(number, PageMap::unused);
  const bool is_unused = map_.is_free_list_whole && map_.has(number, PageMap::unused);
  return !is_unused && !map_.has(number, PageMap::walked);
}

Payload PayloadReader::read(ByteView page, const Cell& cell) {
  const ByteView local = page.subspan(cell.local_offset, cell.local_bytes);
  if (cell.overflow_page == 0 && cell.local_bytes == cell.payload_bytes) return {local, PayloadState::whole};
  whole_.assign(local.begin(), local.end());
  chain_.clear();
  PayloadState state = PayloadState::whole;
  std::uint32_t next = cell.overflow_page;
  while (whole_.size() < cell.payload_bytes) {
    // The chain has as many pages as the payload needs, so it ends even where it runs in a circle.
    if (!may_follow(next) || !map_.may_read_again(next) || !source_.read(next, overflow_)) {
      return {whole_, PayloadState::cut};
    }
    if (map_.has(next, PageMap::overflow)) state = PayloadState::shared;
    chain_.push_back(next);
    const std::uint64_t wanted = cell.payload_bytes - whole_.size();
    const std::size_t there = source_.layout().usable_bytes - next_page_bytes;
    const ByteView content =
        ByteView(overflow_).subspan(next_page_bytes, std::min<std::uint64_t>(wanted, there));
    whole_.insert(whole_.end(), content.begin(), content.end());
    next = u32_at(overflow_, 0);
  }
  // SQLite ends a chain by a zero; anything else shows that this is not the chain of this row.
  if (next != 0) return {whole_, PayloadState::cut};
  for (const std::uint32_t number : chain_) map_.set(number, PageMap::overflow);
  return {whole_, state};
}

}  // namespace nerve::backups::salvage
