// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <vector>

namespace nerve::bench {

/// How long the transactions of a writer took.
struct Latencies {
  std::size_t count = 0;
  double per_second = 0;
  double p50_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
};

/// A process that makes transactions at a fixed rate, each a transfer between two accounts with a line about
/// it: WAL, synchronous=NORMAL, SQLite's own checkpoints. Its sums stay 0 in every consistent state.
class Writer {
 public:
  static constexpr int transactions_per_second = 500;

  /// Returns when it has settled.
  explicit Writer(const std::filesystem::path& database);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer();

  /// Transactions that begin from now on count.
  void begin();
  /// What they took. Ends the writer; a transaction under way is finished.
  Latencies end();

 private:
  struct Shared;

  void stop() noexcept;

  Shared* shared_ = nullptr;
  pid_t pid_ = -1;
};

}  // namespace nerve::bench
