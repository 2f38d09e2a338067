// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/postgresql/health.h"

#include "postgresql/health_checks.h"
#include "postgresql/url.h"

#include "nerve/core/error.h"
#include "nerve/core/shell.h"
#include "nerve/core/text.h"
#include "nerve/db/transaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace nerve::postgresql {

using health::Check;
using health::Checklist;
using health::Report;
using health::Status;

namespace {

struct NamedCheck {
  std::string_view id;
  Check (*make)(const HealthInput& input);  ///< none for postgresql.open, which comes first
};

constexpr std::array checks = {
    NamedCheck{"postgresql.open", nullptr},
    NamedCheck{"postgresql.version", &check_version},
    NamedCheck{"postgresql.superuser", &check_superuser},
    NamedCheck{"postgresql.tls", &check_tls},
    NamedCheck{"postgresql.checksums", &check_checksums},
    NamedCheck{"postgresql.connections", &check_connections},
    NamedCheck{"postgresql.long_transactions", &check_long_transactions},
    NamedCheck{"postgresql.idle_in_transaction", &check_idle_in_transaction},
    NamedCheck{"postgresql.blocked_locks", &check_blocked_locks},
    NamedCheck{"postgresql.transaction_id_age", &check_transaction_id_age},
    NamedCheck{"postgresql.dead_tuples", &check_dead_tuples},
    NamedCheck{"postgresql.autovacuum", &check_autovacuum},
    NamedCheck{"postgresql.invalid_indexes", &check_invalid_indexes},
    NamedCheck{"postgresql.unused_indexes", &check_unused_indexes},
    NamedCheck{"postgresql.duplicate_indexes", &check_duplicate_indexes},
    NamedCheck{"postgresql.foreign_key_indexes", &check_foreign_key_indexes},
    NamedCheck{"postgresql.sequences", &check_sequences},
    NamedCheck{"postgresql.default_partition_rows", &check_default_partition_rows},
    NamedCheck{"postgresql.replication_lag", &check_replication_lag},
    NamedCheck{"postgresql.replication_slots", &check_replication_slots},
    NamedCheck{"postgresql.wal_archiving", &check_wal_archiving},
    NamedCheck{"postgresql.slow_statements", &check_slow_statements},
};

constexpr std::array<std::string_view, checks.size()> ids = [] {
  std::array<std::string_view, checks.size()> list{};
  for (std::size_t index = 0; index < checks.size(); ++index) list[index] = checks[index].id;
  return list;
}();

ServerFacts read_facts(CatalogueOnly database) {
  const auto [version, number, role, superuser, statistics, recovery] =
      database.read([](db::Transaction& transaction) {
        return transaction.one<std::string, int, std::string, bool, bool, bool>(
            "SELECT current_setting('server_version'),"
            " CAST(current_setting('server_version_num') AS integer), quote_ident(current_user),"
            " current_setting('is_superuser') = 'on',"
            " pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), pg_is_in_recovery()");
      });
  return {.version = version,
          .version_number = number,
          .quoted_role = role,
          .is_superuser = superuser,
          .sees_statistics = statistics,
          .is_in_recovery = recovery};
}

/// Connects, and sets `facts` where that succeeds.
Check open(CatalogueOnly database, const HealthOptions& options, std::optional<ServerFacts>& facts) {
  Check check{.id = std::string(ids.front()),
              .status = Status::ok,
              .value = {},
              .threshold = fmt::format("at most {} ms", options.open_max.count()),
              .message = "the server answers",
              .fix = {}};
  const auto start = std::chrono::steady_clock::now();
  try {
    facts = read_facts(database);
  } catch (const CancelledError&) {
    throw;
  } catch (const Error& error) {
    check.status = Status::critical;
    check.value = "failed";
    check.message = error.what();
    check.fix = error.hint();
    return check;
  }
  const auto elapsed = std::chrono::steady_clock::now() - start;
  check.value = format_duration(elapsed);
  check.number = std::chrono::duration<double>(elapsed).count();
  check.unit = "seconds";
  if (elapsed > options.open_max) {
    check.status = Status::warning;
    check.message = "the server takes long to answer";
    check.fix = "Look at the load of the server and of the network in between.";
  }
  return check;
}

std::string psql_for(const std::string& url, std::span<const std::string> statements) {
  std::string command = "psql " + shell_quoted(url);
  for (const std::string& statement : statements) command += " -c " + shell_quoted(statement);
  return command;
}

const std::string& url_of(const HealthInput& input) {
  return input.options.url.empty() ? input.database.name() : input.options.url;
}

}  // namespace

