// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql/expression.h"
#include "sql/postgresql/value.h"

#include <optional>

namespace nerve::convert::sql {

/// `left operation right` for + - * / % & | << >> and ||.
Value arithmetic(BinaryOperator operation, const Value& left, const Value& right, Context& context,
                 std::size_t offset);
Value concatenation(const Value& left, const Value& right, const Context& context, std::size_t offset);

/// `-x`, `+x` and `~x`.
Value signed_value(UnaryOperator operation, const Value& operand, std::size_t offset);

/// `operand LIKE pattern ESCAPE escape`, and GLOB.
Value like(const Value& operand, const Value& pattern, const std::optional<Value>& escape,
           const Context& context, std::size_t offset);
Value glob(const Value& operand, const Value& pattern, const Context& context, std::size_t offset);

/// `CAST(operand AS type)`.
Value cast_value(const Value& operand, std::string_view type, Context& context, std::size_t offset);

}  // namespace nerve::convert::sql
