// SPDX-License-Identifier: Apache-2.0
#include "postgresql/health_checks.h"

#include "nerve/db/transaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

/// Checks of the sessions and of what they hold.
namespace nerve::postgresql {

using health::Check;
using health::Status;

namespace {

/// pg_blocking_pids() and pg_locks.waitstart together.
constexpr int version_with_wait_start = 140'000;

std::string terminate(std::int64_t pid) {
  return fmt::format("SELECT pg_terminate_backend({})", pid);
}

/// Sessions for which `condition` holds since `since` for longer than the limit, the longest first; what
/// mends each is its end.
std::vector<Finding> find_sessions(const HealthInput& input, std::string_view since,
                                   std::string_view condition, std::chrono::seconds limit) {
  std::vector<Finding> sessions;
  input.database.read([&](db::Transaction& transaction) {
    sessions.clear();
    transaction.each<std::int64_t, std::string, std::string, std::string, double>(
        fmt::format(
            "SELECT pid, coalesce(usename, '?'), coalesce(datname, '?'), coalesce(application_name, ''),"
            " CAST(extract(epoch FROM clock_timestamp() - {0}) AS double precision)"
            " FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            " AND {1} AND extract(epoch FROM clock_timestamp() - {0}) > CAST(:seconds AS double precision)"
            " ORDER BY {0} LIMIT :objects_max",
            since, condition),
        {{"seconds", static_cast<double>(limit.count())}, {"objects_max", objects_max}},
        [&](std::int64_t pid, const std::string& role, const std::string& database,
            const std::string& application, double seconds) {
          sessions.push_back(
              {fmt::format("pid {} of {} on {}{} for {}", pid, role, database,
                           application.empty() ? "" : " (" + application + ")", describe_seconds(seconds)),
               terminate(pid)});
        });
  });
  return sessions;
}

/// Transactions of this database that were prepared for a two-phase commit which never came.
std::vector<Finding> find_prepared(const HealthInput& input) {
  std::vector<Finding> prepared;
  input.database.read([&](db::Transaction& transaction) {
    prepared.clear();
    transaction.each<std::string, std::string, double>(
        "SELECT gid, quote_literal(gid),"
        " CAST(extract(epoch FROM clock_timestamp() - prepared) AS double precision)"
        " FROM pg_prepared_xacts WHERE database = current_database()"
        " AND extract(epoch FROM clock_timestamp() - prepared) > CAST(:seconds AS double precision)"
        " ORDER BY prepared LIMIT :objects_max",
        {{"seconds", static_cast<double>(input.options.transaction_max.count())},
         {"objects_max", objects_max}},
        [&](const std::string& gid, const std::string& literal, double seconds) {
          prepared.push_back({fmt::format("prepared transaction {} for {}", gid, describe_seconds(seconds)),
                              "ROLLBACK PREPARED " + literal});
        });
  });
  return prepared;
}

struct Waiter {
  std::int64_t pid = 0;
  double seconds = 0;
  std::vector<std::int64_t> blockers;
};

std::vector<std::int64_t> parse_pids(const std::string& list) {
  std::vector<std::int64_t> pids;
  std::istringstream words(list);
  std::int64_t pid = 0;
  while (words >> pid) pids.push_back(pid);
  return pids;
}

std::vector<Waiter> find_waiters(const HealthInput& input) {
  std::vector<Waiter> waiters;
  input.database.read([&](db::Transaction& transaction) {
    waiters.clear();
    transaction.each<std::int64_t, double, std::string>(
        "SELECT pid, CAST(extract(epoch FROM clock_timestamp() - min(waitstart)) AS double precision),"
        " array_to_string(pg_blocking_pids(pid), ' ')"
        " FROM pg_locks WHERE NOT granted AND pid IS NOT NULL AND waitstart IS NOT NULL"
        " GROUP BY pid ORDER BY 2 DESC, pid LIMIT :objects_max",
        {{"objects_max", objects_max}}, [&](std::int64_t pid, double seconds, const std::string& blockers) {
          waiters.push_back({pid, seconds, parse_pids(blockers)});
        });
  });
  return waiters;
}

/// Those who hold what others wait for, and wait for nobody themselves; in a ring, all of it.
std::set<std::int64_t> root_blockers(const std::vector<Waiter>& waiters) {
  std::set<std::int64_t> all;
  std::set<std::int64_t> roots;
  for (const Waiter& waiter : waiters) {
    for (const std::int64_t blocker : waiter.blockers) {
      if (blocker == 0) continue;  // a prepared transaction has no session
      all.insert(blocker);
      if (std::ranges::find(waiters, blocker, &Waiter::pid) == waiters.end()) roots.insert(blocker);
    }
  }
  return roots.empty() ? all : roots;
}

}  // namespace

Check check_connections(const HealthInput& input) {
  const auto [used, limit] = input.database.read([](db::Transaction& transaction) {
    // Sessions of others keep their type to themselves, but not their database.
    return transaction.one<std::int64_t, std::int64_t>(
        "SELECT count(*), CAST(current_setting('max_connections') AS bigint)"
        " - CAST(current_setting('superuser_reserved_connections') AS bigint)"
        " FROM pg_stat_activity WHERE datid IS NOT NULL"
        " AND (backend_type = 'client backend' OR backend_type IS NULL)");
  });
  const HealthOptions& options = input.options;
  const double percent =
      100.0 * static_cast<double>(used) / static_cast<double>(std::max<std::int64_t>(limit, 1));
  Check check{.id = "postgresql.connections",
              .status = Status::ok,
              .value = fmt::format("{} of {} ({:.0f} %)", used, limit, percent),
              .threshold = fmt::format("at most {:g} %", options.connections_max_percent),
              .message = "connections are left",
              .fix = {},
              .number = percent,
              .unit = "percent"};
  if (percent <= options.connections_max_percent) return check;
  check.status = percent > options.connections_critical_percent ? Status::critical : Status::warning;
  check.message = "few connections are left; when there is none, programs and people are turned away";
  const auto allowed = static_cast<std::int64_t>(
      std::floor(static_cast<double>(limit) * options.connections_max_percent / 100.0));
  // One more, since psql itself takes one while it looks.
  const std::int64_t surplus = std::max<std::int64_t>(used - allowed, 0) + 1;
  const std::string statement = fmt::format(
      "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE state = 'idle'"
      " AND backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY state_change LIMIT {})"
      " AS idle_for_longest",
      surplus);
  check.fix = psql_command(input, std::array{statement}) +
              "  # then make the pools of the programs smaller, or raise max_connections";
  return check;
}

Check check_long_transactions(const HealthInput& input) {
  constexpr std::string_view id = "postgresql.long_transactions";
  if (!input.facts.sees_statistics) return not_permitted(id, input, "pg_monitor", "the sessions of others");
  std::vector<Finding> findings = find_sessions(input, "xact_start", "state NOT LIKE 'idle in transaction%'",
                                                input.options.transaction_max);
  for (Finding& prepared : find_prepared(input)) findings.push_back(std::move(prepared));
  const std::string threshold = fmt::format("none for more than {} s", input.options.transaction_max.count());
  return finding_check(input,
                       {.id = id,
                        .what = "long transactions",
                        .threshold = threshold,
                        .none = "no transaction keeps old rows from being vacuumed",
                        .some = "as long as these are open, nothing that was deleted since is vacuumed"},
                       findings);
}

Check check_idle_in_transaction(const HealthInput& input) {
  constexpr std::string_view id = "postgresql.idle_in_transaction";
  if (!input.facts.sees_statistics) return not_permitted(id, input, "pg_monitor", "the sessions of others");
  std::vector<Finding> findings = find_sessions(input, "state_change", "state LIKE 'idle in transaction%'",
                                                input.options.idle_in_transaction_max);
  const std::string threshold =
      fmt::format("none for more than {} s", input.options.idle_in_transaction_max.count());
  return finding_check(input,
                       {.id = id,
                        .what = "idle in transaction",
                        .threshold = threshold,
                        .none = "nobody leaves a transaction open without working in it",
                        .some = "a transaction is open, with its locks, and nobody works in it"},
                       findings);
}

Check check_blocked_locks(const HealthInput& input) {
  constexpr std::string_view id = "postgresql.blocked_locks";
  if (input.facts.version_number < version_with_wait_start) {
    return health::unknown_check(id, "the server does not say since when a session waits",
                                 "Upgrade to PostgreSQL 14 or later.");
  }
  const std::vector<Waiter> waiters = find_waiters(input);
  const auto limit = static_cast<double>(input.options.lock_wait_max.count());
  const auto waits_long = [&](const Waiter& waiter) { return waiter.seconds > limit; };
  std::vector<Finding> findings;
  for (const Waiter& waiter : waiters) {
    if (!waits_long(waiter)) continue;
    std::string blockers;
    for (const std::int64_t blocker : waiter.blockers) blockers += fmt::format(" {}", blocker);
    findings.push_back({fmt::format("pid {} waits for {}, blocked by pid{}", waiter.pid,
                                    describe_seconds(waiter.seconds), blockers),
                        {}});
  }
  const std::string threshold = fmt::format("none for more than {:g} s", limit);
  Check check = finding_check(input,
                              {.id = id,
                               .what = "sessions wait",
                               .threshold = threshold,
                               .none = "no session waits long for a lock",
                               .some = "sessions wait for locks"},
                              findings);
  std::vector<std::string> statements;
  for (const std::int64_t pid : root_blockers(waiters)) statements.push_back(terminate(pid));
  if (check.status != Status::ok && !statements.empty()) check.fix = psql_command(input, statements);
  return check;
}

}  // namespace nerve::postgresql
