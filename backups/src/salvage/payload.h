// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "salvage/page_map.h"
#include "salvage/page_source.h"
#include "salvage/tree_page.h"

namespace nerve::backups::salvage {

enum class PayloadState : std::uint8_t {
  whole,
  cut,     ///< a page of its overflow chain is missing, or the chain ends too early or too late
  shared,  ///< whole, but another row has taken one of the pages before, so one of the two is wrong
};

struct Payload {
  ByteView octets;  ///< valid until the next read
  PayloadState state = PayloadState::whole;
};

/// Puts the payload of a cell together from its page and the chain of overflow pages
/// (https://www.sqlite.org/fileformat2.html#cell_payload_overflow_pages). Memory grows with what is read, at
/// most to payload_bytes_max, never with what a damaged cell claims.
class PayloadReader {
 public:
  /// Of rows in use the chain must not lead through the free list; of deleted ones it must not leave it.
  enum class Rows : std::uint8_t { in_use, deleted };

  PayloadReader(const PageSource& source, PageMap& map, Rows rows)
      : source_(source), map_(map), rows_(rows) {}

  Payload read(ByteView page, const Cell& cell);

 private:
  bool may_follow(std::uint32_t number) const noexcept;

  const PageSource& source_;
  PageMap& map_;
  Rows rows_;
  Bytes whole_;
  Bytes overflow_;
  std::vector<std::uint32_t> chain_;
};

}  // namespace nerve::backups::salvage
