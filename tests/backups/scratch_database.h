// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

struct sqlite3;

namespace nerve::test {

/// A connection by plain libsqlite3, so that what tests expect does not come from the code that they test.
/// Any error ends the test.
class PlainSqlite {
 public:
  enum class Access : std::uint8_t { create, immutable };

  explicit PlainSqlite(const std::filesystem::path& path, Access access = Access::create);

  void run(const std::string& sql);
  /// The first column of the first row.
  std::int64_t number(const std::string& sql);
  std::string text(const std::string& sql);
  /// All rows, values as SQL literals.
  std::string rows(const std::string& sql);

 private:
  struct Close {
    void operator()(::sqlite3* database) const noexcept;
  };
  std::unique_ptr<::sqlite3, Close> database_;
};

/// Makes a database of `users` (indexed by e-mail) and `events`, `rows` of each, in a journal mode;
/// `body_bytes` is the size of each event. Equal arguments make equal content.
void make_database(const std::filesystem::path& path, int rows, const std::string& journal_mode,
                   int body_bytes = 200);

/// Everything that the tables and the schema of a database hold, as text: equal for equal content.
std::string content_of(const std::filesystem::path& path);

/// The words of PRAGMA integrity_check: "ok" when sound.
std::string integrity_of(const std::filesystem::path& path);

/// Overwrites one page (numbered from 1, of 4096 bytes) with 0xFF.
void damage_page(const std::filesystem::path& path, std::int64_t page);

}  // namespace nerve::test
