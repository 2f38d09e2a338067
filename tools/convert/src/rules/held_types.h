// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/source_schema.h"
#include "rules/rule_errors.h"

#include "nerve/backends/sqlite/session.h"
#include "nerve/convert/profile.h"

#include <vector>

namespace nerve::convert {

/// Counts, for each column that a rule holds to another type than the values would be given, the values that
/// do not fit it, by reading these columns once more: what a profile cannot tell must not be guessed.
///
/// A type that somebody ruled and that no value fits is added to `errors`.
void count_held_misfits(sqlite::Session& session, const SourceSchema& schema,
                        std::vector<TableProfile>& profiles, RuleErrors& errors);

}  // namespace nerve::convert
