// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <string>
#include <string_view>

namespace nerve::backends {

/// Throws what a failed result means, or where `result` is null or has no SQLSTATE, what the connection's
/// last error means. The server's own text is passed on only for `preparing`, when no value was bound yet;
/// otherwise names of constraint, table and column are.
[[noreturn]] void throw_postgresql_error(PGconn* connection, const PGresult* result,
                                         const std::string& database, bool preparing);

/// Throws ConnectionError for a connection that could not be made. `text` is libpq's.
[[noreturn]] void throw_connect_error(std::string_view text, const std::string& database);

}  // namespace nerve::backends
