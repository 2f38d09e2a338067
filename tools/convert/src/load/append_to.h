// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "target/step_runner.h"

#include <functional>
#include <string_view>

namespace nerve::convert {

/// Does what the rules of tables may refuse that were there before, such as their keys. The DatabaseError
/// that says so names `what`, "table users", as that to which cannot be appended, and says what is left of
/// it.
void append_to(std::string_view what, Transactions transactions, const std::function<void()>& work);

}  // namespace nerve::convert
