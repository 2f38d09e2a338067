// SPDX-License-Identifier: Apache-2.0
#include "load/row_width.h"

#include "values/big_endian.h"
#include "values/row_buffer.h"

#include <cstdint>

namespace nerve::convert {
namespace {

// PostgreSQL's htup_details.h and heaptoast.h, for its pages of 8 KiB.
constexpr std::size_t row_bytes_max = 8'160;
constexpr std::size_t header_bytes = 23;
constexpr std::size_t alignment_max = 8;
/// A value longer than this may be stored elsewhere, and leaves a pointer.
constexpr std::size_t inline_bytes_max = 24;
constexpr std::size_t pointer_bytes = 18;

std::size_t aligned(std::size_t offset, std::size_t alignment) noexcept {
  return (offset + alignment - 1) / alignment * alignment;
}

/// Where a field of such a length ends that begins behind `offset`.
std::size_t end_of_field(std::size_t offset, TargetType type, std::size_t length) noexcept {
  switch (type) {
    case TargetType::bigint:
    case TargetType::double_precision:
    case TargetType::timestamp:
    case TargetType::timestamptz:
      return aligned(offset, 8) + 8;
    case TargetType::date:
      return aligned(offset, 4) + 4;
    case TargetType::boolean:
      return offset + 1;
    case TargetType::uuid:
      return offset + length;
    case TargetType::numeric:
    case TargetType::text:
    case TargetType::varchar:
    case TargetType::bytea:
    case TargetType::json:
      break;
  }
  const std::size_t with_header = length + 1;
  return offset + (with_header > inline_bytes_max ? pointer_bytes : with_header);
}

}  // namespace

bool may_exceed_page(const TablePlan& table) noexcept {
  return table.columns.size() > row_bytes_max / inline_bytes_max - 2;
}

bool fits_page(const TablePlan& table, ByteView row) noexcept {
  std::size_t place = sizeof(std::uint16_t);
  std::size_t offset = 0;
  bool has_null = false;
  for (const ColumnPlan& column : table.columns) {
    const auto length = read_big_endian<std::uint32_t>(row.data() + place);
    place += sizeof length;
    if (length == null_field_length) {
      has_null = true;
      continue;
    }
    offset = end_of_field(offset, column.type.type, length);
    place += length;
  }
  const std::size_t header = header_bytes + (has_null ? (table.columns.size() + 7) / 8 : 0);
  return aligned(aligned(header, alignment_max) + offset, alignment_max) <= row_bytes_max;
}

}  // namespace nerve::convert
