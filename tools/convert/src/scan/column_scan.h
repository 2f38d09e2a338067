// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"
#include "nerve/convert/profile.h"

namespace nerve::convert {

/// Counts a value of a column, and returns about how many octets COPY sends for it.
std::int64_t count_value(const sqlite::Value& value, const ColumnInterest& interest, ColumnProfile& profile);

}  // namespace nerve::convert
