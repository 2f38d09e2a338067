// SPDX-License-Identifier: Apache-2.0
// The settings that nerve.toml may hold.
#include "nerve/core/config.h"

namespace nerve {

const std::vector<Setting>& core_settings() {
  using enum SettingType;
  constexpr std::int64_t ten_minutes_ms = 600'000;
  constexpr std::int64_t one_day_ms = 86'400'000;
  constexpr std::int64_t one_tebibyte_mib = 1024 * 1024;
  static const std::vector<Setting> settings = {
      {.key = "workspace.id",
       .type = text,
       .description = "id of the workspace, which its stores hold as well"},
      {.key = "database.url",
       .type = text,
       .description = "database that commands work on: a path, sqlite:PATH or postgresql://HOST/NAME"},
      {.key = "database.secure_url",
       .type = text,
       .description = "the secure store of the workspace, like database.url",
       .default_text = "nerve-secure.db"},
      {.key = "database.password_file",
       .type = text,
       .description = "file with the passwords of PostgreSQL, in the format of .pgpass"},
      {.key = "database.pool_size",
       .type = integer,
       .description = "connections at once",
       .default_text = "8",
       .minimum = 1,
       .maximum = 64},
      {.key = "database.statement_timeout_ms",
       .type = integer,
       .description = "longest run of one statement on PostgreSQL; 0 for no limit",
       .default_text = "30000",
       .minimum = 0,
       .maximum = one_day_ms},
      {.key = "database.lock_timeout_ms",
       .type = integer,
       .description = "longest wait for a lock on PostgreSQL; 0 for no limit",
       .default_text = "5000",
       .minimum = 0,
       .maximum = one_day_ms},
      {.key = "database.busy_timeout_ms",
       .type = integer,
       .description = "longest wait for SQLite's lock",
       .default_text = "5000",
       .minimum = 0,
       .maximum = ten_minutes_ms},
      {.key = "backup.repository",
       .type = text,
       .description = "folder that keeps the backups",
       .default_text = "backups"},
      {.key = "query_log.file",
       .type = text,
       .description = "file that collects the statistics of statements; empty for none"},
      {.key = "query_log.slow_ms",
       .type = integer,
       .description = "a statement that takes as long is slow",
       .default_text = "100",
       .minimum = 0,
       .maximum = one_day_ms},
      {.key = "health.free_disk_min_percent",
       .type = integer,
       .description = "less free space on the device is a warning",
       .default_text = "5",
       .minimum = 0,
       .maximum = 100},
      {.key = "health.free_list_max_percent",
       .type = integer,
       .description = "more unused pages in the file are a warning",
       .default_text = "25",
       .minimum = 0,
       .maximum = 100},
      {.key = "health.wal_max_mib",
       .type = integer,
       .description = "a larger write-ahead log is a warning",
       .default_text = "64",
       .minimum = 1,
       .maximum = one_tebibyte_mib},
  };
  return settings;
}

}  // namespace nerve
