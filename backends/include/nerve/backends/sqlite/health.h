// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/file_system.h"
#include "nerve/core/time.h"
#include "nerve/health/checklist.h"
#include "nerve/health/report.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace nerve {
class ProgressSink;
}

namespace nerve::sqlite {

/// How large a database was before, and where that is known from ("the last run", "backup 6d4dec83").
struct EarlierSize {
  std::uint64_t size_bytes = 0;
  Timestamp at;
  std::string source;
};

/// What a database is measured against.
struct HealthOptions {
  static constexpr double free_list_max_percent_default = 25.0;
  static constexpr std::uint64_t free_list_ignored_bytes_default = 1024 * 1024;
  static constexpr std::uint64_t wal_bytes_max_default = 64 * 1024 * 1024;
  static constexpr double free_disk_min_percent_default = 5.0;
  static constexpr double free_disk_min_sizes_default = 2.0;
  static constexpr int open_ms_max_default = 250;
  static constexpr int busy_timeout_ms_default = 1'000;
  static constexpr double growth_max_percent_default = 50.0;
  static constexpr std::uint64_t growth_ignored_bytes_default = 1024 * 1024;

  /// Also compare each index with its table, and look for rows without parent.
  bool is_deep = false;
  double free_list_max_percent = free_list_max_percent_default;
  /// A free list up to this size is never worth a VACUUM.
  std::uint64_t free_list_ignored_bytes = free_list_ignored_bytes_default;
  std::uint64_t wal_bytes_max = wal_bytes_max_default;
  double free_disk_min_percent = free_disk_min_percent_default;
  /// How many times the size of the database must be free: VACUUM needs twice.
  double free_disk_min_sizes = free_disk_min_sizes_default;
  int open_ms_max = open_ms_max_default;
  int busy_timeout_ms = busy_timeout_ms_default;
  ProgressSink* progress = nullptr;
  double growth_max_percent = growth_max_percent_default;
  /// Growth up to this size is never told.
  std::uint64_t growth_ignored_bytes = growth_ignored_bytes_default;
  /// What the size is compared with; empty, or nothing returned, is a first run.
  std::function<std::optional<EarlierSize>()> earlier_size = {};
  /// What the file lies on; another one for tests.
  std::function<FileSystem(const std::filesystem::path&)> file_system = &find_file_system;
  /// What brings the database back where it is missing or damaged, asked only then; empty, or nothing
  /// returned: the newest backup in the repository that nerve-db finds by itself.
  std::function<std::string()> way_back = {};
  /// Ids of checks that are left out.
  health::Skipped skip = {};
};

/// Checks one SQLite database file and the place it lies in. Never writes to the database, and leaves no
/// companion files that were not there, except a -shm where a -wal stood without one.
///
///   sqlite.file                 it is there and is a database; zero bytes are a warning (an empty database)
///   sqlite.permissions          who else may read or write the file and its folder
///   sqlite.file_system          not a network file system, whose locks cannot be relied on
///   sqlite.free_disk            room for growth and for VACUUM
///   sqlite.growth               how much it grew since it was last looked at
///   sqlite.version              of the library, and what it is known for
///   sqlite.pages                the size of the file is that of its pages
///   sqlite.open                 it opens, and how long that takes
///   sqlite.schema               the schema can be read; views that no longer fit it
///   sqlite.integrity            quick_check, with is_deep integrity_check
///   sqlite.free_list            pages that hold nothing
///   sqlite.statistics           what the planner knows of the tables is there and recent
///   sqlite.indexes              indexes that another one makes superfluous
///   sqlite.foreign_key_indexes  foreign keys whose columns no index begins with
///   sqlite.foreign_keys         rows without parent; only with is_deep
///   sqlite.wal                  size of the write-ahead log
///   sqlite.journal_mode         mode, and a journal that a dead process left
///
/// No check stops another; what cannot be looked at because an earlier check failed is `unknown`, with the
/// reason. Throws only CancelledError.
health::Report check_health(const std::filesystem::path& path, const HealthOptions& options = {});

/// The ids of all these checks, in that order.
std::span<const std::string_view> health_check_ids() noexcept;

/// Those of the place that a database lies in and of the program that reads it: permissions, file system,
/// disk, growth, version. Whatever they find, the data is what it was.
std::span<const std::string_view> place_check_ids() noexcept;

}  // namespace nerve::sqlite
