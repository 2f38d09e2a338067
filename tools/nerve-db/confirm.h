// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/output.h"

#include <string_view>

namespace nerve::cli {

/// Throws ValidationError when `yes` is false and nobody can be asked, because input or talk is no terminal.
/// Called before work begins whose last step needs a yes.
void require_answerable(bool yes);

/// Asks "QUESTION [y/N] " on the terminal; only y and yes are a yes. Throws CancelledError when interrupted,
/// and ValidationError where there is no terminal.
bool confirm(Output& output, std::string_view question);

}  // namespace nerve::cli
