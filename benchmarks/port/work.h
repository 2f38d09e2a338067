// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace nerve::bench {

/// One row of the table that all contestants write and read.
struct Event {
  std::int64_t id;
  std::string at;  // 27 characters
  std::string kind;
  double score;
  std::string body;  // 60 characters
};

/// The same row for the same number, without the cost of making it new each time.
const Event& event(std::int64_t number);

inline constexpr std::int64_t batch_rows = 10'000;

/// A contestant: one way to reach one database. Checksums prove that all did the same work.
class Work {
 public:
  virtual ~Work() = default;

  virtual const char* name() const = 0;
  /// Makes the table anew, empty.
  virtual void create_table() = 0;
  /// Inserts rows 0 … rows-1 in batches of `batch_rows`, each in a transaction.
  virtual void insert(std::int64_t rows) = 0;
  /// Reads all rows in the order of their ids and returns a checksum.
  virtual std::uint64_t read_all() = 0;
  /// Looks up `count` rows by id, spread over `rows`, in one transaction, and returns a checksum.
  virtual std::uint64_t look_up(std::int64_t count, std::int64_t rows) = 0;
};

/// The k-th id to be looked up: all over the table, the same for everyone.
inline std::int64_t look_up_id(std::int64_t k, std::int64_t rows) {
  return (k * 7'919 + 13) % rows;
}

inline std::uint64_t checksum(std::int64_t id, double score, std::size_t octets) {
  return static_cast<std::uint64_t>(id) + static_cast<std::uint64_t>(score) + octets;
}

std::unique_ptr<Work> make_raw_sqlite(const std::filesystem::path& file);
std::unique_ptr<Work> make_raw_postgresql(const std::string& conninfo);
std::unique_ptr<Work> make_soci_sqlite(const std::filesystem::path& file);
std::unique_ptr<Work> make_soci_postgresql(const std::string& conninfo);
std::unique_ptr<Work> make_port(const std::string& url);
/// Rows of a tenant, by statements of one's own and by a record in a scope.
std::unique_ptr<Work> make_without_scope(const std::string& url);
std::unique_ptr<Work> make_in_scope(const std::string& url);

}  // namespace nerve::bench
