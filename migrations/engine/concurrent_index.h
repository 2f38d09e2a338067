// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/schema_session.h"

#include <chrono>
#include <string_view>

namespace nerve::migrations {

/// Runs a statement that PostgreSQL permits only outside of a transaction.
///
/// CREATE INDEX CONCURRENTLY leaves an invalid index behind when it fails, and IF NOT EXISTS accepts that
/// one: so an invalid index of the name is dropped first, the result is checked, and after a failure nothing
/// is left. With `was_cut_off`, an earlier run may have got through without recording it: a valid index of
/// the name then stands for the statement, and so does a missing one for DROP INDEX.
void run_concurrently(db::SchemaSession& session, std::string_view statement,
                      std::chrono::milliseconds lock_timeout, bool was_cut_off);

}  // namespace nerve::migrations
