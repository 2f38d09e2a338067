// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql/expression.h"
#include "sql/postgresql/value.h"

#include <vector>

namespace nerve::convert::sql {

/// `left operation right` for = <> < <= > >= IS and IS NOT. `has_affinity` is false where SQLite compares
/// values and not columns, as in nullif().
Value compare(BinaryOperator operation, Value left, Value right, Context& context, std::size_t offset,
              bool has_affinity = true);

/// `operand BETWEEN low AND high`.
Value between(const Value& operand, const Value& low, const Value& high, Context& context,
              std::size_t offset);

/// `operand IN (list)`.
Value in_list(const Value& operand, const std::vector<Value>& list, Context& context, std::size_t offset);

/// `operand IN (SELECT member …)`: what stands left of IN, and what the subquery must give.
void member_sides(const Value& operand, const Value& member, Context& context, std::size_t offset,
                  std::string& left, std::string& right);

/// A value as GROUP BY, DISTINCT, UNION and ORDER BY compare it: its collation is made part of it.
/// Refuses what PostgreSQL cannot tell equal from unequal as SQLite does.
std::string sort_key(const Value& value);
void require_equality(const Value& value);

/// `NOT condition`, `left AND right`, `left OR right`.
Value negated(const Value& value);
Value connected(const Value& left, std::string_view connective, const Value& right, std::size_t offset);

}  // namespace nerve::convert::sql
