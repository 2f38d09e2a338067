// SPDX-License-Identifier: Apache-2.0
#include "postgresql/health_checks.h"
#include "postgresql/releases.h"

#include "nerve/core/text.h"
#include "nerve/db/transaction.h"

#include <fmt/format.h>

#include <array>
#include <optional>

/// Checks of the server itself and of the way to it.
namespace nerve::postgresql {

using health::Check;
using health::Status;

namespace {

constexpr int numbers_of_major = 10'000;

/// Client connections from other machines that go over the wire as they are.
constexpr std::string_view is_open_to_readers =
    " NOT s.ssl AND NOT coalesce(g.encrypted, false) AND a.client_addr IS NOT NULL"
    " AND (:loopback_counts OR NOT (a.client_addr <<= inet '127.0.0.0/8' OR a.client_addr = inet '::1'))";

struct OpenConnections {
  std::int64_t count = 0;
  std::string names;
  bool is_own = false;
};

OpenConnections find_open_connections(const HealthInput& input) {
  const bool loopback_counts = !input.options.is_loopback_trusted;
  return input.database.read([&](db::Transaction& transaction) {
    const auto [count, names, own] =
        transaction.one<std::int64_t, std::optional<std::string>, std::optional<bool>>(
            "SELECT count(*), string_agg(DISTINCT a.usename || ' from ' || host(a.client_addr), ', '),"
            " bool_or(a.pid = pg_backend_pid())"
            " FROM pg_stat_activity AS a JOIN pg_stat_ssl AS s ON s.pid = a.pid"
            " LEFT JOIN pg_stat_gssapi AS g ON g.pid = a.pid"
            " WHERE (a.backend_type = 'client backend' OR a.pid = pg_backend_pid()) AND" +
                std::string(is_open_to_readers),
            {{"loopback_counts", loopback_counts}});
    return OpenConnections{count, names.value_or(""), own.value_or(false)};
  });
}

}  // namespace

Check check_version(const HealthInput& input) {
  const int major_version = input.facts.version_number / numbers_of_major;
  const std::optional<Timestamp> end = end_of_life(major_version);
  Check check{.id = "postgresql.version",
              .status = Status::ok,
              .value = input.facts.version,
              .threshold = "a maintained release",
              .message = "the release is maintained",
              .fix = {}};
  if (end) check.message = fmt::format("the release is maintained until {}", end->to_text().substr(0, 10));
  if (end && *end < input.clock.now()) {
    check.status = Status::warning;
    check.message = fmt::format("PostgreSQL {} is not maintained any more since {}", major_version,
                                end->to_text().substr(0, 10));
    check.fix = "Upgrade to a newer major version with pg_upgrade, or by dump and restore.";
  }
  if (const std::string_view fault = known_fault(input.facts.version_number); !fault.empty()) {
    check.status = Status::warning;
    check.message = fault;
    check.fix = "Install the newest minor release of this major version, and restart the server.";
  }
  return check;
}

Check check_superuser(const HealthInput& input) {
  Check check{.id = "postgresql.superuser",
              .status = Status::ok,
              .value = input.facts.quoted_role,
              .threshold = "not a superuser",
              .message = fmt::format("the role {} is no superuser", input.facts.quoted_role),
              .fix = {}};
  if (!input.facts.is_superuser) return check;
  constexpr std::string_view monitor = "nerve_monitor";
  const bool exists = input.database.read([&](db::Transaction& transaction) {
    return transaction.one<bool>("SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = :name)",
                                 {{"name", monitor}});
  });
  std::vector<std::string> statements;
  if (!exists) statements.push_back(fmt::format("CREATE ROLE {} LOGIN", monitor));
  statements.push_back(fmt::format("GRANT pg_monitor TO {}", monitor));
  check.status = Status::warning;
  check.message = fmt::format("the role {} is a superuser: whoever has its password has all data",
                              input.facts.quoted_role);
  check.fix = psql_command(input, statements) + fmt::format("  # then connect as {}", monitor);
  return check;
}

Check check_tls(const HealthInput& input) {
  const OpenConnections open = find_open_connections(input);
  Check check{.id = "postgresql.tls",
              .status = Status::ok,
              .value = fmt::format("{} unencrypted", open.count),
              .threshold = "no connection from another machine",
              .message = input.facts.sees_statistics
                             ? "no connection from another machine goes unencrypted"
                             : "this connection is local or encrypted; those of others are not seen",
              .fix = {},
              .number = static_cast<double>(open.count),
              .unit = "count"};
  if (open.count == 0) return check;
  const bool server_has_tls = input.database.read([](db::Transaction& transaction) {
    return transaction.one<bool>("SELECT current_setting('ssl') = 'on'");
  });
  check.status = Status::warning;
  check.message = fmt::format("what these send and read can be seen on the network: {}", open.names);
  if (server_has_tls) {
    check.fix = open.is_own
                    ? "Add ?sslmode=verify-full to the URL, and write hostssl for host in pg_hba.conf."
                    : "Write hostssl for host in pg_hba.conf, so that the server refuses such connections.";
  } else {
    check.fix = psql_command(input, std::array<std::string, 2>{"ALTER SYSTEM SET ssl = on",
                                                               "SELECT pg_reload_conf()"}) +
                "  # server.crt and server.key must be in the data directory";
  }
  return check;
}

Check check_checksums(const HealthInput& input) {
  const auto [is_on, folder] = input.database.read([](db::Transaction& transaction) {
    const bool on = transaction.one<bool>("SELECT current_setting('data_checksums') = 'on'");
    // Not among the rows for a role that may not see it.
    const auto directory =
        transaction.maybe<std::string>("SELECT setting FROM pg_settings WHERE name = 'data_directory'");
    return std::pair(on, directory.value_or("the data directory"));
  });
  Check check{.id = "postgresql.checksums",
              .status = Status::ok,
              .value = is_on ? "on" : "off",
              .threshold = "on",
              .message = "each page has a checksum, so damage on disk is noticed",
              .fix = {}};
  if (is_on) return check;
  check.status = Status::warning;
  check.message = "pages have no checksums: damage on disk is noticed late or never";
  check.fix = fmt::format("Stop the server, run 'pg_checksums --enable --pgdata {}', and start it.", folder);
  return check;
}

}  // namespace nerve::postgresql
