// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/json.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::db {

/// What is known of one statement, whatever values were bound to it.
struct QueryStatistics {
  std::string fingerprint;  ///< 16 hexadecimal digits: the beginning of the SHA-256 of `sql`
  std::string sql;          ///< the statement with its literals replaced by `?`
  std::uint64_t calls = 0;
  std::uint64_t failures = 0;
  std::uint64_t slow_calls = 0;  ///< calls that took at least the threshold in force when they were made
  std::uint64_t rows = 0;        ///< rows read or changed
  std::chrono::nanoseconds total{0};
  std::chrono::nanoseconds max{0};
  std::chrono::nanoseconds p95{
      0};  ///< upper bound of the histogram's class: at most 19 % above the true value

  std::chrono::nanoseconds average() const noexcept {
    return calls == 0 ? std::chrono::nanoseconds(0) : total / static_cast<std::int64_t>(calls);
  }
};

/// Counts every statement of a Database: always on, bounded in size, without any bound value.
///
/// Time runs from execution to the end of reading, the caller's work on the rows included. Safe for many
/// threads.
class QueryLog {
 public:
  static constexpr std::size_t fingerprints_max = 1000;  ///< further ones are counted together as "(other)"
  static constexpr std::chrono::milliseconds slow_threshold_default{100};

  /// The counters of one fingerprint. Statements keep a pointer; entries live as long as the log.
  class Entry {
   public:
    void record(std::chrono::nanoseconds elapsed, std::uint64_t rows, bool failed,
                std::chrono::nanoseconds slow_threshold);

   private:
    friend class QueryLog;
    // Four classes for each power of two from 1 ns to 2^40 ns (18 minutes).
    static constexpr std::size_t classes = 164;
    static std::size_t class_of(std::uint64_t nanoseconds) noexcept;
    static std::uint64_t upper_bound_of(std::size_t index) noexcept;
    void clear() noexcept;
    std::chrono::nanoseconds percentile_95() const noexcept;

    std::string fingerprint_;
    std::string sql_;
    std::atomic<std::uint64_t> calls_{0};
    std::atomic<std::uint64_t> failures_{0};
    std::atomic<std::uint64_t> slow_calls_{0};
    std::atomic<std::uint64_t> rows_{0};
    std::atomic<std::uint64_t> total_ns_{0};
    std::atomic<std::uint64_t> max_ns_{0};
    std::array<std::atomic<std::uint64_t>, classes> histogram_{};
  };

  /// What snapshot() sorts by, largest first.
  enum class Order : std::uint8_t { total, max, calls, p95, average };

  Entry& entry(const std::string& fingerprint_sql);

  /// The statistics of all statements that were called, at most `limit` of them. With `slow_only`, those with
  /// a call at or over the threshold.
  std::vector<QueryStatistics> snapshot(Order order = Order::total, std::size_t limit = fingerprints_max,
                                        bool slow_only = false) const;
  void clear();

  void set_slow_threshold(std::chrono::nanoseconds threshold) noexcept {
    slow_threshold_ns_ = threshold.count();
  }
  std::chrono::nanoseconds slow_threshold() const noexcept {
    return std::chrono::nanoseconds(slow_threshold_ns_.load(std::memory_order_relaxed));
  }

  /// Adds what this log holds to the file (made 0600 where it is missing) under a lock, so that several
  /// processes may share it; the file is replaced whole. Throws ValidationError when the file is not a query
  /// log.
  void merge_into(const std::filesystem::path& file) const;
  /// Reads a file written by merge_into() into an empty log. Throws NotFoundError, ValidationError.
  void load(const std::filesystem::path& file);
  /// Removes such a file, not while a program adds to it. Throws DeniedError.
  static void remove_file(const std::filesystem::path& file);

 private:
  Entry& entry_locked(const std::string& fingerprint_sql);
  void add_json(const Json& statements);
  Json to_json() const;

  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> entries_;  // by fingerprint_sql
  std::atomic<std::int64_t> slow_threshold_ns_{std::chrono::nanoseconds(slow_threshold_default).count()};
};

}  // namespace nerve::db
