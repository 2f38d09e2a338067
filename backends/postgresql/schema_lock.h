// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/connection.h"

#include <chrono>
#include <memory>
#include <string>

namespace nerve::backends {

class PostgresqlConnection;

/// Takes the lock of Database::lock_schema with a connection that is used for nothing else: an advisory lock
/// of a transaction that stays open.
///
/// Throws UnsupportedError where the session is shared: the lock itself would hold, since a proxy keeps the
/// server process for as long as the transaction lasts, but what runs under it needs sessions. The
/// transaction has no snapshot between its statements, so it holds up neither VACUUM nor CREATE INDEX
/// CONCURRENTLY.
std::unique_ptr<db::SchemaLock> lock_with_transaction(std::unique_ptr<PostgresqlConnection> connection,
                                                      const std::string& database,
                                                      std::chrono::milliseconds wait);

}  // namespace nerve::backends
