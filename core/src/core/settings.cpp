// SPDX-License-Identifier: Apache-2.0
// The settings that nerve.toml may hold.
#include "nerve/core/config.h"

#include <array>
#include <cstdint>
#include <vector>

namespace nerve {

namespace {

using enum SettingType;

constexpr std::int64_t ten_minutes_ms = 600'000;
constexpr std::int64_t one_day_s = 86'400;
constexpr std::int64_t one_day_ms = one_day_s * 1000;
constexpr std::int64_t one_tebibyte_mib = 1024 * 1024;
constexpr std::int64_t ten_years_hours = 87'600;
constexpr std::array settings = {
    Setting{.key = "workspace.id",
            .type = text,
            .description = "id of the workspace, which its stores hold as well"},
    Setting{.key = "database.url",
            .type = text,
            .description = "database that commands work on: a path, sqlite:PATH or postgresql://HOST/NAME"},
    Setting{.key = "database.secure_url",
            .type = text,
            .description = "the secure store of the workspace, like database.url",
            .default_text = "nerve-secure.db"},
    Setting{.key = "database.password_file",
            .type = text,
            .description = "file with the passwords of PostgreSQL, in the format of .pgpass"},
    Setting{.key = "database.scratch_url",
            .type = text,
            .description =
                "empty PostgreSQL database for the replay of migrations, best on another server; empty: "
                "one is made for each replay"},
    Setting{.key = "database.pool_size",
            .type = integer,
            .description = "connections at once",
            .default_text = "8",
            .minimum = 1,
            .maximum = 64},
    Setting{.key = "database.statement_timeout_ms",
            .type = integer,
            .description = "longest run of one statement on PostgreSQL; 0 for no limit",
            .default_text = "30000",
            .minimum = 0,
            .maximum = one_day_ms},
    Setting{.key = "database.lock_timeout_ms",
            .type = integer,
            .description = "longest wait for a lock on PostgreSQL; 0 for no limit",
            .default_text = "5000",
            .minimum = 0,
            .maximum = one_day_ms},
    Setting{.key = "database.busy_timeout_ms",
            .type = integer,
            .description = "longest wait for SQLite's lock",
            .default_text = "5000",
            .minimum = 0,
            .maximum = ten_minutes_ms},
    Setting{.key = "backup.repository",
            .type = text,
            .description = "folder that keeps the backups",
            .default_text = "backups"},
    Setting{.key = "backup.also",
            .type = text,
            .description = "second folder that keeps a copy of each backup; empty for none"},
    Setting{.key = "backup.secure_key_file",
            .type = text,
            .description = "key file of the backups of the secure store; empty for none"},
    Setting{.key = "backup.secure_passphrase_file",
            .type = text,
            .description = "file with the passphrase of the backups of the secure store; empty for none"},
    Setting{.key = "backup.before",
            .type = text_list,
            .description = "program and arguments that are run before each backup, which they can stop"},
    Setting{
        .key = "backup.after",
        .type = text_list,
        .description = "program and arguments that are run after each backup, also after one that failed"},
    Setting{.key = "backup.hook_timeout_s",
            .type = integer,
            .description = "longest run of either of them",
            .default_text = "600",
            .minimum = 1,
            .maximum = one_day_s},
    Setting{.key = "backup.metrics_file",
            .type = text,
            .description = "file for Prometheus that each backup renews; empty for none"},
    Setting{.key = "maintenance.windows",
            .type = text_list,
            .description =
                "when schemas may be changed with --window: \"sat 22:00-04:00\", \"daily 03:00-04:00\""},
    Setting{.key = "maintenance.notify",
            .type = text_list,
            .description = "program and arguments that are told of migrations, by JSON on standard input"},
    Setting{.key = "query_log.file",
            .type = text,
            .description = "file that collects the statistics of statements; empty for none"},
    Setting{.key = "query_log.slow_ms",
            .type = integer,
            .description = "a statement that takes as long is slow",
            .default_text = "100",
            .minimum = 0,
            .maximum = one_day_ms},
    Setting{.key = "health.free_disk_min_percent",
            .type = integer,
            .description = "less free space on the device is a warning",
            .default_text = "5",
            .minimum = 0,
            .maximum = 100},
    Setting{.key = "health.free_list_max_percent",
            .type = integer,
            .description = "more unused pages in the file are a warning",
            .default_text = "25",
            .minimum = 0,
            .maximum = 100},
    Setting{.key = "health.wal_max_mib",
            .type = integer,
            .description = "a larger write-ahead log is a warning",
            .default_text = "64",
            .minimum = 1,
            .maximum = one_tebibyte_mib},
    Setting{.key = "health.growth_max_percent",
            .type = integer,
            .description = "a database that grew more since the last run is a warning",
            .default_text = "50",
            .minimum = 1,
            .maximum = 1'000'000},
    Setting{.key = "health.backup_max_hours",
            .type = integer,
            .description = "an older newest backup is a warning",
            .default_text = "36",
            .minimum = 1,
            .maximum = ten_years_hours},
    Setting{.key = "health.verified_max_hours",
            .type = integer,
            .description = "a longer time since a backup was verified or restored is a warning",
            .default_text = "720",
            .minimum = 1,
            .maximum = ten_years_hours},
    Setting{.key = "health.state_file",
            .type = text,
            .description = "file that keeps what the last run saw; empty for none",
            .default_text = "health-state.json"},
    Setting{.key = "health.skip", .type = text_list, .description = "ids of the checks that are left out"},
};

}  // namespace

const std::vector<Setting>& core_settings() {
  static const std::vector<Setting> list(settings.begin(), settings.end());
  return list;
}

}  // namespace nerve
