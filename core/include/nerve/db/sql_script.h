// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/dialect.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace nerve::db {

/// One statement of a script, a view into it.
struct ScriptStatement {
  std::string_view sql;  ///< from its first token, without the closing semicolon
  std::size_t line = 0;  ///< of its first token, from 1
};

/// The statements of a script in their order, empty ones left out. The body of a trigger (SQLite) and of a
/// function (PostgreSQL, quoted or BEGIN ATOMIC) belongs to its statement. Throws what SqlScanner throws.
std::vector<ScriptStatement> split_script(std::string_view script, Dialect dialect);

/// Whether a statement begins, ends or divides a transaction, or leaves the database it runs in (ATTACH,
/// DETACH, PRAGMA, DISCARD, and on PostgreSQL SET without LOCAL or CONSTRAINTS), so that it must not stand in
/// a script that runs inside a transaction. Returns the words that say so, such as "COMMIT" or "SET"; empty
/// otherwise.
std::string_view transaction_control(std::string_view statement, Dialect dialect);

}  // namespace nerve::db
