// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "postgresql/result.h"

#include <chrono>
#include <string>

namespace nerve::backends {

/// What the server answers to the first statement of a connection or of a transaction, as PQexec() does. A
/// proxy that pools connections takes the statement at once, and lets it wait until a server process is free:
/// that ends after `limit` (0: never) with ConnectionError, and at the first signal with CancelledError.
/// `database` is named in the message. After either the connection can only be closed.
Result first_answer(PGconn* connection, const std::string& sql, std::chrono::seconds limit,
                    const std::string& database);

}  // namespace nerve::backends
