// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/source_schema.h"

#include "nerve/backends/sqlite/session.h"
#include "nerve/convert/plan.h"

#include <vector>

namespace nerve::convert {

/// Counts the rows whose foreign keys name no row. Where the table or the key that a foreign key names is
/// none, it has no equal and is told elsewhere; SQLite then checks none of its table's. Keys by collations
/// that only the application has cannot be looked up, and are not counted; nor are those of a table that has
/// one with a generated column that cannot be computed.
std::vector<Orphans> find_orphans(sqlite::Session& session, const SourceSchema& schema);

}  // namespace nerve::convert
