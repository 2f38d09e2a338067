// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/migrations/lint.h"

#include <string_view>

namespace nerve::migrations {

/// The rule of that name, which exists.
const LintRule& lint_rule(std::string_view name);

}  // namespace nerve::migrations
