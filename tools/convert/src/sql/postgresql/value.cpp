// SPDX-License-Identifier: Apache-2.0
#include "sql/postgresql/value.h"

#include "sql/postgresql/quote.h"
#include "sql/postgresql/time_text.h"
#include "sql/tokens.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace nerve::convert::sql {
namespace {

/// Whether a text is `[+-]digits[.digits][e[+-]digits]`, with a digit on one side of the point at least.
bool is_decimal(std::string_view text) noexcept {
  std::size_t at = 0;
  const auto sign = [&] {
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
  };
  const auto digits = [&] {
    const std::size_t begin = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at - begin;
  };
  sign();
  std::size_t count = digits();
  if (at < text.size() && text[at] == '.') {
    ++at;
    count += digits();
  }
  if (count == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    sign();
    if (digits() == 0) return false;
  }
  return at == text.size();
}

/// The type that two branches have in common; nothing where they have none without a change of values.
std::optional<TargetType> common_type(const Value& left, const Value& right) {
  if (left.type == TargetType::unknown || right.type == TargetType::unknown) return std::nullopt;
  if (left.type == right.type) return left.type;
  if (is_text(left.type) && is_text(right.type)) return TargetType::text;
  if (left.is_integer() && right.is_integer()) return TargetType::bigint;
  const ValueClass shared = class_of(left);
  if (shared != class_of(right)) return std::nullopt;
  if (shared == ValueClass::text) return TargetType::text;
  if (shared != ValueClass::number) return std::nullopt;
  const bool has_double =
      left.type == TargetType::double_precision || right.type == TargetType::double_precision;
  const bool has_numeric = left.type == TargetType::numeric || right.type == TargetType::numeric;
  if (has_double) return TargetType::double_precision;
  return has_numeric ? TargetType::numeric : TargetType::bigint;
}

bool is_exact_double(const Value& value) noexcept {
  const std::int64_t* integer = value.integer();
  return integer != nullptr && *integer > -exact_integer_max && *integer < exact_integer_max;
}

void convert_to_number(Value& value, TargetType type, Context& context) {
  const bool was_integer = value.is_integer() || value.time_form != TimeForm::unknown;
  if (was_integer && !is_exact_double(value)) {
    if (value.type != TargetType::boolean) {
      context.require_rounding("whole numbers beyond 2^53 that become reals", value.offset);
    }
    value = as_integer(value);
  }
  const bool is_mixed = was_integer || value.is_mixed || value.type == TargetType::numeric;
  const bool may_be_infinite = value.may_be_infinite;
  const std::size_t offset = value.offset;
  const bool is_not_null = value.is_not_null;
  value = result(value.real() != nullptr ? typed(value) : cast(value, to_sql(type)), type, offset);
  value.is_mixed = is_mixed;
  value.may_be_infinite = may_be_infinite;
  value.is_not_null = is_not_null;
}

void convert(Value& value, TargetType type, Context& context) {
  if (value.is_null_literal()) {
    value.sql = type == TargetType::unknown ? "NULL" : "NULL::" + std::string(to_sql(type));
    value.type = type;
    value.constant.reset();
  } else if (value.type == type && !value.constant && !value.is_condition) {
    return;
  } else if (type == TargetType::text) {
    value = as_value(as_text(value, context));
  } else if (type == TargetType::bigint || type == TargetType::boolean) {
    value = as_value(as_integer(value));
  } else if (type == TargetType::numeric && value.integer() != nullptr) {
    value.type = type;
    value.is_mixed = true;
    value.constant.reset();
    value.sql = wrapped(value) + "::numeric";
  } else if (type == TargetType::numeric || type == TargetType::double_precision) {
    convert_to_number(value, type, context);
  }
}

}  // namespace

void Context::require_rounding(const std::string& what, std::size_t offset) {
  if (!options.allows_rounding) throw Refusal(what + " may differ in the last digits", offset);
  if (std::ranges::find(remarks, what) == remarks.end()) remarks.push_back(what);
}

void Context::require_stable(const std::string& what, std::size_t offset) const {
  if (options.is_immutable) throw Refusal(what + " is not immutable in PostgreSQL", offset);
}

