// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

namespace nerve::backups {

/// Units of work, numbered from 0, that several threads take one by one.
class WorkUnits {
 public:
  explicit WorkUnits(std::size_t count) noexcept : count_(count) {}

  /// The number of the next one. Absent where all are taken, or another thread has failed.
  std::optional<std::size_t> next() noexcept {
    const std::size_t number = has_failed_ ? count_ : next_++;
    return number < count_ ? std::optional(number) : std::nullopt;
  }

  /// Says that so many bytes more are done with.
  void add_bytes(std::uint64_t bytes) noexcept { bytes_ += bytes; }
  std::uint64_t bytes() const noexcept { return bytes_; }

  void stop() noexcept { has_failed_ = true; }

 private:
  std::size_t count_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::atomic<bool> has_failed_ = false;
};

/// Takes units until there is none, each thread with its own memory.
using DoWork = std::function<void(WorkUnits& units)>;

/// Called by the caller's thread now and then with the bytes that are done with.
using DoneSoFar = std::function<void(std::uint64_t bytes)>;

/// Runs `work` in two threads. Throws what a thread ran into first, and CancelledError.
void share_work(std::size_t units, const DoWork& work, const DoneSoFar& done_so_far);

}  // namespace nerve::backups
