// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/convert/plan.h"
#include "nerve/core/bytes.h"

#include <cstddef>

namespace nerve::convert {

/// Whether a table has so many columns that a row of them may not fit into a page of PostgreSQL.
bool may_exceed_page(const TablePlan& table) noexcept;

/// Whether a row in the format of binary COPY fits into a page, when all that can be stored elsewhere is.
bool fits_page(const TablePlan& table, ByteView row) noexcept;

}  // namespace nerve::convert
