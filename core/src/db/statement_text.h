// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/connection.h"

#include <string_view>

namespace nerve::db {

/// Reads one statement as the port accepts it: finds its parameters, strips comments and makes its
/// fingerprint.
///
/// Refused with ValidationError, because the backends would read them differently or they would break the
/// transaction: several statements, `?`, `$1` and `@name` parameters, `::` casts, dollar quotes and backslash
/// escapes, an unterminated quote or comment, a NUL, transaction control, ATTACH, DETACH, PRAGMA and VACUUM.
StatementText parse_statement(std::string_view sql);

}  // namespace nerve::db
