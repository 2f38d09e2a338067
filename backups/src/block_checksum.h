// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/bytes.h"

#include <array>
#include <cstdint>

namespace nerve::backups {

/// Tells whether a block of bytes is still what it was, faster than memory is read: two running sums of its
/// words (Fletcher, IEEE Transactions on Communications 30, 1982), in four lanes that the processor adds side
/// by side. The second sum knows places, so that exchanged words are told, too.
///
/// It is for devices and memory that err. Who wants to can make other bytes with the same sums.
class BlockChecksum {
 public:
  BlockChecksum() = default;
  explicit BlockChecksum(ByteView bytes) noexcept;

  std::uint64_t size_bytes() const noexcept { return size_bytes_; }

  bool operator==(const BlockChecksum&) const = default;

 private:
  static constexpr std::size_t lanes = 4;

  std::uint64_t size_bytes_ = 0;
  std::array<std::uint64_t, lanes> sums_{};
  std::array<std::uint64_t, lanes> sums_of_sums_{};
};

}  // namespace nerve::backups
