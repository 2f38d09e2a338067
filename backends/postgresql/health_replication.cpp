// SPDX-License-Identifier: Apache-2.0
#include "postgresql/health_checks.h"

#include "nerve/core/text.h"
#include "nerve/db/transaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

/// Checks of what leaves the server: replicas, slots and the archive.
namespace nerve::postgresql {

using health::Check;
using health::Status;

namespace {

std::string size_text(std::int64_t size_bytes) {
  return format_size(static_cast<std::uint64_t>(std::max<std::int64_t>(size_bytes, 0)));
}

struct Replica {
  std::string name;
  std::int64_t behind_bytes = 0;
  double behind_seconds = 0;
};

std::vector<Replica> find_replicas(const HealthInput& input) {
  std::vector<Replica> replicas;
  input.database.read([&](db::Transaction& transaction) {
    replicas.clear();
    transaction.each<std::string, std::int64_t, double>(
        "SELECT coalesce(application_name, 'pid ' || pid) || coalesce(' at ' || host(client_addr), ''),"
        " coalesce(CAST(pg_wal_lsn_diff(pg_current_wal_lsn(),"
        " coalesce(replay_lsn, flush_lsn, write_lsn, sent_lsn)) AS bigint), 0),"
        " coalesce(CAST(extract(epoch FROM replay_lag) AS double precision), 0)"
        " FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup'"
        " ORDER BY 2 DESC, 1 LIMIT :objects_max",
        {{"objects_max", objects_max}}, [&](std::string name, std::int64_t bytes, double seconds) {
          replicas.push_back({std::move(name), bytes, seconds});
        });
  });
  return replicas;
}

Check lag_check(const HealthInput& input) {
  return {.id = "postgresql.replication_lag",
          .status = Status::ok,
          .value = "no replica",
          .threshold = fmt::format("at most {} or {} s", size_text(input.options.replication_lag_bytes_max),
                                   input.options.replication_lag_max.count()),
          .message = "nothing is replicated from here",
          .fix = {}};
}

bool is_behind(const HealthInput& input, std::int64_t bytes, double seconds) {
  return bytes > input.options.replication_lag_bytes_max ||
         seconds > static_cast<double>(input.options.replication_lag_max.count());
}

Check check_own_lag(const HealthInput& input) {
  const auto [is_paused, seconds, bytes, receivers] = input.database.read([](db::Transaction& transaction) {
    return transaction.one<bool, double, std::int64_t, std::int64_t>(
        "SELECT pg_is_wal_replay_paused(),"
        " CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0 ELSE"
        " coalesce(CAST(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())"
        " AS double precision), 0) END,"
        " coalesce(CAST(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) AS bigint), 0),"
        " (SELECT count(*) FROM pg_stat_wal_receiver)");
  });
  Check check = lag_check(input);
  check.value = fmt::format("{}, {}", size_text(bytes), describe_seconds(seconds));
  check.message = "this replica follows its server";
  check.number = static_cast<double>(bytes);
  check.unit = "bytes";
  if (is_paused) {
    check.status = Status::warning;
    check.message = "the replay of this replica is paused";
    check.fix = psql_command(input, std::array<std::string, 1>{"SELECT pg_wal_replay_resume()"});
  } else if (receivers == 0) {
    check.status = Status::warning;
    check.message = "this replica receives nothing from its server";
    check.fix = "Look at primary_conninfo, at the network, and at the log of both servers.";
  } else if (is_behind(input, bytes, seconds)) {
    check.status = Status::warning;
    check.message = "this replica is behind its server";
    check.fix = "Look at the load of this machine's disk, and for long queries that hold the replay up.";
  }
  return check;
}

struct Slot {
  std::string name;
  std::string literal;
  bool is_active = false;
  std::string wal_status;
  std::int64_t kept_bytes = 0;
};

std::vector<Slot> find_slots(const HealthInput& input) {
  std::vector<Slot> slots;
  input.database.read([&](db::Transaction& transaction) {
    slots.clear();
    transaction.each<std::string, std::string, bool, std::string, std::int64_t>(
        "SELECT slot_name, quote_literal(slot_name), active, coalesce(wal_status, ''),"
        " coalesce(CAST(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn()"
        " ELSE pg_current_wal_lsn() END, restart_lsn) AS bigint), 0)"
        " FROM pg_replication_slots ORDER BY 5 DESC, 1 LIMIT :objects_max",
        {{"objects_max", objects_max}},
        [&](std::string name, std::string literal, bool is_active, std::string wal_status,
            std::int64_t kept_bytes) {
          slots.push_back(
              {std::move(name), std::move(literal), is_active, std::move(wal_status), kept_bytes});
        });
  });
  return slots;
}

bool is_lost(const Slot& slot) {
  return slot.wal_status == "lost" || slot.wal_status == "unreserved";
}

}  // namespace

Check check_replication_lag(const HealthInput& input) {
  if (input.facts.is_in_recovery) return check_own_lag(input);
  const std::vector<Replica> replicas = find_replicas(input);
  Check check = lag_check(input);
  if (replicas.empty()) return check;
  if (!input.facts.sees_statistics)
    return not_permitted(check.id, input, "pg_monitor", "how far the replicas are");
  std::vector<std::string> behind;
  double worst_seconds = 0;
  for (const Replica& replica : replicas) {
    worst_seconds = std::max(worst_seconds, replica.behind_seconds);
    if (!is_behind(input, replica.behind_bytes, replica.behind_seconds)) continue;
    behind.push_back(fmt::format("{} ({}, {})", replica.name, size_text(replica.behind_bytes),
                                 describe_seconds(replica.behind_seconds)));
  }
  const std::int64_t worst_bytes = replicas.front().behind_bytes;
  check.value = fmt::format("{}, {}", size_text(worst_bytes), describe_seconds(worst_seconds));
  check.message = fmt::format("{} follow this server", replicas.size());
  check.number = static_cast<double>(worst_bytes);
  check.unit = "bytes";
  if (behind.empty()) return check;
  check.status = Status::warning;
  check.message = "these are behind, and a failover to them would lose what they lack: " + list_names(behind);
  check.fix =
      "Look at the network and the disk of these machines; run 'nerve-db health' on the replica itself.";
  return check;
}

Check check_replication_slots(const HealthInput& input) {
  const std::vector<Slot> slots = find_slots(input);
  std::vector<Finding> findings;
  bool has_lost = false;
  for (const Slot& slot : slots) {
    if (slot.kept_bytes <= input.options.slot_bytes_max && !is_lost(slot)) continue;
    has_lost = has_lost || is_lost(slot);
    findings.push_back(
        {fmt::format("{} ({}, {}{})", slot.name, slot.is_active ? "in use" : "nobody uses it",
                     size_text(slot.kept_bytes), is_lost(slot) ? ", what it needs is being removed" : ""),
         slot.is_active ? "" : fmt::format("SELECT pg_drop_replication_slot({})", slot.literal)});
  }
  const std::string threshold = "at most " + size_text(input.options.slot_bytes_max) + " kept";
  const std::string what = fmt::format("of {} slots", slots.size());
  Check check =
      finding_check(input,
                    {.id = "postgresql.replication_slots",
                     .what = what,
                     .threshold = threshold,
                     .none = "no slot keeps much of the write-ahead log",
                     .some = "slots keep the write-ahead log from being removed until the disk is full"},
                    findings);
  if (has_lost) check.status = Status::critical;
  if (check.status != Status::ok && check.fix.empty()) {
    check.fix = "Look at the replicas that use them, or bound what they keep with max_slot_wal_keep_size.";
  }
  return check;
}

Check check_wal_archiving(const HealthInput& input) {
  const auto [mode, is_failing, failed, file] = input.database.read([](db::Transaction& transaction) {
    return transaction.one<std::string, bool, std::int64_t, std::optional<std::string>>(
        "SELECT current_setting('archive_mode'),"
        " coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false), failed_count,"
        " last_failed_wal FROM pg_stat_archiver");
  });
  Check check{.id = "postgresql.wal_archiving",
              .status = Status::ok,
              .value = mode,
              .threshold = "no failure since the last success",
              .message = "the write-ahead log is archived",
              .fix = {}};
  if (mode == "off") {
    check.message = "the write-ahead log is not archived: a backup brings back its own moment, no later one";
    return check;
  }
  check.number = static_cast<double>(failed);
  check.unit = "count";
  if (!is_failing) return check;
  check.status = Status::critical;
  check.value = fmt::format("{}, {} failures", mode, format_count(failed));
  check.message = fmt::format(
      "the write-ahead log is not archived: it fails since {}, and the log grows until the disk is full",
      file.value_or("its beginning"));
  check.fix =
      "Correct archive_command, which the server's log shows failing, then: " +
      psql_command(input, std::array<std::string, 3>{"SELECT pg_reload_conf()",
                                                     "SELECT pg_create_restore_point('archive mended')",
                                                     "SELECT pg_switch_wal()"});
  return check;
}

}  // namespace nerve::postgresql
