// SPDX-License-Identifier: Apache-2.0
#include "postgresql/first_answer.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

namespace nerve::backends {

namespace {

using Clock = std::chrono::steady_clock;

/// A signal that arrives before poll() begins to wait does not end it, so it looks again this often.
constexpr std::chrono::milliseconds slice{100};

}  // namespace

Result first_answer(PGconn* connection, const std::string& sql, std::chrono::seconds limit,
                    const std::string& database) {
  // The text is short, so it fits the socket, and sending it does not wait.
  if (PQsendQuery(connection, sql.c_str()) != 1) return nullptr;
  const auto end = Clock::now() + limit;
  while (PQisBusy(connection) != 0) {
    throw_if_interrupted();
    if (limit.count() > 0 && Clock::now() >= end) {
      throw ConnectionError(
          fmt::format("{} let a connection wait for {} s and gave it no server process", database,
                      limit.count()),
          "All that its pool has are in use: try later, or give the proxy a larger pool (default_pool_size, "
          "max_db_connections).");
    }
    pollfd socket{.fd = PQsocket(connection), .events = POLLIN, .revents = 0};
    ::poll(&socket, 1, static_cast<int>(slice.count()));
    if (PQconsumeInput(connection) != 1) return nullptr;
  }
  Result last;
  while (Result next = Result(PQgetResult(connection))) last = std::move(next);
  return last;
}

}  // namespace nerve::backends
