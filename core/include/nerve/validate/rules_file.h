// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/validate/rules.h"

#include <cstddef>
#include <string_view>

namespace nerve::validate {

inline constexpr std::size_t rules_fields_max = 1000;  ///< that one object of a rules file may state

/// Reads a RuleSet that is stated in JSON, as docs/validation.md specifies: all rules of rules.h but those
/// that are predicates of the program. `name` is that of the file, for messages.
///
/// Throws ValidationError "NAME:LINE:COLUMN: …" for what is not JSON, and "rules file NAME: 2 fields are
/// wrong" with a violation for each mistake, whose field is its path in the file ("fields.age.range").
RuleSet parse_rules(std::string_view text, std::string_view name);

}  // namespace nerve::validate
