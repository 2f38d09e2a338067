// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/names.h"
#include "plan/source_schema.h"
#include "rules/rule_errors.h"
#include "rules/rules_file.h"

#include <string_view>

namespace nerve::convert {

/// The reason that is told for tables and columns that are not converted because a rule says so; that of a
/// column begins with it.
inline constexpr std::string_view left_out_by_rule = "left out by rule";

/// Finds the tables and columns that a file names, as SQLite matches names, gives them its rules, and takes
/// out of the schema what is to be skipped. What cannot be done as ruled is added to `errors`: names that are
/// unknown, twice there or taken, NULL for a column that takes none, a type for a column that numbers its
/// rows.
void apply_rules(const RulesFile& file, CasePolicy case_policy, SourceSchema& schema, RuleErrors& errors);

}  // namespace nerve::convert
