// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/output.h"

#include <string_view>

namespace nerve::cli {

/// Whether there is somebody to ask: input and talk are a terminal, and no program reads the talk as JSON.
bool can_ask(const Output& output) noexcept;

/// Throws ValidationError with this hint when `yes` is false and nobody can be asked. Called before work
/// begins whose last step needs a yes.
void require_answerable(const Output& output, bool yes, std::string_view hint = "Add --yes to do it.");

/// Asks "QUESTION [y/N] " on the terminal; only y and yes are a yes. Throws CancelledError when interrupted,
/// and ValidationError where nobody can be asked.
bool confirm(Output& output, std::string_view question);

}  // namespace nerve::cli
