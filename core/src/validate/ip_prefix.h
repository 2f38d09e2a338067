// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace nerve::validate {

/// Whether two addresses in network order agree in their first `bits` bits. Both must be that long.
constexpr bool has_prefix(std::span<const std::uint8_t> address, std::span<const std::uint8_t> prefix,
                          std::size_t bits) noexcept {
  const std::size_t whole = bits / 8;
  if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole), prefix.begin()))
    return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xFF << (8 - bits % 8));
  return (address[whole] & mask) == (prefix[whole] & mask);
}

}  // namespace nerve::validate
