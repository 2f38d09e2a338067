// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

struct sqlite3;

namespace nerve::bench {

/// A connection to a SQLite database whose failures are exceptions.
class Connection {
 public:
  explicit Connection(const std::filesystem::path& path);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  sqlite3* handle() const noexcept { return handle_; }
  void execute(const std::string& sql) const;
  /// The first column of the first row.
  std::string ask(const std::string& sql) const;

 private:
  sqlite3* handle_ = nullptr;
};

/// Does `work` in a process of its own, so that its memory is not counted for programs that are run later.
/// Throws std::runtime_error where it throws.
void in_process(const std::function<void()>& work);

/// Makes a database of about `size_mb` million bytes in WAL mode: customers, documents, events and accounts
/// with indexes, of which zstd saves about 40 %. The accounts add up to 0.
void make_sample(const std::filesystem::path& path, std::int64_t size_mb);

/// Changes one page in a hundred, spread over the database.
void change_pages(const std::filesystem::path& path, unsigned round);

/// How many bytes of pages differ between two states of a database.
std::uint64_t changed_bytes(const std::filesystem::path& before, const std::filesystem::path& after);

/// What is wrong with a copy of the database: by quick_check, and by the sum of the accounts. Empty when it
/// is intact.
std::string defect_of(const std::filesystem::path& copy);

}  // namespace nerve::bench
