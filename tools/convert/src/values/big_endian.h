// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>

namespace nerve::convert {

/// An integer in the network's order of octets, which the machine's own order is turned into.
template <std::unsigned_integral Integer>
Integer to_big_endian(Integer value) noexcept {
  if constexpr (std::endian::native == std::endian::big || sizeof(Integer) == 1) {
    return value;
  } else if constexpr (sizeof(Integer) == 2) {
    return __builtin_bswap16(value);
  } else if constexpr (sizeof(Integer) == 4) {
    return __builtin_bswap32(value);
  } else {
    return __builtin_bswap64(value);
  }
}

/// Reads one from octets that need not be aligned.
template <std::unsigned_integral Integer>
Integer read_big_endian(const std::byte* octets) noexcept {
  Integer value;
  std::memcpy(&value, octets, sizeof value);
  return to_big_endian(value);
}

}  // namespace nerve::convert
