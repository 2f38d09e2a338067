// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/json.h"
#include "nerve/core/progress.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace nerve::backups {

/// Numbers of pages, of which the first ones are kept.
struct PageList {
  static constexpr std::size_t kept_max = 100;

  std::vector<std::uint32_t> first;
  std::uint64_t total = 0;

  void add(std::uint32_t page) {
    ++total;
    if (first.size() < kept_max) first.push_back(page);
  }
};

/// What became of one table.
struct SalvagedTable {
  std::string name;
  std::int64_t rows = 0;             ///< in the new database, those of `placed_rows` among them
  PageList lost_pages;               ///< pages of its b-tree of which nothing could be read
  PageList damaged_pages;            ///< pages that were read in part
  std::uint64_t broken_cells = 0;    ///< rows that could not be decoded
  std::uint64_t mended_pages = 0;    ///< pages whose header was wrong; nothing is lost of them
  std::uint64_t lost_and_found = 0;  ///< rows that were read and could not be put into the table
  std::int64_t placed_rows = 0;      ///< from pages that nothing led to any more

  bool is_whole() const noexcept {
    return lost_pages.total == 0 && damaged_pages.total == 0 && broken_cells == 0 && lost_and_found == 0;
  }
};

/// An object of the schema that the new database lacks.
struct LostObject {
  std::string type;  ///< "table", "index", "view", "trigger"
  std::string name;
  std::string problem;
};

/// What was read of a damaged database, and what was not.
struct SalvageReport {
  std::filesystem::path source;
  std::filesystem::path target;
  std::uint32_t page_size_bytes = 0;
  std::uint32_t page_count = 0;
  bool is_header_damaged = false;  ///< user_version and application_id are not known
  bool is_schema_whole = true;     ///< whether every page of sqlite_schema could be read
  bool has_lost_transactions = false;
  std::vector<SalvagedTable> tables;  ///< in the order of their names
  std::vector<LostObject> lost_objects;
  /// "TABLE: why": their own tables are there, and what these hold is damaged.
  std::vector<std::string> damaged_virtual_tables;
  std::string lost_and_found;                           ///< the name of the table; empty where there is none
  std::map<std::string, std::uint64_t> rows_by_reason;  ///< of the table lost_and_found
  std::uint64_t deleted_rows = 0;                       ///< of these, those of the free list
  std::vector<std::string> notes;

  std::int64_t rows_total() const noexcept;
  std::uint64_t lost_and_found_rows() const noexcept;
  /// Whether every page, row and transaction was read, also of tables that could not be made.
  bool is_all_read() const noexcept;
  /// Whether all that was in the database is in the new one, each row in its table.
  bool is_complete() const noexcept;
  Json to_json() const;
};

struct SalvageOptions {
  /// Also bring back rows that were deleted, as far as the pages of the free list still hold them.
  bool deleted = false;
  /// A sound database with the schema that the damaged one had; used where that is lost.
  std::optional<std::filesystem::path> schema_from = {};
};

/// Whether salvage_database() would begin: `source` begins as a database does, or some of it looks like pages
/// of one. The process must not have it open by other means.
bool can_salvage(const std::filesystem::path& source);

/// Writes what can still be read of the damaged SQLite database `source` to the new database `target`, and
/// tells what was lost. docs/salvage.md says how, and what the report means.
///
/// `source`, its -wal and its -journal are read without SQLite, locks or changes; while another process
/// writes them the result is a mixture, which a note tells. `target` (mode 0600) appears when it is whole,
/// checked and on disk; an abort leaves nothing but a hidden file that the next run removes. Throws
/// ConflictError when something stands at `target`, NotFoundError and DeniedError for `source`, and
/// IntegrityError when nothing in it looks like a page of a database. Interruptible.
SalvageReport salvage_database(const std::filesystem::path& source, const std::filesystem::path& target,
                               const SalvageOptions& options, ProgressSink* progress);

}  // namespace nerve::backups
