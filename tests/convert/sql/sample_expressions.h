// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nerve::test {

/// Expressions over the sample that have an exact equal in PostgreSQL.
const std::vector<std::string>& exact_expressions();

struct RefusedExpression {
  std::string expression;
  std::string reason;  ///< how it begins
};

/// Expressions over the sample that have none.
const std::vector<RefusedExpression>& refused_expressions();

}  // namespace nerve::test