Check finding_check(const HealthInput& input, const Wording& wording, const std::vector<Finding>& findings) {
  Check check{.id = std::string(wording.id),
              .status = Status::ok,
              .value = fmt::format("{} {}", findings.size(), wording.what),
              .threshold = std::string(wording.threshold),
              .message = std::string(wording.none),
              .fix = {},
              .number = static_cast<double>(findings.size()),
              .unit = "count"};
  if (findings.empty()) return check;
  std::vector<std::string> names;
  std::vector<std::string> statements;
  for (const Finding& finding : findings) {
    names.push_back(finding.text);
    if (!finding.statement.empty()) statements.push_back(finding.statement);
  }
  check.status = Status::warning;
  check.message = fmt::format("{}: {}", wording.some, list_names(names));
  if (!statements.empty()) check.fix = psql_command(input, statements);
  return check;
}

std::string psql_command(const HealthInput& input, std::span<const std::string> statements) {
  return psql_for(url_of(input), statements);
}

std::string psql_command(const HealthInput& input, const std::string& database,
                         std::span<const std::string> statements) {
  backends::PostgresqlUrl url = backends::parse_postgresql_url(url_of(input));
  url.database = database;
  return psql_for(url.to_url(), statements);
}

std::string administrator_command(const HealthInput& input, std::span<const std::string> statements) {
  backends::PostgresqlUrl url = backends::parse_postgresql_url(url_of(input));
  url.user = "postgres";
  return psql_for(url.to_url(), statements);
}

Check not_permitted(std::string_view id, const HealthInput& input, const std::string& privilege,
                    std::string_view what) {
  const std::string grant = fmt::format("GRANT {} TO {}", privilege, input.facts.quoted_role);
  return health::unknown_check(id, fmt::format("the role {} may not see {}", input.facts.quoted_role, what),
                               administrator_command(input, std::array{grant}));
}

std::string describe_seconds(double seconds) {
  constexpr double largest = 1e9;  // beyond it nanoseconds overflow
  return format_duration(std::chrono::seconds(std::llround(std::min(std::max(seconds, 0.0), largest))));
}

std::string is_user_schema(std::string_view name) {
  return fmt::format(
      "{0} NOT IN ('pg_catalog', 'information_schema') AND {0} NOT LIKE 'pg\\_toast%' AND {0} NOT LIKE "
      "'pg\\_temp%'",
      name);
}

std::span<const std::string_view> health_check_ids() noexcept {
  return ids;
}

Report check_health(db::Database& database, const HealthOptions& options, const Clock& clock) {
  Report report;
  report.target = database.name();
  Checklist list(report, options.skip);
  std::optional<ServerFacts> facts;
  const CatalogueOnly catalogues(database);
  const Check opened = open(catalogues, options, facts);
  list.add(opened);
  if (!facts) {
    list.add_unknown(std::span(ids).subspan(1), health::reason_of(opened));
    return report;
  }
  const HealthInput input{.database = catalogues, .facts = *facts, .options = options, .clock = clock};
  for (const NamedCheck& check : std::span(checks).subspan(1)) {
    list.attempt(check.id, [&] { return check.make(input); });
  }
  return report;
}

}  // namespace nerve::postgresql
