// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "values/big_endian.h"

#include "nerve/core/bytes.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace nerve::convert {

/// The length that stands for NULL.
inline constexpr std::uint32_t null_field_length = 0xffffffff;

/// Octets to which rows are appended in the format of COPY … (FORMAT binary): for each row the number of its
/// fields in 16 bits, and for each field its length in 32 bits, -1 for NULL, and its octets. Source:
/// PostgreSQL manual, "COPY", section "Binary Format".
class RowBuffer {
 public:
  ByteView view() const noexcept { return as_bytes(octets_); }
  std::size_t size() const noexcept { return octets_.size(); }
  void clear() noexcept { octets_.clear(); }
  /// Takes back what was appended behind `size`.
  void cut(std::size_t size) noexcept { octets_.resize(size); }

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
    number<std::uint32_t>(sizeof(Integer));
    number(value);
  }

  template <std::unsigned_integral Integer>
  void number(Integer value) {
    const Integer swapped = to_big_endian(value);
    octets_.append(reinterpret_cast<const char*>(&swapped), sizeof swapped);
  }
  void append(ByteView octets) { octets_.append(as_text(octets)); }
  void append(std::string_view text) { octets_.append(text); }

 private:
  std::string octets_;  // which, unlike a vector, is not filled before it is written
};

}  // namespace nerve::convert
