// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/dialect.h"

#include <string>
#include <string_view>

namespace nerve {

/// A database as people name it: `sqlite:PATH`, a bare path, or `postgresql://…`.
struct DatabaseUrl {
  db::Dialect engine = db::Dialect::sqlite;
  std::string location;  ///< the path of the file; for PostgreSQL the whole URL
};

/// Tells which engine is meant. Nothing is opened, and what stands behind `postgresql://` is looked at only
/// by those who open it.
///
/// Throws ValidationError for a text that cannot be either: another scheme, a misspelt PostgreSQL URL,
/// libpq's `key=value` form. Such a text may hold a password, so the message repeats nothing of it but the
/// scheme.
DatabaseUrl parse_database_url(std::string_view text);

}  // namespace nerve
