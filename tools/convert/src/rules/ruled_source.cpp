// SPDX-License-Identifier: Apache-2.0
#include "rules/ruled_source.h"

#include "rules/apply_rules.h"
#include "rules/held_types.h"
#include "rules/rule_errors.h"
#include "rules/rules_file.h"

namespace nerve::convert {

CasePolicy rule_schema(const std::filesystem::path& file, CasePolicy case_policy, SourceSchema& schema) {
  if (file.empty()) return case_policy;
  RuleErrors errors(file);
  const RulesFile rules = read_rules_file(file, errors);
  if (rules.case_policy == CasePolicy::keep) case_policy = CasePolicy::keep;
  apply_rules(rules, case_policy, schema, errors);
  errors.require_none();
  return case_policy;
}

void judge_ruled_types(const std::filesystem::path& file, sqlite::Session& session,
                       const SourceSchema& schema, std::vector<TableProfile>& profiles) {
  if (file.empty()) return;
  RuleErrors errors(file);
  count_held_misfits(session, schema, profiles, errors);
  errors.require_none();
}

}  // namespace nerve::convert
