// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/postgresql/session.h"
#include "nerve/convert/plan.h"
#include "nerve/core/bytes.h"

#include <functional>
#include <string>

namespace nerve::convert {

/// Reads all rows of a table of the target, in no order, as binary COPY gives them: without header and
/// trailer. Throws IntegrityError where the server sends something else.
void each_target_row(postgresql::Session& target, const TablePlan& table, const std::string& schema,
                     const std::function<void(ByteView)>& on_row);

/// A row of binary COPY with the values of its columns as JSON, for people.
Json decode_row(const TablePlan& table, ByteView row);

}  // namespace nerve::convert
