// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"
#include "nerve/convert/profile.h"

namespace nerve::convert {

/// Counts the value of one column in the present row, and returns about how many octets COPY sends for it.
std::int64_t count_value(const sqlite::Row& row, int column, const ColumnInterest& interest,
                         ColumnProfile& profile);

}  // namespace nerve::convert
