// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/postgres_server.h"

#include "nerve/backends/postgresql/health.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

struct pg_conn;

namespace nerve::test {

/// The server that the tests make ill: without checksums, with an archive that fails until it is mended, few
/// connections, TLS, and pg_stat_statements.
PostgresServer& ill_server();

/// The checks as the role that `url` names, or as the one of a URL in `options`.
health::Report check_postgresql(const std::string& url, postgresql::HealthOptions options = {},
                                const Clock& clock = system_clock());

const health::Check& find_check(const health::Report& report, std::string_view id);
/// One check alone.
health::Check check_one(const std::string& url, std::string_view id,
                        const postgresql::HealthOptions& options = {});

/// Asks again until the status is this one, at most some seconds: what other processes do takes time to be
/// seen.
health::Check wait_for_status(const std::string& url, std::string_view id, health::Status status,
                              const postgresql::HealthOptions& options = {});

/// Runs the fix of a check in a shell, as a person would, and requires that it ends well.
void run_fix(const health::Check& check);
void run_command(const std::string& command);

/// A session of another program.
class OtherSession {
 public:
  explicit OtherSession(const std::string& url);

  /// Runs statements to their end.
  void run(const std::string& sql);
  /// Sends statements and does not wait for their end.
  void send(const std::string& sql);

 private:
  struct Close {
    void operator()(::pg_conn* connection) const noexcept;
  };
  std::unique_ptr<::pg_conn, Close> connection_;
};

}  // namespace nerve::test