ValueClass class_of(const Value& value) noexcept {
  if (value.is_null_literal()) return ValueClass::null;
  switch (value.type) {
    case TargetType::boolean:
    case TargetType::bigint:
    case TargetType::double_precision:
    case TargetType::numeric:
      return ValueClass::number;
    case TargetType::text:
    case TargetType::varchar:
    case TargetType::uuid:
      return ValueClass::text;
    case TargetType::bytea:
      return ValueClass::blob;
    case TargetType::date:
    case TargetType::timestamp:
    case TargetType::timestamptz:
      if (value.time_form == TimeForm::unknown) return ValueClass::other;
      return is_epoch(value.time_form) ? ValueClass::number : ValueClass::text;
    case TargetType::json:
    case TargetType::jsonb:
    case TargetType::unknown:
      break;
  }
  return ValueClass::other;
}

void refuse(const Value& value, std::string reason) {
  throw Refusal(std::move(reason), value.offset);
}

Value null_literal(std::size_t offset) {
  Value value;
  value.sql = "NULL";
  value.offset = offset;
  value.constant = Constant{};
  return value;
}

Value integer_literal(std::int64_t integer, std::size_t offset) {
  Value value = result(std::to_string(integer), TargetType::bigint, offset, integer >= 0);
  value.constant = integer;
  value.is_not_null = true;
  value.lower_bound = integer;
  return value;
}

Value real_literal(double real, std::size_t offset) {
  if (!std::isfinite(real)) throw Refusal("a number beyond the range of reals", offset);
  Value value = result(shortest(real), TargetType::double_precision, offset, !std::signbit(real));
  value.constant = real;
  value.is_not_null = true;
  return value;
}

Value text_literal(std::string text, std::size_t offset) {
  Value value = result(quote_literal(text), TargetType::text, offset);
  value.constant = std::move(text);
  value.is_not_null = true;
  return value;
}

Value condition(std::string sql, std::size_t offset) {
  Value value = result(std::move(sql), TargetType::boolean, offset, false);
  value.is_condition = true;
  return value;
}

Value result(std::string sql, TargetType type, std::size_t offset, bool is_atomic) {
  Value value;
  value.sql = std::move(sql);
  value.offset = offset;
  value.type = type;
  value.is_atomic = is_atomic;
  return value;
}

std::string wrapped(const Value& value) {
  return value.is_atomic ? value.sql : '(' + value.sql + ')';
}

std::string typed(const Value& value) {
  if (!value.constant || value.is_null_literal()) return wrapped(value);
  // A minus zero would lose its sign as an integer or a numeric.
  if (value.real() != nullptr && std::signbit(*value.real())) return '\'' + value.sql + "'::double precision";
  return cast(value, to_sql(value.type));
}

std::string cast(const Value& value, std::string_view type) {
  return wrapped(value) + "::" + std::string(type);
}

Value as_condition(const Value& value) {
  switch (class_of(value)) {
    case ValueClass::null:
      return condition("NULL::boolean", value.offset);
    case ValueClass::number:
      break;
    default:
      refuse(value, "only a number can be a condition in both engines");
  }
  if (value.type == TargetType::boolean) {
    Value same = value;
    same.is_condition = true;
    same.affinity = Affinity::none;
    same.collation.reset();
    return same;
  }
  if (value.constant) {
    const bool is_true = value.integer() != nullptr ? *value.integer() != 0 : *value.real() != 0;
    Value literal = condition(is_true ? "TRUE" : "FALSE", value.offset);
    literal.is_atomic = true;
    return literal;
  }
  Value tested = condition(wrapped(as_number(value)) + " <> 0", value.offset);
  tested.is_not_null = value.is_not_null;
  return tested;
}

Value as_value(Value value) {
  if (value.is_null_literal()) return value;
  if (value.constant) {
    value.sql = typed(value);
    value.is_atomic = true;
    value.constant.reset();
    return value;
  }
  if (!value.is_condition) return value;
  return as_integer(value);
}

