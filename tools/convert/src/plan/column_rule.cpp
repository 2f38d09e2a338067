// SPDX-License-Identifier: Apache-2.0
#include "plan/column_rule.h"

namespace nerve::convert {

std::string_view to_string(MisfitRule rule) noexcept {
  switch (rule) {
    case MisfitRule::widen:
      return "widen";
    case MisfitRule::reject:
      return "reject";
    case MisfitRule::null:
      return "null";
    case MisfitRule::fail:
      return "fail";
  }
  return "";
}

std::optional<MisfitRule> parse_misfit_rule(std::string_view text) noexcept {
  for (const MisfitRule rule : {MisfitRule::widen, MisfitRule::reject, MisfitRule::null, MisfitRule::fail}) {
    if (text == to_string(rule)) return rule;
  }
  return std::nullopt;
}

}  // namespace nerve::convert
