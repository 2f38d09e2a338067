// SPDX-License-Identifier: Apache-2.0
#include "sql/postgresql/operation.h"

#include <cmath>
#include <limits>

namespace nerve::convert::sql {
namespace {

constexpr int shift_max = 63;

std::string_view spelling(BinaryOperator operation) noexcept {
  switch (operation) {
    case BinaryOperator::add:
      return " + ";
    case BinaryOperator::subtract:
      return " - ";
    case BinaryOperator::multiply:
      return " * ";
    case BinaryOperator::divide:
      return " / ";
    case BinaryOperator::modulo:
      return " % ";
    case BinaryOperator::bit_and:
      return " & ";
    case BinaryOperator::bit_or:
      return " | ";
    case BinaryOperator::shift_left:
      return " << ";
    default:
      return " >> ";
  }
}

/// A literal keeps its bare form only where PostgreSQL gives it the type that it has in SQLite: beside a
/// bigint, or beside a real, whatever the literal is.
std::string operand_sql(const Value& value, const Value& other) {
  if (!value.constant || other.constant) return typed(value);
  const bool is_minus_zero = value.real() != nullptr && *value.real() == 0 && std::signbit(*value.real());
  const bool is_bare = other.type == TargetType::double_precision || value.integer() != nullptr;
  return is_bare && !is_minus_zero ? wrapped(value) : typed(value);
}

/// The second operand of / and %: SQLite gives NULL for a division by zero.
std::string divisor_sql(const Value& value, const Value& other) {
  const bool is_zero = (value.integer() != nullptr && *value.integer() == 0) ||
                       (value.real() != nullptr && *value.real() == 0);
  if (value.constant && !is_zero) return operand_sql(value, other);
  return "nullif(" + typed(value) + ", 0)";
}

/// The least that a sum or difference of integers can be, where that is known.
std::optional<std::int64_t> lower_bound(BinaryOperator operation, const Value& left, const Value& right) {
  if (!left.lower_bound) return std::nullopt;
  std::int64_t bound = 0;
  if (operation == BinaryOperator::add && right.lower_bound) {
    if (__builtin_add_overflow(*left.lower_bound, *right.lower_bound, &bound)) return std::nullopt;
    return bound;
  }
  if (operation == BinaryOperator::subtract && right.integer() != nullptr) {
    if (__builtin_sub_overflow(*left.lower_bound, *right.integer(), &bound)) return std::nullopt;
    return bound;
  }
  return std::nullopt;
}

bool is_division(BinaryOperator operation) noexcept {
  return operation == BinaryOperator::divide || operation == BinaryOperator::modulo;
}

Value whole_result(BinaryOperator operation, const Value& left, const Value& right, std::size_t offset) {
  const std::string right_sql = is_division(operation) ? divisor_sql(right, left) : operand_sql(right, left);
  Value whole = result(operand_sql(left, right) + std::string(spelling(operation)) + right_sql,
                       TargetType::bigint, offset, false);
  whole.lower_bound = lower_bound(operation, left, right);
  return whole;
}

bool is_large(const Value& value) noexcept {
  return value.integer() == nullptr || *value.integer() >= exact_integer_max ||
         *value.integer() <= -exact_integer_max;
}

Value real_result(BinaryOperator operation, const Value& left, const Value& right, Context& context,
                  std::size_t offset) {
  if (operation == BinaryOperator::modulo) throw Refusal("% of reals cuts them to integers", offset);
  const bool left_whole = left.type == TargetType::bigint || left.is_mixed;
  const bool right_whole = right.type == TargetType::bigint || right.is_mixed;
  if (left_whole && right_whole) {
    if (operation == BinaryOperator::divide) {
      throw Refusal("a division of numbers that are whole in some rows and real in others", offset);
    }
    const bool is_small = !is_large(left) || !is_large(right);
    const std::int64_t* factor = left.integer() != nullptr ? left.integer() : right.integer();
    const bool is_sign =
        operation != BinaryOperator::multiply || (factor != nullptr && (*factor == 1 || *factor == -1));
    if (!is_small || !is_sign) {
      context.require_rounding("whole numbers beyond 2^53 in a column that holds reals, too", offset);
    }
  }
  if (left.may_be_infinite || right.may_be_infinite) {
    throw Refusal("arithmetic on a column that holds an infinity", offset);
  }
  const std::string right_sql =
      operation == BinaryOperator::divide ? divisor_sql(right, left) : operand_sql(right, left);
  Value real = result(operand_sql(left, right) + std::string(spelling(operation)) + right_sql,
                      TargetType::double_precision, offset, false);
  real.is_mixed = left_whole && right_whole;
  return real;
}

bool is_bitwise(BinaryOperator operation) noexcept {
  return operation == BinaryOperator::bit_and || operation == BinaryOperator::bit_or ||
         operation == BinaryOperator::shift_left || operation == BinaryOperator::shift_right;
}

Value shifted(BinaryOperator operation, const Value& left, const Value& right, std::size_t offset) {
  const std::int64_t* bits = right.integer();
  if (bits == nullptr || *bits < 0 || *bits > shift_max) {
    throw Refusal("a shift by what is no literal from 0 to 63", offset);
  }
  return result(typed(left) + std::string(spelling(operation)) + right.sql, TargetType::bigint, offset,
                false);
}

Value as_real(const Value& operand, std::size_t offset) {
  if (operand.type == TargetType::double_precision) return as_value(operand);
  const Value number = operand.type == TargetType::numeric ? operand : as_integer(operand);
  return result(cast(number, "double precision"), TargetType::double_precision, offset);
}

}  // namespace

Value arithmetic(BinaryOperator operation, const Value& left, const Value& right, Context& context,
                 std::size_t offset) {
  if (left.is_null_literal() || right.is_null_literal()) return null_literal(offset);
  const bool is_shift = operation == BinaryOperator::shift_left || operation == BinaryOperator::shift_right;
  Value computed;
  if (is_bitwise(operation)) {
    const Value whole_left = as_integer(left);
    const Value whole_right = as_integer(right);
    computed = is_shift ? shifted(operation, whole_left, whole_right, offset)
                        : whole_result(operation, whole_left, whole_right, offset);
  } else {
    const Value left_number = as_number(left);
    const Value right_number = as_number(right);
    const bool is_whole = left_number.type == TargetType::bigint && right_number.type == TargetType::bigint;
    computed = is_whole ? whole_result(operation, left_number, right_number, offset)
                        : real_result(operation, left_number, right_number, context, offset);
  }
  computed.is_not_null =
      left.is_not_null && right.is_not_null && (!is_division(operation) || right.constant.has_value());
  if (is_division(operation) && right.integer() != nullptr && *right.integer() == 0)
    computed.is_not_null = false;
  if (is_division(operation) && right.real() != nullptr && *right.real() == 0) computed.is_not_null = false;
  computed.is_aggregate = left.is_aggregate || right.is_aggregate;
  return computed;
}

Value concatenation(const Value& left, const Value& right, const Context& context, std::size_t offset) {
  if (left.is_null_literal() || right.is_null_literal()) return null_literal(offset);
  const Value left_text = as_text(left, context);
  const Value right_text = as_text(right, context);
  const std::string left_sql = left_text.connective == "||"                ? left_text.sql
                               : left_text.constant && right_text.constant ? typed(left_text)
                                                                           : wrapped(left_text);
  Value text = result(left_sql + " || " + wrapped(right_text), TargetType::text, offset, false);
  text.connective = "||";
  text.is_bytewise = left_text.is_bytewise || right_text.is_bytewise;
  text.is_not_null = left.is_not_null && right.is_not_null;
  text.is_aggregate = left.is_aggregate || right.is_aggregate;
  return text;
}

Value signed_value(UnaryOperator operation, const Value& operand, std::size_t offset) {
  if (operation == UnaryOperator::plus) {
    // What it does to SQLite is to take the affinity from a column.
    Value same = operand;
    same.affinity = Affinity::none;
    return same;
  }
  if (operand.is_null_literal()) return null_literal(offset);
  if (operation == UnaryOperator::negate) {
    if (operand.integer() != nullptr && *operand.integer() != std::numeric_limits<std::int64_t>::min()) {
      return integer_literal(-*operand.integer(), offset);
    }
    if (operand.real() != nullptr) return real_literal(-*operand.real(), offset);
  }
  const Value number = operation == UnaryOperator::negate ? as_number(operand) : as_integer(operand);
  Value opposite;
  if (number.type == TargetType::double_precision) {
    // SQLite subtracts from zero, so that there is no minus zero.
    opposite = result("0 - " + typed(number), TargetType::double_precision, offset, false);
    opposite.is_mixed = number.is_mixed;
    opposite.may_be_infinite = number.may_be_infinite;
  } else {
    opposite = result((operation == UnaryOperator::negate ? "- " : "~ ") + typed(number), TargetType::bigint,
                      offset, false);
  }
  opposite.is_not_null = operand.is_not_null;
  opposite.is_aggregate = operand.is_aggregate;
  return opposite;
}

Value cast_value(const Value& operand, std::string_view type, Context& context, std::size_t offset) {
  if (operand.is_null_literal()) return null_literal(offset);
  const ValueClass from = class_of(operand);
  const Affinity to = affinity_of(type);
  Value converted = operand;
  if (to == Affinity::text) {
    converted = from == ValueClass::text && operand.type != TargetType::json
                    ? as_text(operand, context)
                    : as_value(as_text(operand, context));
  } else if (from == ValueClass::text || from == ValueClass::other || from == ValueClass::blob) {
    if (to != Affinity::blob || from != ValueClass::blob) throw Refusal("CAST depends on each value", offset);
  } else if (to == Affinity::integer && !operand.is_integer()) {
    converted = result("trunc(" + typed(operand) + ")::bigint", TargetType::bigint, offset);
  } else if (to == Affinity::integer) {
    converted = as_value(as_integer(operand));
  } else if (to == Affinity::real) {
    converted = as_real(operand, offset);
  } else if (to == Affinity::numeric) {
    converted = as_value(operand);
  } else {
    throw Refusal("CAST of a number to a blob", offset);
  }
  converted.offset = offset;
  converted.affinity = to;
  converted.collation = operand.collation;
  converted.has_explicit_collation = operand.has_explicit_collation;
  converted.is_not_null = operand.is_not_null;
  converted.is_aggregate = operand.is_aggregate;
  converted.constant.reset();
  return converted;
}

}  // namespace nerve::convert::sql
