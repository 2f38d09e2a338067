// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/bytes.h"

#include <cstddef>
#include <cstdint>

namespace nerve::backups::salvage {

/// An unsigned integer of `width` bytes, 1 to 8, as SQLite's file format has them. The caller has checked
/// that the bytes are there.
inline std::uint64_t big_endian(ByteView bytes, std::size_t offset, std::size_t width) noexcept {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes.subspan(offset, width)) {
    value = value << 8U | std::to_integer<std::uint64_t>(byte);
  }
  return value;
}

inline std::uint8_t u8_at(ByteView bytes, std::size_t offset) noexcept {
  return std::to_integer<std::uint8_t>(bytes[offset]);
}
inline std::uint32_t u16_at(ByteView bytes, std::size_t offset) noexcept {
  return static_cast<std::uint32_t>(big_endian(bytes, offset, 2));
}
inline std::uint32_t u32_at(ByteView bytes, std::size_t offset) noexcept {
  return static_cast<std::uint32_t>(big_endian(bytes, offset, 4));
}

}  // namespace nerve::backups::salvage
