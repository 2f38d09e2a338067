// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/migrations/migrator.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace nerve::migrations {

/// What an earlier run left incomplete, and then what is pending of the target's closure, or all.
std::vector<Step> plan_up(const SchemaState& state, const MigrationSet& set,
                          const std::optional<Reference>& target);

/// The last applied ones, newest first.
std::vector<Step> plan_down(const SchemaState& state, std::size_t count,
                            const std::optional<Reference>& target);

}  // namespace nerve::migrations
