// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "salvage/overlay.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/core/bytes.h"

#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nerve::backups::salvage {

constexpr bool is_page_size(std::uint32_t size_bytes) noexcept {
  return size_bytes >= 512 && size_bytes <= 65536 && std::has_single_bit(size_bytes);
}

/// The bytes before the b-tree of page 1.
inline constexpr std::uint32_t database_header_bytes = 100;

/// How a database file is laid out (https://www.sqlite.org/fileformat2.html#the_database_header), as its
/// header says it or, where that is damaged, as its pages show it.
struct Layout {
  std::uint32_t page_size_bytes = 0;
  std::uint32_t usable_bytes = 0;  ///< of each page: without what is reserved at its end
  sqlite::TextEncoding encoding = sqlite::TextEncoding::utf8;
  std::uint32_t user_version = 0;
  std::uint32_t application_id = 0;
  bool is_auto_vacuum = false;
  bool is_incremental_vacuum = false;
  std::uint32_t free_list_head = 0;
  std::uint32_t free_page_count = 0;
  std::uint32_t page_count = 0;    ///< that the header states; 0 where it is not kept up to date
  bool is_header_damaged = false;  ///< the fields from user_version on cannot be believed, and are 0
  bool is_encoding_sure = true;

  /// Where the b-tree header of a page begins.
  std::uint32_t tree_offset(std::uint32_t number) const noexcept {
    return number == 1 ? database_header_bytes : 0;
  }
};

/// What the 100 bytes of a header say; nothing where they are no header.
std::optional<Layout> layout_from_header(ByteView header);

/// Finds page size and reserved bytes by looking which of them make b-trees of the pages of `file`. Nothing
/// where none does.
std::optional<Layout> guess_layout(const RawFile& file);

/// How many of some pages of `file` are b-tree pages when it is laid out so.
int count_tree_pages(const RawFile& file, std::uint32_t page_size_bytes, std::uint32_t usable_bytes);

}  // namespace nerve::backups::salvage
