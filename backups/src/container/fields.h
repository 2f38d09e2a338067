// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/bytes.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

/// Numbers and octets as they stand in a container: little-endian, one after the other.
namespace nerve::backups {

/// Appends fields to a buffer.
class FieldWriter {
 public:
  explicit FieldWriter(Bytes& to) noexcept : to_(to) {}

  FieldWriter& u8(std::uint8_t value) { return number(value, 1); }
  FieldWriter& u32(std::uint32_t value) { return number(value, 4); }
  FieldWriter& u64(std::uint64_t value) { return number(value, 8); }
  FieldWriter& octets(ByteView bytes) {
    to_.insert(to_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  FieldWriter& zeros(std::size_t count) {
    to_.insert(to_.end(), count, std::byte{0});
    return *this;
  }

 private:
  FieldWriter& number(std::uint64_t value, int size) {
    for (; size > 0; --size, value >>= 8U) to_.push_back(static_cast<std::byte>(value & 0xFFU));
    return *this;
  }

  Bytes& to_;
};

/// Reads fields that are there: whoever makes one has looked at the size.
class FieldReader {
 public:
  explicit FieldReader(ByteView from) noexcept : from_(from) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  template <std::size_t Size>
  std::array<std::byte, Size> octets() {
    std::array<std::byte, Size> value{};
    std::ranges::copy(take(Size), value.begin());
    return value;
  }
  /// Whether the next octets are all zero.
  bool zeros(std::size_t count) {
    return std::ranges::all_of(take(count), [](std::byte octet) { return octet == std::byte{0}; });
  }

 private:
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    const ByteView bytes = take(size);
    for (std::size_t place = size; place > 0; --place) {
      value = (value << 8U) | std::to_integer<std::uint64_t>(bytes[place - 1]);
    }
    return value;
  }
  ByteView take(std::size_t count) {
    const ByteView taken = from_.first(count);
    from_ = from_.subspan(count);
    return taken;
  }

  ByteView from_;
};

}  // namespace nerve::backups