Value as_number(const Value& value) {
  switch (class_of(value)) {
    case ValueClass::null:
      return value;
    case ValueClass::number:
      break;
    case ValueClass::text:
      refuse(value, "arithmetic on a text depends on each value");
    case ValueClass::blob:
      refuse(value, "arithmetic on a blob depends on each value");
    case ValueClass::other:
      refuse(value, "arithmetic on values whose form is not known");
  }
  if (value.type == TargetType::double_precision) return value;
  if (value.type != TargetType::numeric) return as_integer(value);
  Value number = result(cast(value, "double precision"), TargetType::double_precision, value.offset);
  number.is_mixed = true;
  number.is_not_null = value.is_not_null;
  number.is_aggregate = value.is_aggregate;
  return number;
}

Value as_integer(const Value& value) {
  if (value.type == TargetType::bigint || value.is_null_literal()) return value;
  Value integer;
  if (value.type == TargetType::boolean) {
    integer = result(cast(value, "int::bigint"), TargetType::bigint, value.offset);
    integer.lower_bound = 0;
  } else if (class_of(value) == ValueClass::number && is_epoch(value.time_form)) {
    integer = epoch_integer(value);
  } else {
    refuse(value, "a whole number is needed here, and this may be a real");
  }
  integer.is_not_null = value.is_not_null;
  integer.is_aggregate = value.is_aggregate;
  return integer;
}

Value as_text(const Value& value, const Context& context) {
  if (value.is_null_literal() || is_text(value.type)) return value;
  if (value.integer() != nullptr) return text_literal(std::to_string(*value.integer()), value.offset);
  Value text;
  switch (value.type) {
    case TargetType::uuid:
    case TargetType::json:
      text = result(cast(value, "text"), TargetType::text, value.offset);
      break;
    case TargetType::boolean:
    case TargetType::bigint:
      text = result(cast(as_integer(value), "text"), TargetType::text, value.offset);
      break;
    case TargetType::date:
    case TargetType::timestamp:
    case TargetType::timestamptz:
      if (is_epoch(value.time_form)) {
        text = result(cast(as_integer(value), "text"), TargetType::text, value.offset);
      } else if (value.time_form != TimeForm::unknown) {
        text = time_text(value, context);
      } else {
        refuse(value, "how the source writes this time is not one form");
      }
      break;
    case TargetType::double_precision:
    case TargetType::numeric:
      refuse(value, "the engines write reals as texts in different ways");
    case TargetType::bytea:
      refuse(value, "a blob as a text");
    default:
      refuse(value, "a value whose form is not known");
  }
  text.is_not_null = value.is_not_null;
  text.is_aggregate = value.is_aggregate;
  return text;
}

std::string bytewise(const Value& value) {
  return value.is_bytewise ? wrapped(value) : wrapped(value) + " COLLATE \"C\"";
}

void unify(const std::vector<Value*>& values, Context& context) {
  const Value* first = nullptr;
  Value common;
  for (Value* value : values) {
    if (value->is_null_literal()) continue;
    if (first == nullptr) {
      first = value;
      common = *value;
      if (value->is_condition) common.type = TargetType::bigint;
      continue;
    }
    const std::optional<TargetType> type = common_type(common, *value);
    const bool is_time =
        type == TargetType::date || type == TargetType::timestamp || type == TargetType::timestamptz;
    if (!type || (is_time && common.time_form != value->time_form)) {
      refuse(*value, "values of different types come out of one expression");
    }
    common.type = *type;
    if (value->is_condition) common.type = TargetType::bigint;
    if (!is_time) common.time_form = TimeForm::unknown;
  }
  if (first == nullptr) return;
  for (Value* value : values) convert(*value, common.type, context);
}

std::optional<Constant> number_of(std::string_view text) {
  constexpr std::string_view spaces = " \t\n\v\f\r";
  const std::size_t begin = text.find_first_not_of(spaces);
  if (begin == std::string_view::npos) return std::nullopt;
  text = text.substr(begin, text.find_last_not_of(spaces) - begin + 1);
  if (!is_decimal(text)) return std::nullopt;
  if (text.front() == '+') text.remove_prefix(1);
  std::int64_t integer = 0;
  const char* const end = text.data() + text.size();
  const auto whole = std::from_chars(text.data(), end, integer);
  if (whole.ec == std::errc() && whole.ptr == end) return Constant(integer);
  double real = 0;
  const auto parsed = std::from_chars(text.data(), end, real);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return Constant(real);
}

std::string shortest(double value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}

}  // namespace nerve::convert::sql
