// SPDX-License-Identifier: Apache-2.0
#include "salvage/layout.h"

#include "salvage/big_endian.h"
#include "salvage/tree_page.h"

#include "nerve/core/interrupt.h"

#include <algorithm>
#include <array>

namespace nerve::backups::salvage {
namespace {

constexpr std::string_view header_text = {"SQLite format 3\0", 16};
constexpr std::uint64_t sampled_pages_max = 64;
constexpr std::uint32_t reserved_bytes_max = 255;
/// So many pages that fit are no accident: what fills a page exactly is one of its kind.
constexpr int pages_to_be_sure = 3;

std::optional<sqlite::TextEncoding> encoding_of(std::uint32_t number) {
  switch (number) {
    case 1:
      return sqlite::TextEncoding::utf8;
    case 2:
      return sqlite::TextEncoding::utf16_little_endian;
    case 3:
      return sqlite::TextEncoding::utf16_big_endian;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<Layout> layout_from_header(ByteView header) {
  if (header.size() < database_header_bytes || !as_text(header).starts_with(header_text)) return std::nullopt;
  Layout layout;
  const std::uint32_t page_size = u16_at(header, 16);
  layout.page_size_bytes = page_size == 1 ? 65536 : page_size;
  if (!is_page_size(layout.page_size_bytes)) return std::nullopt;
  layout.usable_bytes = layout.page_size_bytes - u8_at(header, 20);
  const std::optional<sqlite::TextEncoding> encoding = encoding_of(u32_at(header, 56));
  layout.is_encoding_sure = encoding.has_value();
  layout.encoding = encoding.value_or(sqlite::TextEncoding::utf8);
  const bool is_count_kept = u32_at(header, 24) == u32_at(header, 92);
  layout.page_count = is_count_kept ? u32_at(header, 28) : 0;
  layout.free_list_head = u32_at(header, 32);
  layout.free_page_count = u32_at(header, 36);
  layout.user_version = u32_at(header, 60);
  layout.application_id = u32_at(header, 68);
  layout.is_auto_vacuum = u32_at(header, 52) != 0;
  layout.is_incremental_vacuum = layout.is_auto_vacuum && u32_at(header, 64) != 0;
  // The payload fractions have never had another value.
  const bool is_sound = u8_at(header, 21) == 64 && u8_at(header, 22) == 32 && u8_at(header, 23) == 32;
  layout.is_header_damaged = !is_sound || !encoding;
  return layout;
}

int count_tree_pages(const RawFile& file, std::uint32_t page_size_bytes, std::uint32_t usable_bytes) {
  const std::uint64_t pages = file.size_bytes() / page_size_bytes;
  const std::uint64_t step = std::max<std::uint64_t>(1, pages / sampled_pages_max);
  Bytes page(page_size_bytes);
  int found = 0;
  for (std::uint64_t index = 0; index < pages; index += step) {
    if (!file.read(index * page_size_bytes, page)) continue;
    const PageBounds bounds{index == 0 ? database_header_bytes : 0, usable_bytes};
    const std::optional<TreePage> tree_page = recognise_tree_page(page, bounds);
    if (tree_page && !tree_page->cells.empty()) ++found;
  }
  return found;
}

std::optional<Layout> guess_layout(const RawFile& file) {
  Layout best;
  int best_count = 0;
  for (std::uint32_t reserved = 0; reserved <= reserved_bytes_max; ++reserved) {
    throw_if_interrupted();
    for (std::uint32_t size = 512; size <= 65536; size *= 2) {
      const int count = count_tree_pages(file, size, size - reserved);
      if (count <= best_count) continue;
      best_count = count;
      best.page_size_bytes = size;
      best.usable_bytes = size - reserved;
    }
    if (best_count >= pages_to_be_sure) break;
  }
  if (best_count == 0) return std::nullopt;
  best.is_header_damaged = true;
  best.is_encoding_sure = false;
  return best;
}

}  // namespace nerve::backups::salvage
