// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backups/scratch_database.h"
#include "support/temp_folder.h"

#include "nerve/backups/salvage.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::test {

/// Two rows are the same when their texts are: each value with its type and all its bytes.
using RowsByKey = std::map<std::string, std::string>;

/// A database that is damaged byte by byte and then salvaged. What is expected comes from plain SQLite, which
/// reads the database before the damage and the new one after it.
class SalvageScene {
 public:
  std::filesystem::path database() const { return folder_ / "damaged.db"; }
  std::filesystem::path target() const { return folder_ / "salvaged.db"; }
  const TempFolder& folder() const noexcept { return folder_; }

  /// Runs a script on the database before it is damaged.
  void run(const std::string& sql) const { PlainSqlite(database()).run(sql); }
  /// `rows` of `letters`(id, text, number), `words`(word, n) WITHOUT ROWID, and 20 of `blobs`, each of which
  /// takes overflow pages.
  void make_letters(int rows, const std::string& pragmas = {}) const;

  /// The pages of a table or index of one type ("leaf", "internal", "overflow"), as SQLite sees them.
  std::vector<std::uint32_t> pages(const std::string& name, const std::string& type) const;
  std::uint32_t root(const std::string& name) const;
  std::uint32_t page_size() const;

  std::string bytes() const;
  void write_bytes(std::string_view bytes) const;
  void overwrite(std::uint64_t offset, std::string_view bytes) const;
  void overwrite_page(std::uint32_t number, char filling) const;
  void truncate(std::uint64_t size_bytes) const { std::filesystem::resize_file(database(), size_bytes); }

  /// Replaces the new database of an earlier call.
  nerve::backups::SalvageReport salvage(const nerve::backups::SalvageOptions& options = {}) const;

 private:
  TempFolder folder_;
};

/// The rows of a table by the value of their first column, which is a key.
RowsByKey rows_of(const std::filesystem::path& path, const std::string& table);
/// How many rows of `found` are not in `original` with all their values.
std::size_t count_wrong(const RowsByKey& original, const RowsByKey& found);
std::int64_t count_in(const std::filesystem::path& path, const std::string& from);
/// The digest of all content, as `backup verify --deep` prints it.
std::string content_digest(const std::filesystem::path& path);

const nerve::backups::SalvagedTable& table_of(const nerve::backups::SalvageReport& report,
                                              std::string_view name);
bool has_note(const nerve::backups::SalvageReport& report, std::string_view part);

}  // namespace nerve::test
