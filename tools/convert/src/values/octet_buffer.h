// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/bytes.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

namespace nerve::convert {

/// Octets to which a few are appended very often: an append is a comparison and a copy, without a call.
class OctetBuffer {
 public:
  ByteView view() const noexcept { return {octets_.get(), size_}; }
  std::size_t size() const noexcept { return size_; }
  void clear() noexcept { size_ = 0; }
  /// Takes back what was appended behind `size`.
  void cut(std::size_t size) noexcept { size_ = size; }

  void append(const void* octets, std::size_t size) {
    if (size == 0) return;
    std::memcpy(extend(size), octets, size);
  }
  /// Appends `size` octets, which are the caller's to fill in.
  std::byte* extend(std::size_t size) {
    if (capacity_ - size_ < size) grow(size);
    std::byte* const begin = octets_.get() + size_;
    size_ += size;
    return begin;
  }

 private:
  void grow(std::size_t size) {
    constexpr std::size_t capacity_min = 4'096;
    const std::size_t capacity = std::max({capacity_min, 2 * capacity_, size_ + size});
    auto grown = std::make_unique_for_overwrite<std::byte[]>(capacity);
    if (size_ > 0) std::memcpy(grown.get(), octets_.get(), size_);
    octets_ = std::move(grown);
    capacity_ = capacity;
  }

  std::unique_ptr<std::byte[]> octets_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace nerve::convert
