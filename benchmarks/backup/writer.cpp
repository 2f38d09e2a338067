// SPDX-License-Identifier: Apache-2.0
#include "writer.h"

#include "sample_database.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <random>
#include <stdexcept>
#include <thread>

namespace nerve::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t samples_max = 200'000;
constexpr std::chrono::seconds settling{2};
constexpr std::chrono::microseconds interval{1'000'000 / Writer::transactions_per_second};

double percentile(const std::vector<double>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

void transfer(const Connection& database, std::mt19937& random) {
  const auto from = random() % 1000 + 1;
  const auto to = random() % 1000 + 1;
  database.execute(
      fmt::format("BEGIN IMMEDIATE; UPDATE account SET balance=balance-7 WHERE id={0}; "
                  "UPDATE account SET balance=balance+7 WHERE id={1}; "
                  "INSERT INTO transfer(from_id,to_id,amount,note) VALUES({0},{1},7,'a transfer'); COMMIT",
                  from, to));
}

}  // namespace

/// What both processes see.
struct Writer::Shared {
  std::atomic<bool> is_counting = false;
  std::atomic<bool> is_ended = false;
  std::atomic<bool> has_failed = false;
  std::atomic<std::size_t> count = 0;
  Clock::time_point counted_from;
  std::array<float, samples_max> latencies_ms;

  void write(const std::filesystem::path& path) {
    const Connection database(path);
    database.execute("PRAGMA synchronous=NORMAL");
    std::mt19937 random(1);
    Clock::time_point due = Clock::now();
    while (!is_ended) {
      // What was missed is not made up for, so that a stall is one long transaction and not a burst after it.
      due = std::max(due + interval, Clock::now());
      std::this_thread::sleep_until(due);
      const bool counts = is_counting;
      const Clock::time_point begin = Clock::now();
      transfer(database, random);
      if (!counts || count == samples_max) continue;
      latencies_ms[count] = std::chrono::duration<float, std::milli>(Clock::now() - begin).count();
      ++count;
    }
  }
};

Writer::Writer(const std::filesystem::path& database) {
  void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no memory for the writer");
  shared_ = new (memory) Shared;
  pid_ = ::fork();
  if (pid_ == 0) {
    try {
      shared_->write(database);
    } catch (const std::exception& error) {
      fmt::print(stderr, "bench_backup: the writer failed: {}\n", error.what());
      shared_->has_failed = true;
    }
    ::_exit(0);
  }
  std::this_thread::sleep_for(settling);
}

Writer::~Writer() {
  stop();
  ::munmap(shared_, sizeof(Shared));
}

void Writer::begin() {
  shared_->counted_from = Clock::now();
  shared_->is_counting = true;
}

Latencies Writer::end() {
  shared_->is_counting = false;
  const double seconds = std::chrono::duration<double>(Clock::now() - shared_->counted_from).count();
  stop();
  if (shared_->has_failed) throw std::runtime_error("the writer failed");
  const auto begin = shared_->latencies_ms.begin();
  std::vector<double> sorted(begin, begin + static_cast<std::ptrdiff_t>(shared_->count.load()));
  std::ranges::sort(sorted);
  return {sorted.size(), static_cast<double>(sorted.size()) / seconds, percentile(sorted, 0.5),
          percentile(sorted, 0.99), sorted.empty() ? 0 : sorted.back()};
}

void Writer::stop() noexcept {
  if (pid_ <= 0) return;
  shared_->is_ended = true;
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
}

}  // namespace nerve::bench
