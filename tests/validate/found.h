// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/validate/rules.h"

#include <string>
#include <vector>

/// How the tests write down what is wrong with a record.
namespace nerve::test {

using List = std::vector<std::string>;

/// Violations as "field:rule", in order.
inline List as_list(const std::vector<Violation>& violations) {
  List list;
  for (const Violation& violation : violations) list.push_back(violation.field + ":" + violation.rule);
  return list;
}

inline List found(const validate::RuleSet& rules, const Json& record) {
  return as_list(rules.check(record));
}

}  // namespace nerve::test
