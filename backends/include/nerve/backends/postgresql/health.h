// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/clock.h"
#include "nerve/db/database.h"
#include "nerve/health/checklist.h"
#include "nerve/health/report.h"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace nerve::postgresql {

/// What a server is measured against.
struct HealthOptions {
  static constexpr std::chrono::milliseconds open_max_default{1'000};
  static constexpr double connections_max_percent_default = 80.0;
  static constexpr double connections_critical_percent_default = 95.0;
  static constexpr std::chrono::seconds transaction_max_default{300};
  static constexpr std::chrono::seconds idle_in_transaction_max_default{60};
  static constexpr std::chrono::seconds lock_wait_max_default{10};
  static constexpr std::int64_t transaction_ids_max_default = 500'000'000;
  static constexpr std::int64_t transaction_ids_critical_default = 1'000'000'000;
  static constexpr double dead_rows_max_percent_default = 20.0;
  static constexpr std::int64_t dead_rows_ignored_default = 10'000;
  static constexpr std::int64_t hot_table_changes_default = 10'000;
  static constexpr std::int64_t dead_rows_before_vacuum_max_default = 1'000'000;
  static constexpr std::int64_t unused_index_bytes_min_default = 8 * 1024 * 1024;
  static constexpr std::chrono::hours unused_index_after_default{30 * 24};
  static constexpr std::int64_t replication_lag_bytes_max_default = 256 * 1024 * 1024;
  static constexpr std::chrono::seconds replication_lag_max_default{60};
  static constexpr std::int64_t slot_bytes_max_default = 1024 * 1024 * 1024;
  static constexpr double sequence_max_percent_default = 80.0;
  static constexpr std::chrono::milliseconds statement_mean_max_default{1'000};
  static constexpr std::int64_t statement_calls_min_default = 10;

  /// The URL of the database, for the commands of fixes; it holds no password, as no URL may. Empty: its
  /// display name.
  std::string url = {};
  health::Skipped skip = {};

  std::chrono::milliseconds open_max = open_max_default;
  double connections_max_percent = connections_max_percent_default;
  double connections_critical_percent = connections_critical_percent_default;
  std::chrono::seconds transaction_max = transaction_max_default;
  std::chrono::seconds idle_in_transaction_max = idle_in_transaction_max_default;
  std::chrono::seconds lock_wait_max = lock_wait_max_default;
  /// Of the 2,147,483,648 that there are before the server stops to prevent a wraparound.
  std::int64_t transaction_ids_max = transaction_ids_max_default;
  std::int64_t transaction_ids_critical = transaction_ids_critical_default;
  double dead_rows_max_percent = dead_rows_max_percent_default;
  std::int64_t dead_rows_ignored = dead_rows_ignored_default;
  /// A table with as many updates and deletes since its statistics began is hot.
  std::int64_t hot_table_changes = hot_table_changes_default;
  /// Autovacuum of a hot table must not wait for more dead rows.
  std::int64_t dead_rows_before_vacuum_max = dead_rows_before_vacuum_max_default;
  std::int64_t unused_index_bytes_min = unused_index_bytes_min_default;
  /// How long statistics must have been kept before an index counts as unused.
  std::chrono::hours unused_index_after = unused_index_after_default;
  std::int64_t replication_lag_bytes_max = replication_lag_bytes_max_default;
  std::chrono::seconds replication_lag_max = replication_lag_max_default;
  std::int64_t slot_bytes_max = slot_bytes_max_default;
  double sequence_max_percent = sequence_max_percent_default;
  std::chrono::milliseconds statement_mean_max = statement_mean_max_default;
  std::int64_t statement_calls_min = statement_calls_min_default;
  /// Whether an unencrypted connection over the loopback interface is in order: false where a proxy on this
  /// machine leads elsewhere.
  bool is_loopback_trusted = true;
};

/// Checks a PostgreSQL server and one of its databases by reading its catalogue and its statistics; no table
/// is read but the default partitions. Changes nothing.
///
///   postgresql.open                  it can be reached, and how long that takes
///   postgresql.version               still maintained; known faults that damage data
///   postgresql.superuser             whether the role in use may do everything
///   postgresql.tls                   connections from other machines that are not encrypted
///   postgresql.checksums             pages have checksums
///   postgresql.connections           used of those that there may be
///   postgresql.long_transactions     open for long, prepared ones included: nothing is vacuumed meanwhile
///   postgresql.idle_in_transaction   open, and nobody works in them
///   postgresql.blocked_locks         sessions that wait for a lock, and who holds it
///   postgresql.transaction_id_age    how near the oldest row is to the wraparound
///   postgresql.dead_tuples           tables with many dead rows, and their last vacuum
///   postgresql.autovacuum            off, or set so that hot tables wait for too long
///   postgresql.invalid_indexes       left by CREATE INDEX CONCURRENTLY that failed
///   postgresql.unused_indexes        that no search ever used
///   postgresql.duplicate_indexes     that have the same definition as another one
///   postgresql.foreign_key_indexes   foreign keys whose columns no index begins with
///   postgresql.sequences             near their end, or near that of the column they fill
///   postgresql.default_partition_rows  rows that fit no partition
///   postgresql.replication_lag       of the replicas, or of this server where it is one
///   postgresql.replication_slots     that keep the write-ahead log from being removed
///   postgresql.wal_archiving         fails
///   postgresql.slow_statements       by pg_stat_statements, where that is installed
///
/// No check stops another. What the role may not see is `unknown`, with the GRANT that mends it; where the
/// server cannot be reached, postgresql.open is critical and all else unknown. `clock` says which releases
/// are still maintained. Throws only CancelledError.
health::Report check_health(db::Database& database, const HealthOptions& options = {},
                            const Clock& clock = system_clock());

/// The ids of all these checks, in that order.
std::span<const std::string_view> health_check_ids() noexcept;

}  // namespace nerve::postgresql
