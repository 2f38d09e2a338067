// SPDX-License-Identifier: Apache-2.0
#include "backends/postgresql_health_scene.h"

#include "support/process.h"

#include "nerve/backends/open.h"

#include <doctest/doctest.h>
#include <libpq-fe.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace nerve::test {

PostgresServer& ill_server() {
  static PostgresServer server({.listen_on_tcp = true,
                                .use_tls = true,
                                .settings = {{"archive_mode", "on"},
                                             {"archive_command", "/bin/false"},
                                             {"max_connections", "20"},
                                             {"max_prepared_transactions", "5"},
                                             {"shared_preload_libraries", "pg_stat_statements"}}});
  return server;
}

health::Report check_postgresql(const std::string& url, postgresql::HealthOptions options,
                                const Clock& clock) {
  const auto database = open_database(url, {.read_only = true});
  if (options.url.empty()) options.url = url;
  return postgresql::check_health(*database, options, clock);
}

const health::Check& find_check(const health::Report& report, std::string_view id) {
  const auto found = std::ranges::find(report.checks, id, &health::Check::id);
  REQUIRE(found != report.checks.end());
  return *found;
}

health::Check check_one(const std::string& url, std::string_view id,
                        const postgresql::HealthOptions& options) {
  postgresql::HealthOptions others_skipped = options;
  for (const std::string_view other : postgresql::health_check_ids()) {
    if (other != id) others_skipped.skip.emplace(other);
  }
  const health::Report report = check_postgresql(url, others_skipped);
  REQUIRE(report.checks.size() == 1);
  return report.checks.front();
}

health::Check wait_for_status(const std::string& url, std::string_view id, health::Status status,
                              const postgresql::HealthOptions& options) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  health::Check check = check_one(url, id, options);
  while (check.status != status && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    check = check_one(url, id, options);
  }
  INFO(check.message);
  CHECK(check.status == status);
  return check;
}

void run_command(const std::string& command) {
  INFO(command);
  const ProcessResult result = run_process({"sh", "-c", command});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
}

void run_fix(const health::Check& check) {
  run_command(check.fix);
}

OtherSession::OtherSession(const std::string& url) : connection_(::PQconnectdb(url.c_str())) {
  if (::PQstatus(connection_.get()) != CONNECTION_OK) {
    throw std::runtime_error(::PQerrorMessage(connection_.get()));
  }
}

void OtherSession::run(const std::string& sql) {
  ::PGresult* result = ::PQexec(connection_.get(), sql.c_str());
  const ::ExecStatusType status = ::PQresultStatus(result);
  ::PQclear(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw std::runtime_error(::PQerrorMessage(connection_.get()));
  }
}

void OtherSession::send(const std::string& sql) {
  if (::PQsendQuery(connection_.get(), sql.c_str()) != 1) {
    throw std::runtime_error(::PQerrorMessage(connection_.get()));
  }
}

void OtherSession::Close::operator()(::pg_conn* connection) const noexcept {
  ::PQfinish(connection);
}

}  // namespace nerve::test
