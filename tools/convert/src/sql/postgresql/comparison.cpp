// SPDX-License-Identifier: Apache-2.0
#include "sql/postgresql/comparison.h"

#include "sql/postgresql/quote.h"
#include "sql/postgresql/time_text.h"
#include "sql/tokens.h"

#include <cmath>
#include <utility>

namespace nerve::convert::sql {
namespace {

bool is_order(BinaryOperator operation) noexcept {
  return operation == BinaryOperator::less || operation == BinaryOperator::less_equal ||
         operation == BinaryOperator::greater || operation == BinaryOperator::greater_equal;
}

std::string_view comparison_word(BinaryOperator operation) noexcept {
  switch (operation) {
    case BinaryOperator::equal:
      return " = ";
    case BinaryOperator::not_equal:
      return " <> ";
    case BinaryOperator::less:
      return " < ";
    case BinaryOperator::less_equal:
      return " <= ";
    case BinaryOperator::greater:
      return " > ";
    case BinaryOperator::greater_equal:
      return " >= ";
    case BinaryOperator::is:
      return " IS NOT DISTINCT FROM ";
    default:
      return " IS DISTINCT FROM ";
  }
}

/// Whether a text can look like a number: neither times nor UUIDs do.
bool may_be_number(const Value& value) noexcept {
  const bool is_time_text = is_time(value.type) && value.time_form != TimeForm::unknown;
  return !is_time_text && !value.is_never_number && value.type != TargetType::uuid;
}

/// Numeric affinity, that of `other`, meets a text. A text that looks like a number becomes one; where
/// `other` is a text in spite of its affinity, it does not look like one.
void make_number(Value& value, const Value& other, bool is_ordered) {
  if (class_of(value) != ValueClass::text) return;
  const bool meets_number = class_of(other) == ValueClass::number;
  if (value.text() == nullptr) {
    if (meets_number) refuse(value, "a number is compared with a text that may or may not be one");
    if (is_ordered && may_be_number(value))
      refuse(value, "a text that may be a number is ordered among texts");
    return;
  }
  const std::optional<Constant> number = number_of(*value.text());
  if (number) {
    const auto* integer = std::get_if<std::int64_t>(&*number);
    value = integer != nullptr ? integer_literal(*integer, value.offset)
                               : real_literal(std::get<double>(*number), value.offset);
  } else if (meets_number) {
    refuse(value, "a number is compared with a text that is none");
  }
}

/// The rules of https://www.sqlite.org/datatype3.html#type_conversions_prior_to_comparison.
void apply_affinity(Value& left, Value& right, bool is_ordered, const Context& context) {
  if (is_numeric(left.affinity) != is_numeric(right.affinity)) {
    if (is_numeric(left.affinity)) {
      make_number(right, left, is_ordered);
    } else {
      make_number(left, right, is_ordered);
    }
  } else if (left.affinity == Affinity::text && right.affinity == Affinity::none) {
    if (class_of(right) == ValueClass::number) right = as_text(right, context);
  } else if (right.affinity == Affinity::text && left.affinity == Affinity::none) {
    if (class_of(left) == ValueClass::number) left = as_text(left, context);
  }
}

Collation collation_of(const Value& left, const Value& right) noexcept {
  if (left.has_explicit_collation) return *left.collation;
  if (right.has_explicit_collation) return *right.collation;
  if (left.collation) return *left.collation;
  return right.collation.value_or(Collation::binary);
}

struct Sides {
  std::string left;
  std::string right;
};

/// Times of one form, or a time and a literal in its form, are compared as times.
std::optional<Sides> time_sides(const Value& left, const Value& right) {
  if (is_time(left.type) && is_time(right.type)) {
    if (left.type == right.type && left.time_form == right.time_form)
      return Sides{wrapped(left), wrapped(right)};
    return std::nullopt;
  }
  const Value& time = is_time(left.type) ? left : right;
  const Value& other = is_time(left.type) ? right : left;
  if (!is_time(time.type) || other.text() == nullptr || form_of(*other.text()) != time.time_form)
    return std::nullopt;
  const std::optional<std::string> literal = time_literal(*other.text(), time.type);
  if (!literal) return std::nullopt;
  return is_time(left.type) ? Sides{wrapped(left), *literal} : Sides{*literal, wrapped(right)};
}

/// A literal is folded here: PostgreSQL 15 refuses its lower() in a generated column, whatever its COLLATE.
std::string case_folded(const Value& value) {
  if (value.text() != nullptr) return quote_literal(folded(*value.text()));
  return "lower(" + wrapped(value) + " COLLATE \"C\")";
}

Sides text_sides(Value left, Value right, bool is_ordered, const Context& context) {
  if (const std::optional<Sides> times = time_sides(left, right)) return *times;
  const Collation collation = collation_of(left, right);
  if (left.type == TargetType::uuid && right.type == TargetType::uuid && collation == Collation::binary) {
    return {wrapped(left), wrapped(right)};
  }
  if (collation == Collation::unknown) refuse(left, "the collation of this column is the application's");
  const bool are_literals = left.constant && right.constant;
  left = as_text(left, context);
  right = as_text(right, context);
  if (collation == Collation::nocase) {
    // Of two literals neither says which order is meant.
    return {case_folded(left) + (are_literals ? " COLLATE \"C\"" : ""), case_folded(right)};
  }
  std::string left_sql = are_literals ? typed(left) : wrapped(left);
  std::string right_sql = wrapped(right);
  if (collation == Collation::rtrim) {
    left_sql = "rtrim(" + left_sql + ", ' ')";
    right_sql = "rtrim(" + right_sql + ", ' ')";
  }
  if (is_ordered && !left.is_bytewise && !right.is_bytewise) left_sql += " COLLATE \"C\"";
  return {std::move(left_sql), std::move(right_sql)};
}

bool is_real(const Value& value) noexcept {
  return value.type == TargetType::double_precision;
}

/// A real meets a whole number: PostgreSQL compares both as reals, SQLite by their exact values.
void require_exact(const Value& whole, const Value& real, Context& context) {
  const std::int64_t* literal = whole.integer();
  if (literal != nullptr && *literal<exact_integer_max&& * literal> - exact_integer_max) return;
  if (real.real() != nullptr && std::fabs(*real.real()) < static_cast<double>(exact_integer_max)) return;
  context.require_rounding("whole numbers beyond 2^53 that are compared with reals", whole.offset);
}

Sides number_sides(Value left, Value right, Context& context) {
  const auto whole = [](Value& value) {
    if (value.is_integer() || is_time(value.type)) value = as_integer(value);
  };
  if (left.type == TargetType::boolean && right.type == TargetType::boolean)
    return {wrapped(left), wrapped(right)};
  if (is_time(left.type) && is_time(right.type) && left.type == right.type &&
      left.time_form == right.time_form) {
    return {wrapped(left), wrapped(right)};
  }
  whole(left);
  whole(right);
  if (is_real(left) && right.is_integer()) require_exact(right, left, context);
  if (is_real(right) && left.is_integer()) require_exact(left, right, context);
  // A numeric is the decimal of a real: it is compared with decimals, but with other reals as one of them.
  if (left.type == TargetType::numeric && is_real(right) && !right.constant) left = as_number(left);
  if (right.type == TargetType::numeric && is_real(left) && !left.constant) right = as_number(right);
  if (left.constant && right.constant) return {typed(left), typed(right)};
  return {wrapped(left), wrapped(right)};
}

/// `flag = 1` is flag, and `flag = 0` is NOT flag. Nothing where it is no such test.
std::optional<Value> boolean_test(BinaryOperator operation, const Value& left, const Value& right) {
  const bool is_equality = operation == BinaryOperator::equal || operation == BinaryOperator::not_equal;
  const Value& flag = left.type == TargetType::boolean ? left : right;
  const Value& literal = left.type == TargetType::boolean ? right : left;
  const std::int64_t* number = literal.integer();
  if (!is_equality || flag.type != TargetType::boolean || number == nullptr ||
      (*number != 0 && *number != 1)) {
    return std::nullopt;
  }
  const Value flag_condition = as_condition(flag);
  return (*number == 1) == (operation == BinaryOperator::equal) ? flag_condition : negated(flag_condition);
}

Sides sides_of(BinaryOperator operation, Value left, Value right, Context& context, std::size_t offset,
               bool has_affinity) {
  if (has_affinity) apply_affinity(left, right, is_order(operation), context);
  const ValueClass shared = class_of(left);
  if (shared == ValueClass::other || class_of(right) == ValueClass::other) {
    throw Refusal("values whose form is not known are compared", offset);
  }
  if (shared != class_of(right)) throw Refusal("values of different types are compared", offset);
  if (shared == ValueClass::number) return number_sides(std::move(left), std::move(right), context);
  if (shared == ValueClass::text) {
    return text_sides(std::move(left), std::move(right), is_order(operation), context);
  }
  return {wrapped(left), wrapped(right)};
}

Value null_comparison(BinaryOperator operation, const Value& left, const Value& right, std::size_t offset) {
  const Value& other = left.is_null_literal() ? right : left;
  if (operation != BinaryOperator::is && operation != BinaryOperator::is_not) {
    return condition("NULL::boolean", offset);
  }
  const bool is_test = operation == BinaryOperator::is;
  Value test = condition(wrapped(other) + (is_test ? " IS NULL" : " IS NOT NULL"), offset);
  test.is_not_null = true;
  return test;
}

/// `x IN (y)` is `x = +y`: the member's own affinity and collation do not count.
Value bare(const Value& member) {
  Value value = member;
  value.affinity = Affinity::none;
  value.collation.reset();
  value.has_explicit_collation = false;
  return value;
}

/// `x = a OR x = b`, for members that x is compared with in different ways.
Value any_equal(const Value& operand, const std::vector<Value>& list, Context& context, std::size_t offset) {
  std::optional<Value> any;
  for (const Value& member : list) {
    const Value equal = compare(BinaryOperator::equal, operand, bare(member), context, offset);
    any = any ? connected(*any, "OR", equal, offset) : equal;
    if (any->sql.size() > translation_bytes_max) throw Refusal("a translation that is too long", offset);
  }
  return *any;
}

}  // namespace

Value compare(BinaryOperator operation, Value left, Value right, Context& context, std::size_t offset,
              bool has_affinity) {
  const bool is_aggregate = left.is_aggregate || right.is_aggregate;
  const bool is_not_null = (left.is_not_null && right.is_not_null) || operation == BinaryOperator::is ||
                           operation == BinaryOperator::is_not;
  Value compared;
  if (left.is_null_literal() || right.is_null_literal()) {
    compared = null_comparison(operation, left, right, offset);
  } else {
    if (has_affinity) apply_affinity(left, right, is_order(operation), context);
    if (std::optional<Value> test = boolean_test(operation, left, right)) {
      compared = std::move(*test);
    } else {
      const Sides sides =
          sides_of(operation, std::move(left), std::move(right), context, offset, has_affinity);
      compared = condition(sides.left + std::string(comparison_word(operation)) + sides.right, offset);
    }
    compared.is_not_null = is_not_null;
  }
  compared.is_aggregate = is_aggregate;
  return compared;
}

Value between(const Value& operand, const Value& low, const Value& high, Context& context,
              std::size_t offset) {
  if (!operand.is_null_literal() && !low.is_null_literal() && !high.is_null_literal()) {
    const Sides from = sides_of(BinaryOperator::greater_equal, operand, low, context, offset, true);
    const Sides to = sides_of(BinaryOperator::less_equal, operand, high, context, offset, true);
    if (from.left == to.left) {
      Value test = condition(from.left + " BETWEEN " + from.right + " AND " + to.right, offset);
      test.is_not_null = operand.is_not_null && low.is_not_null && high.is_not_null;
      test.is_aggregate = operand.is_aggregate || low.is_aggregate || high.is_aggregate;
      return test;
    }
  }
  return connected(compare(BinaryOperator::greater_equal, operand, low, context, offset), "AND",
                   compare(BinaryOperator::less_equal, operand, high, context, offset), offset);
}

Value in_list(const Value& operand, const std::vector<Value>& list, Context& context, std::size_t offset) {
  if (list.empty()) {
    // SQLite takes an empty list, and nothing is in it, not even NULL.
    Value nothing = condition("FALSE", offset);
    nothing.is_atomic = true;
    return nothing;
  }
  std::string left;
  std::string members;
  bool is_uniform = !operand.is_null_literal() && list.size() > 1;
  bool is_not_null = operand.is_not_null;
  for (const Value& member : list) {
    is_not_null = is_not_null && member.is_not_null;
    if (!is_uniform) continue;
    Sides sides{left, "NULL"};
    if (!member.is_null_literal()) {
      sides = sides_of(BinaryOperator::equal, operand, bare(member), context, offset, true);
      is_uniform = left.empty() || sides.left == left;
      left = sides.left;
    }
    members += members.empty() ? "" : ", ";
    members += sides.right;
  }
  Value test = is_uniform && !left.empty() ? condition(left + " IN (" + members + ")", offset)
                                           : any_equal(operand, list, context, offset);
  test.is_not_null = is_not_null;
  test.is_aggregate = operand.is_aggregate;
  return test;
}

void member_sides(const Value& operand, const Value& member, Context& context, std::size_t offset,
                  std::string& left, std::string& right) {
  Sides sides = sides_of(BinaryOperator::equal, operand, member, context, offset, true);
  left = std::move(sides.left);
  right = std::move(sides.right);
}

void require_equality(const Value& value) {
  if (class_of(value) == ValueClass::other) {
    refuse(value, "whether two values of this column are equal is not the same in both engines");
  }
  if (value.collation && *value.collation != Collation::binary && class_of(value) == ValueClass::text) {
    refuse(value, "one of several texts that its collation takes for equal is chosen");
  }
}

std::string sort_key(const Value& value) {
  if (class_of(value) == ValueClass::other) refuse(value, "the order of values whose form is not known");
  if (class_of(value) != ValueClass::text || is_time(value.type) || value.type == TargetType::uuid)
    return wrapped(value);
  const Collation collation = value.collation.value_or(Collation::binary);
  if (collation == Collation::unknown) refuse(value, "the collation of this column is the application's");
  if (collation == Collation::nocase) return case_folded(value) + (value.constant ? " COLLATE \"C\"" : "");
  if (collation == Collation::rtrim) return "rtrim(" + bytewise(value) + ", ' ')";
  return bytewise(value);
}

Value negated(const Value& value) {
  Value opposite = condition("NOT " + wrapped(value), value.offset);
  opposite.is_not_null = value.is_not_null;
  opposite.is_aggregate = value.is_aggregate;
  return opposite;
}

Value connected(const Value& left, std::string_view connective, const Value& right, std::size_t offset) {
  const std::string left_sql = left.connective == connective ? left.sql : wrapped(left);
  Value both = condition(left_sql + ' ' + std::string(connective) + ' ' + wrapped(right), offset);
  both.connective = connective;
  both.is_not_null = left.is_not_null && right.is_not_null;
  both.is_aggregate = left.is_aggregate || right.is_aggregate;
  return both;
}

}  // namespace nerve::convert::sql
