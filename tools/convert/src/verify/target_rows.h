// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/postgresql/session.h"
#include "nerve/convert/plan.h"
#include "nerve/core/bytes.h"

#include <functional>
#include <string>

namespace nerve::convert {

/// Runs a binary COPY … TO STDOUT and hands on its rows, without header and trailer. Throws IntegrityError
/// where the server sends something else.
void each_target_row(postgresql::Session& target, const std::string& copy_sql,
                     const std::function<void(ByteView)>& on_row);

/// A row of binary COPY with the values of its columns as JSON, for people.
Json decode_row(const TablePlan& table, ByteView row);

}  // namespace nerve::convert
