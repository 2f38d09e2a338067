// SPDX-License-Identifier: Apache-2.0
#include "values/canonical_row.h"

#include "values/big_endian.h"
#include "values/row_buffer.h"

#include "nerve/core/error.h"

namespace nerve::convert {
namespace {

constexpr std::size_t count_bytes = sizeof(std::uint16_t);
constexpr std::size_t length_bytes = sizeof(std::uint32_t);
/// Where numeric_send() of PostgreSQL puts the display scale.
constexpr std::size_t scale_offset = 6;
constexpr std::size_t numeric_head_bytes = 8;

[[noreturn]] void fail() {
  throw IntegrityError("what COPY sent is no row of the table",
                       "Look whether the table was altered meanwhile.");
}

}  // namespace

RowDigester::RowDigester(const std::vector<ColumnPlan>& columns) {
  for (const ColumnPlan& column : columns) {
    is_numeric_.push_back(column.type.type == TargetType::numeric);
    has_numeric_ = has_numeric_ || is_numeric_.back();
  }
}

RowDigest RowDigester::operator()(ByteView row) {
  if (row.size() < count_bytes || read_big_endian<std::uint16_t>(row.data()) != is_numeric_.size()) fail();
  if (!has_numeric_) return digest_of(row);
  canonical_.assign(row.begin(), row.end());
  std::size_t place = count_bytes;
  for (const bool is_numeric : is_numeric_) {
    if (canonical_.size() - place < length_bytes) fail();
    const auto length = read_big_endian<std::uint32_t>(canonical_.data() + place);
    place += length_bytes;
    if (length == null_field_length) continue;
    if (canonical_.size() - place < length) fail();
    if (is_numeric) {
      if (length < numeric_head_bytes) fail();
      canonical_[place + scale_offset] = std::byte{0};
      canonical_[place + scale_offset + 1] = std::byte{0};
    }
    place += length;
  }
  return digest_of(canonical_);
}

}  // namespace nerve::convert
