// SPDX-License-Identifier: Apache-2.0
#include "shared_work.h"

#include "nerve/core/interrupt.h"

#include <array>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

namespace nerve::backups {
namespace {

constexpr std::size_t thread_count = 2;
constexpr std::chrono::milliseconds report_interval{100};

class SharedWork {
 public:
  SharedWork(std::size_t units, const DoWork& work) : units_(units), work_(work) {}

  void run(const DoneSoFar& done_so_far) {
    std::array<std::thread, thread_count> threads;
    for (std::thread& thread : threads) thread = std::thread([this] { work(); });
    try {
      watch(done_so_far);
    } catch (...) {
      fail(std::current_exception());
    }
    for (std::thread& thread : threads) thread.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void work() {
    try {
      work_(units_);
    } catch (...) {
      fail(std::current_exception());
    }
    {
      const std::lock_guard lock(mutex_);
      ++ended_;
    }
    changed_.notify_all();
  }

  void watch(const DoneSoFar& done_so_far) {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, report_interval, [&] { return ended_ == thread_count; })) {
      lock.unlock();
      throw_if_interrupted();
      done_so_far(units_.bytes());
      lock.lock();
    }
    lock.unlock();
    done_so_far(units_.bytes());
  }

  void fail(std::exception_ptr failure) noexcept {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
    units_.stop();
  }

  WorkUnits units_;
  const DoWork& work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t ended_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

void share_work(std::size_t units, const DoWork& work, const DoneSoFar& done_so_far) {
  SharedWork(units, work).run(done_so_far);
}

}  // namespace nerve::backups
