// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "values/big_endian.h"
#include "values/octet_buffer.h"

#include "nerve/core/bytes.h"

#include <cstdint>
#include <cstring>
#include <string_view>

namespace nerve::convert {

/// The length that stands for NULL.
inline constexpr std::uint32_t null_field_length = 0xffffffff;

/// Octets to which rows are appended in the format of COPY … (FORMAT binary): for each row the number of its
/// fields in 16 bits, and for each field its length in 32 bits, -1 for NULL, and its octets. Source:
/// PostgreSQL manual, "COPY", section "Binary Format".
class RowBuffer {
 public:
  ByteView view() const noexcept { return octets_.view(); }
  std::size_t size() const noexcept { return octets_.size(); }
  void clear() noexcept { octets_.clear(); }
  /// Takes back what was appended behind `size`.
  void cut(std::size_t size) noexcept { octets_.cut(size); }

  void header() {
    // Signature, no flags, no extension.
    append(std::string_view("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19));
  }
  void trailer() { number<std::uint16_t>(0xffff); }
  void row(std::size_t fields) { number(static_cast<std::uint16_t>(fields)); }
  void null() { number(null_field_length); }
  void field(ByteView octets) {
    number(static_cast<std::uint32_t>(octets.size()));
    append(octets);
  }
  template <std::unsigned_integral Integer>
  void fixed(Integer value) {
    const std::uint32_t length = to_big_endian<std::uint32_t>(sizeof(Integer));
    const Integer swapped = to_big_endian(value);
    std::byte* const field = octets_.extend(sizeof length + sizeof swapped);
    std::memcpy(field, &length, sizeof length);
    std::memcpy(field + sizeof length, &swapped, sizeof swapped);
  }

  template <std::unsigned_integral Integer>
  void number(Integer value) {
    const Integer swapped = to_big_endian(value);
    octets_.append(&swapped, sizeof swapped);
  }
  void append(ByteView octets) { octets_.append(octets.data(), octets.size()); }
  void append(std::string_view text) { append(as_bytes(text)); }

 private:
  OctetBuffer octets_;
};

}  // namespace nerve::convert
