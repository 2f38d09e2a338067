// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/postgresql/session.h"
#include "nerve/core/error.h"

#include <functional>
#include <string>

namespace nerve::convert {

/// Whether the server objects to the statement or to the rows, not to the moment.
bool is_refusal(const DatabaseError& error);

/// Does what the server may refuse, inside a transaction that stays usable. Returns why it refused; empty
/// where it was done. Other errors are thrown.
std::string refusal_of(postgresql::Session& session, const std::function<void()>& work);

}  // namespace nerve::convert
