// SPDX-License-Identifier: Apache-2.0
#include "work/workers.h"

#include "nerve/core/interrupt.h"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace nerve::convert {
namespace {

constexpr std::chrono::milliseconds tick{100};

/// What the threads of one call share.
class Crew {
 public:
  explicit Crew(std::atomic<bool>& is_stopped, std::size_t count)
      : is_stopped_(is_stopped), at_work_(count) {}

  void fail() {
    const std::scoped_lock lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    is_stopped_ = true;
  }
  void leave() {
    const std::scoped_lock lock(mutex_);
    --at_work_;
    left_.notify_one();
  }
  /// Whether all have ended by the next tick.
  bool wait() {
    std::unique_lock lock(mutex_);
    return left_.wait_for(lock, tick, [&] { return at_work_ == 0; });
  }
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::atomic<bool>& is_stopped_;
  std::mutex mutex_;
  std::condition_variable left_;
  std::size_t at_work_;
  std::exception_ptr failure_;
};

}  // namespace

void run_workers(std::size_t count, const std::function<void(std::size_t)>& work,
                 std::atomic<bool>& is_stopped, const std::function<void()>& on_tick) {
  Crew crew(is_stopped, count);
  std::vector<std::jthread> threads;
  for (std::size_t number = 0; number < count; ++number) {
    threads.emplace_back([&crew, &work, number] {
      try {
        work(number);
      } catch (...) {
        crew.fail();
      }
      crew.leave();
    });
  }
  while (!crew.wait()) {
    try {
      throw_if_interrupted();
      on_tick();
    } catch (...) {
      crew.fail();
    }
  }
  threads.clear();
  crew.rethrow();
}

void run_tasks(std::size_t workers, std::size_t tasks,
               const std::function<void(std::size_t, std::size_t)>& work, std::atomic<bool>& is_stopped,
               const std::function<void()>& on_tick) {
  std::atomic<std::size_t> next = 0;
  run_workers(
      workers,
      [&](std::size_t worker) {
        for (std::size_t task = next++; task < tasks && !is_stopped; task = next++) work(worker, task);
      },
      is_stopped, on_tick);
}

}  // namespace nerve::convert
