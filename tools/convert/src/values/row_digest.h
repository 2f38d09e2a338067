// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "values/octet_buffer.h"

#include "nerve/core/bytes.h"

#include <cstdint>

namespace nerve::convert {

/// 128 bits of a row by XXH3. They tell rows that differ by accident; they do not resist somebody who seeks
/// two rows of one digest.
struct RowDigest {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  friend bool operator==(const RowDigest&, const RowDigest&) = default;
  friend auto operator<=>(const RowDigest&, const RowDigest&) = default;
};

RowDigest digest_of(ByteView row) noexcept;

/// The sum of the digests of many rows, in whatever order they come: equal for the same rows with the same
/// multiplicities.
struct DigestSum {
  std::int64_t rows = 0;
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  void add(const RowDigest& digest) noexcept {
    ++rows;
    low += digest.low;
    high += digest.high;
  }
  void add(const DigestSum& other) noexcept {
    rows += other.rows;
    low += other.low;
    high += other.high;
  }
  friend bool operator==(const DigestSum&, const DigestSum&) = default;
};

/// Collects the parts of one row, to be digested as a whole.
class DigestedRow {
 public:
  void add(std::uint64_t number) { octets_.append(&number, sizeof number); }
  void add(std::uint8_t number) { octets_.append(&number, sizeof number); }
  /// Octets of any number, their number included.
  void add(ByteView octets) {
    add(static_cast<std::uint64_t>(octets.size()));
    octets_.append(octets.data(), octets.size());
  }
  /// The digest of what was added; then another row may begin.
  RowDigest finish() noexcept;

 private:
  OctetBuffer octets_;
};

}  // namespace nerve::convert
