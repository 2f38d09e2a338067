// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/range.h"
#include "target/table_sql.h"
#include "values/row_digest.h"

#include "nerve/backends/postgresql/session.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/convert/plan.h"

#include <functional>
#include <string>

namespace nerve::convert {

/// Is called with each row in the format of binary COPY, all its columns, and its digest.
using OnDigest = std::function<void(const RowDigest& digest, ByteView row)>;

/// Rows of the source that can be stored as planned.
void each_source_digest(sqlite::Session& source, const TablePlan& table, const Range& range,
                        const OnDigest& on_digest);

/// Rows of the target.
void each_target_digest(postgresql::Session& target, const TablePlan& table, const std::string& schema,
                        const BlockRange& blocks, const OnDigest& on_digest);

}  // namespace nerve::convert
