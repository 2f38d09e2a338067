// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/row_reader.h"

#include <string>

namespace nerve::convert {

/// A line of the rejects file, without its end: table, rowid, column, storage class, type, reason, what was
/// done, and the row. docs/converting.md names the fields.
std::string reject_line(const TablePlan& table, const Reject& reject, const Json& whole);

}  // namespace nerve::convert
