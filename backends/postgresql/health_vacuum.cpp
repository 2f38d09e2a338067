// SPDX-License-Identifier: Apache-2.0
#include "postgresql/health_checks.h"

#include "nerve/core/text.h"
#include "nerve/db/transaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

/// Checks of what VACUUM has to do.
namespace nerve::postgresql {

using health::Check;
using health::Status;

namespace {

constexpr double transaction_ids_total = 2'147'483'648.0;
/// What autovacuum is set to where it waits for too many dead rows.
constexpr std::int64_t dead_rows_proposed = 100'000;

struct DatabaseAge {
  std::string name;
  std::int64_t age = 0;  ///< the greater of those of transaction ids and of multixact ids
  bool is_open = false;
};

std::vector<DatabaseAge> find_database_ages(const HealthInput& input) {
  std::vector<DatabaseAge> ages;
  input.database.read([&](db::Transaction& transaction) {
    ages.clear();
    transaction.each<std::string, std::int64_t, bool>(
        "SELECT datname, CAST(greatest(age(datfrozenxid), mxid_age(datminmxid)) AS bigint), datallowconn"
        " FROM pg_database ORDER BY 2 DESC, 1 LIMIT :objects_max",
        {{"objects_max", objects_max}}, [&](std::string name, std::int64_t age, bool is_open) {
          ages.push_back({std::move(name), age, is_open});
        });
  });
  return ages;
}

std::string vacuumed_text(const std::optional<double>& seconds) {
  return seconds ? fmt::format("last vacuum {} ago", describe_seconds(*seconds)) : "never vacuumed";
}

/// Tables that autovacuum leaves out, or lets wait for more dead rows than is good.
std::vector<Finding> find_neglected_tables(const HealthInput& input) {
  std::vector<Finding> findings;
  const std::int64_t dead_rows_max = input.options.dead_rows_before_vacuum_max;
  input.database.read([&](db::Transaction& transaction) {
    findings.clear();
    transaction.each<std::string, bool, std::int64_t>(
        "SELECT format('%I.%I', t.schemaname, t.relname), t.is_enabled,"
        " CAST(t.base + t.scale * t.n_live_tup AS bigint) FROM ("
        "SELECT s.schemaname, s.relname, s.n_live_tup, s.n_tup_upd + s.n_tup_del AS changes,"
        " coalesce(CAST(o.enabled AS boolean), true) AS is_enabled,"
        " CAST(coalesce(o.base, current_setting('autovacuum_vacuum_threshold')) AS double precision) AS base,"
        " CAST(coalesce(o.scale, current_setting('autovacuum_vacuum_scale_factor')) AS double precision)"
        " AS scale"
        " FROM pg_stat_user_tables AS s JOIN pg_class AS c ON c.oid = s.relid"
        " LEFT JOIN LATERAL (SELECT"
        " max(option_value) FILTER (WHERE option_name = 'autovacuum_enabled') AS enabled,"
        " max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_threshold') AS base,"
        " max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_scale_factor') AS scale"
        " FROM pg_options_to_table(c.reloptions)) AS o ON true) AS t"
        " WHERE t.changes >= :changes_min"
        " AND (NOT t.is_enabled OR t.base + t.scale * t.n_live_tup > :dead_rows_max)"
        " ORDER BY t.changes DESC LIMIT :objects_max",
        {{"changes_min", input.options.hot_table_changes},
         {"dead_rows_max", dead_rows_max},
         {"objects_max", objects_max}},
        [&](const std::string& table, bool is_enabled, std::int64_t dead_rows) {
          if (!is_enabled) {
            findings.push_back(
                {table + " is left out", fmt::format("ALTER TABLE {} RESET (autovacuum_enabled)", table)});
            return;
          }
          findings.push_back({fmt::format("{} waits for {} dead rows", table, format_count(dead_rows)),
                              fmt::format("ALTER TABLE {} SET (autovacuum_vacuum_scale_factor = 0, "
                                          "autovacuum_vacuum_threshold = {})",
                                          table, std::min(dead_rows_proposed, dead_rows_max))});
        });
  });
  return findings;
}

}  // namespace

Check check_transaction_id_age(const HealthInput& input) {
  const std::vector<DatabaseAge> ages = find_database_ages(input);
  const HealthOptions& options = input.options;
  const std::int64_t oldest = ages.front().age;
  Check check{.id = "postgresql.transaction_id_age",
              .status = Status::ok,
              .value = fmt::format("{} ({:.1f} %)", format_count(oldest),
                                   100.0 * static_cast<double>(oldest) / transaction_ids_total),
              .threshold = "at most " + format_count(options.transaction_ids_max),
              .message = fmt::format("the oldest row not frozen is in {}", ages.front().name),
              .fix = {},
              .number = static_cast<double>(oldest),
              .unit = "count"};
  if (oldest <= options.transaction_ids_max) return check;
  check.status = oldest > options.transaction_ids_critical ? Status::critical : Status::warning;
  std::vector<std::string> names;
  for (const DatabaseAge& database : ages) {
    if (database.age <= options.transaction_ids_max) break;
    names.push_back(fmt::format("{} ({})", database.name, format_count(database.age)));
    if (!database.is_open) continue;
    check.fix += check.fix.empty() ? "" : " && ";
    check.fix += psql_command(input, database.name, std::array<std::string, 1>{"VACUUM (FREEZE)"});
  }
  check.message =
      "autovacuum does not keep up; the server stops writing before the ids run out: " + list_names(names);
  if (check.fix.empty()) {
    check.fix = "Find out what keeps autovacuum from it: an old transaction, replication slot or replica.";
  }
  return check;
}

Check check_dead_tuples(const HealthInput& input) {
  std::vector<Finding> findings;
  input.database.read([&](db::Transaction& transaction) {
    findings.clear();
    transaction.each<std::string, std::int64_t, std::int64_t, std::optional<double>>(
        "SELECT format('%I.%I', schemaname, relname), n_dead_tup, n_dead_tup + n_live_tup,"
        " CAST(extract(epoch FROM clock_timestamp() - greatest(last_vacuum, last_autovacuum)) AS double "
        "precision)"
        " FROM pg_stat_user_tables WHERE n_dead_tup > :ignored"
        " AND 100.0 * n_dead_tup > CAST(:percent AS double precision) * (n_dead_tup + n_live_tup)"
        " ORDER BY n_dead_tup DESC, 1 LIMIT :objects_max",
        {{"ignored", input.options.dead_rows_ignored},
         {"percent", input.options.dead_rows_max_percent},
         {"objects_max", objects_max}},
        [&](const std::string& table, std::int64_t dead, std::int64_t all, const std::optional<double>& age) {
          findings.push_back({fmt::format("{} with {} of {} rows, {}", table, format_count(dead),
                                          format_count(all), vacuumed_text(age)),
                              fmt::format("VACUUM (ANALYZE) {}", table)});
        });
  });
  const std::string threshold =
      fmt::format("at most {:g} % of a table, or {} rows", input.options.dead_rows_max_percent,
                  format_count(input.options.dead_rows_ignored));
  return finding_check(input,
                       {.id = "postgresql.dead_tuples",
                        .what = "tables",
                        .threshold = threshold,
                        .none = "dead rows are vacuumed in time",
                        .some = "dead rows take space and time"},
                       findings);
}

Check check_autovacuum(const HealthInput& input) {
  std::vector<Finding> findings = find_neglected_tables(input);
  const auto [is_on, is_counting] = input.database.read([](db::Transaction& transaction) {
    return transaction.one<bool, bool>(
        "SELECT current_setting('autovacuum') = 'on', current_setting('track_counts') = 'on'");
  });
  const bool is_running = is_on && is_counting;
  if (!is_on) findings.insert(findings.begin(), {"it is off", "ALTER SYSTEM SET autovacuum = on"});
  if (!is_counting) {
    findings.insert(findings.begin(), {"track_counts is off", "ALTER SYSTEM SET track_counts = on"});
  }
  const std::string threshold = fmt::format("on, and hot tables wait for at most {} dead rows",
                                            format_count(input.options.dead_rows_before_vacuum_max));
  Check check = finding_check(input,
                              {.id = "postgresql.autovacuum",
                               .what = "findings",
                               .threshold = threshold,
                               .none = "autovacuum is on, and hot tables do not wait for too long",
                               .some = "autovacuum does not do its work"},
                              findings);
  if (!is_running) {
    check.status = Status::critical;
    check.fix += " -c 'SELECT pg_reload_conf()'";
  }
  return check;
}

}  // namespace nerve::postgresql
