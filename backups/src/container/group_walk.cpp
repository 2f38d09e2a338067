// SPDX-License-Identifier: Apache-2.0
#include "group_walk.h"

#include "nerve/core/interrupt.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

namespace nerve::backups {
namespace {

constexpr std::size_t walking_threads = 2;
constexpr std::chrono::milliseconds report_interval{100};

class Walk {
 public:
  Walk(const ContainerReader& container, const UseGroup& use) : container_(container), use_(use) {}

  void run(const ReadSoFar& read_so_far) {
    std::array<std::thread, walking_threads> threads;
    for (std::thread& thread : threads) thread = std::thread([this] { work(); });
    try {
      watch(read_so_far);
    } catch (...) {
      fail(std::current_exception());
    }
    for (std::thread& thread : threads) thread.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void work() {
    try {
      GroupCodec codec(container_.header(), container_.keys());
      PageGroup group;
      while (!has_failed_) {
        const std::size_t number = next_++;
        if (number >= container_.group_count()) break;
        container_.read_group(number, codec, group);
        use_(group);
        bytes_ += container_.stored_bytes(number);
      }
    } catch (...) {
      fail(std::current_exception());
    }
    {
      const std::lock_guard lock(mutex_);
      ++ended_;
    }
    changed_.notify_all();
  }

  void watch(const ReadSoFar& read_so_far) {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, report_interval, [&] { return ended_ == walking_threads; })) {
      lock.unlock();
      throw_if_interrupted();
      read_so_far(bytes_);
      lock.lock();
    }
    lock.unlock();
    read_so_far(bytes_);
  }

  void fail(std::exception_ptr failure) noexcept {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
    has_failed_ = true;
  }

  const ContainerReader& container_;
  const UseGroup& use_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::atomic<bool> has_failed_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t ended_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

void walk_groups(const ContainerReader& container, const UseGroup& use, const ReadSoFar& read_so_far) {
  Walk(container, use).run(read_so_far);
}

}  // namespace nerve::backups
