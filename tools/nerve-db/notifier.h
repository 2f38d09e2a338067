// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/json.h"

#include <string>
#include <vector>

namespace nerve::cli {

/// Runs a program of the user's and hands it one JSON document on standard input; no shell is involved. Its
/// output goes nowhere. Throws Error when it cannot be started, fails, or does not end within 30 seconds.
void notify(const std::vector<std::string>& command, const Json& message);

}  // namespace nerve::cli
