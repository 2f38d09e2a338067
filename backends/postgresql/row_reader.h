// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/connection.h"

#include <libpq-fe.h>

#include <cstdint>
#include <string>

namespace nerve::backends {

/// Reads one value of a row as `type`; what is decoded is kept in `decoded`. Throws DatabaseError for a value
/// of another type.
void read_cell(const PGresult* result, int row, int column, db::ValueType type, db::Cell& cell,
               std::string& decoded);

/// Rows that the statement inserted, updated or deleted; 0 for a query.
std::int64_t rows_changed(PGresult* result);

}  // namespace nerve::backends
