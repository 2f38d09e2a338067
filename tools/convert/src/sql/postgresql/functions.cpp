// SPDX-License-Identifier: Apache-2.0
#include "sql/postgresql/functions.h"

#include "sql/postgresql/comparison.h"
#include "sql/tokens.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace nerve::convert::sql {
namespace {

using Arguments = std::vector<Value>;

std::string call_sql(std::string_view function, std::initializer_list<std::string> arguments) {
  std::string sql(function);
  sql += '(';
  bool is_first = true;
  for (const std::string& argument : arguments) {
    if (!is_first) sql += ", ";
    is_first = false;
    sql += argument;
  }
  return sql + ')';
}

/// A text argument, bytewise where its column is.
Value text_argument(const Value& value, const Context& context) {
  Value text = as_text(value, context);
  const bool is_bytewise = text.is_bytewise;
  text = as_value(std::move(text));
  text.is_bytewise = is_bytewise;
  return text;
}

Value text_result(std::string sql, const Value& source) {
  Value text = result(std::move(sql), TargetType::text, source.offset);
  text.is_bytewise = source.is_bytewise;
  return text;
}

Value absolute(const Arguments& arguments, Context& /*context*/) {
  const Value number = as_value(as_number(arguments[0]));
  Value absolute = number;
  absolute.sql = call_sql("abs", {number.sql});
  absolute.is_atomic = true;
  absolute.affinity = Affinity::none;
  if (number.type == TargetType::bigint) absolute.lower_bound = 0;
  return absolute;
}

Value coalesced(Arguments arguments, Context& context) {
  std::vector<Value*> values;
  for (Value& argument : arguments) values.push_back(&argument);
  unify(values, context);
  std::string sql;
  bool is_not_null = false;
  Value most;
  for (Value& argument : arguments) {
    const bool is_bytewise = argument.is_bytewise || most.is_bytewise;
    const bool is_mixed = argument.is_mixed || most.is_mixed;
    const bool may_be_infinite = argument.may_be_infinite || most.may_be_infinite;
    is_not_null = is_not_null || argument.is_not_null;
    most = as_value(std::move(argument));
    most.is_bytewise = is_bytewise;
    most.is_mixed = is_mixed;
    most.may_be_infinite = may_be_infinite;
    sql += (sql.empty() ? "" : ", ") + most.sql;
  }
  if (most.is_null_literal()) return null_literal(most.offset);
  Value value = result("coalesce(" + sql + ')', most.type, most.offset);
  value.is_bytewise = most.is_bytewise;
  value.is_mixed = most.is_mixed;
  value.may_be_infinite = most.may_be_infinite;
  value.time_form = most.time_form;
  value.is_not_null = is_not_null;
  return value;
}

Value null_if(const Arguments& arguments, Context& context) {
  if (arguments[0].is_null_literal() || arguments[1].is_null_literal()) return as_value(arguments[0]);
  for (const Value& argument : arguments) {
    if (argument.collation && *argument.collation != Collation::binary) {
      refuse(argument, "nullif() of a text with a collation");
    }
  }
  const Value is_equal =
      compare(BinaryOperator::equal, arguments[0], arguments[1], context, arguments[0].offset, false);
  Value value = as_value(arguments[0]);
  value.sql = "CASE WHEN " + is_equal.sql + " THEN NULL ELSE " + value.sql + " END";
  value.sql = '(' + value.sql + ')';
  value.is_atomic = true;
  value.is_not_null = false;
  value.affinity = Affinity::none;
  return value;
}

Value length(const Arguments& arguments, Context& context) {
  const Value& value = arguments[0];
  Value count =
      value.type == TargetType::bytea
          ? result(call_sql("octet_length", {value.sql}) + "::bigint", TargetType::bigint, value.offset)
          : result(call_sql("length", {text_argument(value, context).sql}) + "::bigint", TargetType::bigint,
                   value.offset);
  count.lower_bound = 0;
  return count;
}

/// PostgreSQL 15 refuses lower() and upper() of a literal in a generated column, whatever its COLLATE.
Value folded_text(std::string_view function, const Value& value, const Context& context,
                  std::string (*fold)(std::string_view)) {
  if (value.text() != nullptr) return text_literal(fold(*value.text()), value.offset);
  const Value text = text_argument(value, context);
  // SQLite knows the letters of ASCII only; so does PostgreSQL under this collation.
  Value changed = text_result(call_sql(function, {wrapped(text) + " COLLATE \"C\""}), text);
  changed.is_bytewise = true;
  return changed;
}

Value lower(const Arguments& arguments, Context& context) {
  return folded_text("lower", arguments[0], context, folded);
}

std::string upper_cased(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return result;
}

Value upper(const Arguments& arguments, Context& context) {
  return folded_text("upper", arguments[0], context, upper_cased);
}

/// A position or count as substr() of PostgreSQL takes it.
std::string as_int(const Value& value) {
  return value.integer() != nullptr ? value.sql : cast(as_integer(value), "int");
}

/// Where SQLite counts from the end, or to the left.
void require_forward(const Value& value, std::int64_t least, const std::string& what) {
  if (!value.lower_bound || *value.lower_bound < least || !value.is_integer()) refuse(value, what);
  if (value.integer() != nullptr && *value.integer() > std::numeric_limits<std::int32_t>::max()) {
    refuse(value, "a position in a text beyond 2^31");
  }
}

Value substring(const Arguments& arguments, Context& context) {
  const bool is_blob = arguments[0].type == TargetType::bytea;
  Value source = is_blob ? arguments[0] : text_argument(arguments[0], context);
  // A part of an empty blob is NULL to SQLite.
  if (is_blob) source.sql = "nullif(" + source.sql + ", ''::bytea)";
  const std::int64_t* first = arguments[1].integer();
  Value part;
  if (first != nullptr && *first < 0 && *first > std::numeric_limits<std::int32_t>::min() && !is_blob &&
      arguments.size() == 2) {
    part = text_result(call_sql("right", {source.sql, std::to_string(-*first)}), source);
  } else {
    require_forward(arguments[1], is_blob ? 1 : 0,
                    "substr() from a place that may be before the first character");
    if (arguments.size() == 2) {
      part = text_result(call_sql("substr", {source.sql, as_int(arguments[1])}), source);
    } else {
      require_forward(arguments[2], 0, "substr() of a length that may be negative");
      part =
          text_result(call_sql("substr", {source.sql, as_int(arguments[1]), as_int(arguments[2])}), source);
    }
  }
  if (is_blob) part.type = TargetType::bytea;
  return part;
}

Value trimmed(std::string_view function, const Arguments& arguments, const Context& context) {
  const Value text = text_argument(arguments[0], context);
  const std::string characters = arguments.size() == 2 ? text_argument(arguments[1], context).sql : "' '";
  return text_result(call_sql(function, {text.sql, characters}), text);
}

Value trim(const Arguments& arguments, Context& context) {
  return trimmed("btrim", arguments, context);
}

Value trim_left(const Arguments& arguments, Context& context) {
  return trimmed("ltrim", arguments, context);
}

Value trim_right(const Arguments& arguments, Context& context) {
  return trimmed("rtrim", arguments, context);
}

Value replace(const Arguments& arguments, Context& context) {
  const Value text = text_argument(arguments[0], context);
  return text_result(call_sql("replace", {text.sql, text_argument(arguments[1], context).sql,
                                          text_argument(arguments[2], context).sql}),
                     text);
}

Value position(const Arguments& arguments, Context& context) {
  const std::string text = text_argument(arguments[0], context).sql;
  Value place = result(call_sql("strpos", {text, text_argument(arguments[1], context).sql}) + "::bigint",
                       TargetType::bigint, arguments[0].offset);
  place.lower_bound = 0;
  return place;
}

Value round(const Arguments& arguments, Context& context) {
  if (arguments.size() == 2) {
    const std::int64_t* digits = arguments[1].integer();
    const bool is_whole = arguments[0].is_integer();
    if (digits == nullptr || (*digits > 0 && !is_whole)) {
      refuse(arguments[1], "round() to digits goes by each engine's way to write reals");
    }
  }
  const Value number = as_value(as_number(arguments[0]));
  if (number.type == TargetType::bigint) {
    return result(cast(number, "double precision"), TargetType::double_precision, number.offset);
  }
  if (number.may_be_infinite) refuse(arguments[0], "arithmetic on a column that holds an infinity");
  (void)context;
  // SQLite adds a half and cuts; beyond 2^52 there is nothing to cut.
  const std::string sql = wrapped(number);
  return result("(CASE WHEN abs(" + sql + ") > 4503599627370496 THEN " + sql + " ELSE trunc(" + sql +
                    " + CASE WHEN " + sql + " < 0 THEN -0.5 ELSE 0.5 END) + 0 END)",
                TargetType::double_precision, number.offset);
}

/// min() and max() of several values are NULL where one of them is, other than least() and greatest().
Value extreme(std::string_view function, Arguments arguments, Context& context) {
  std::vector<Value*> values;
  for (Value& argument : arguments) {
    if (argument.is_null_literal()) return null_literal(argument.offset);
    require_equality(argument);
    if (argument.type == TargetType::boolean) argument = as_integer(argument);
    values.push_back(&argument);
  }
  const TargetType first = arguments[0].type;
  const bool is_uniform = std::ranges::all_of(arguments, [&](const Value& value) {
    return value.type == first || (is_text(value.type) && is_text(arguments[0].type));
  });
  if (!is_uniform) refuse(arguments[0], "values of different types come out of one expression");
  unify(values, context);
  std::string list;
  std::string is_null;
  bool is_bytewise = false;
  for (const Value& argument : arguments) is_bytewise = is_bytewise || argument.is_bytewise;
  for (const Value& argument : arguments) {
    const bool needs_collation = is_text(argument.type) && !is_bytewise;
    is_bytewise = is_bytewise || is_text(argument.type);
    const Value value = as_value(argument);
    if (!argument.is_not_null) is_null += (is_null.empty() ? "" : " OR ") + wrapped(value) + " IS NULL";
    list += (list.empty() ? "" : ", ") + (needs_collation ? bytewise(value) : value.sql);
  }
  const std::string most = std::string(function) + '(' + list + ')';
  Value value = arguments[0];
  value.constant.reset();
  value.sql = is_null.empty() ? most : "(CASE WHEN " + is_null + " THEN NULL ELSE " + most + " END)";
  value.is_atomic = true;
  value.is_bytewise = is_bytewise;
  value.affinity = Affinity::none;
  value.collation.reset();
  value.is_not_null = is_null.empty();
  value.lower_bound.reset();
  return value;
}

Value least(const Arguments& arguments, Context& context) {
  return extreme("least", arguments, context);
}

Value greatest(const Arguments& arguments, Context& context) {
  return extreme("greatest", arguments, context);
}

Value type_of(const Arguments& arguments, Context& /*context*/) {
  const Value& value = arguments[0];
  std::string name;
  switch (class_of(value)) {
    case ValueClass::null:
      return text_literal("null", value.offset);
    case ValueClass::text:
      name = "text";
      break;
    case ValueClass::blob:
      name = "blob";
      break;
    case ValueClass::number:
      if (value.type == TargetType::numeric || value.is_mixed) {
        refuse(value, "typeof() of numbers that are whole in some rows and real in others");
      }
      name = value.type == TargetType::double_precision ? "real" : "integer";
      break;
    case ValueClass::other:
      if (value.type != TargetType::json && value.type != TargetType::jsonb) {
        refuse(value, "typeof() of values whose form is not known");
      }
      name = "text";
  }
  if (value.is_not_null) return text_literal(name, value.offset);
  return result("(CASE WHEN " + wrapped(value) + " IS NULL THEN 'null' ELSE '" + name + "' END)",
                TargetType::text, value.offset);
}

Value hexadecimal(const Arguments& arguments, Context& context) {
  std::string bytes;
  if (arguments[0].type == TargetType::bytea) {
    bytes = arguments[0].sql;
  } else {
    context.require_stable("the bytes of a text", arguments[0].offset);
    bytes = call_sql("convert_to", {text_argument(arguments[0], context).sql, "'UTF8'"});
  }
  // hex() of NULL is the empty text.
  Value digits =
      result("coalesce(upper(encode(" + bytes + ", 'hex')), '')", TargetType::text, arguments[0].offset);
  digits.is_not_null = true;
  return digits;
}

Value characters(const Arguments& arguments, Context& /*context*/) {
  std::string text;
  for (const Value& argument : arguments) {
    const std::int64_t* code = argument.integer();
    if (code == nullptr || *code < 1 || *code > 0x7F)
      refuse(argument, "char() of what is no literal of ASCII");
    text += static_cast<char>(*code);
  }
  return text_literal(text, arguments.empty() ? 0 : arguments[0].offset);
}

Value code_point(const Arguments& arguments, Context& context) {
  // unicode() of the empty text is NULL, ascii() of it is 0.
  const std::string code = call_sql("ascii", {text_argument(arguments[0], context).sql});
  return result("nullif(" + code + ", 0)::bigint", TargetType::bigint, arguments[0].offset);
}

Value sign(const Arguments& arguments, Context& /*context*/) {
  const Value number = as_value(as_number(arguments[0]));
  return result(call_sql("sign", {number.sql}) + "::bigint", TargetType::bigint, number.offset);
}

Value is_valid_json(const Arguments& arguments, Context& /*context*/) {
  const Value& value = arguments[0];
  if (value.type != TargetType::json && value.type != TargetType::jsonb) {
    refuse(value, "json_valid() of what is no json column");
  }
  Value test =
      condition(value.is_not_null ? "TRUE" : "CASE WHEN " + wrapped(value) + " IS NOT NULL THEN TRUE END",
                value.offset);
  test.is_atomic = value.is_not_null;
  return test;
}

Value unlikely(const Arguments& arguments, Context& /*context*/) {
  Value same = arguments[0];
  same.affinity = Affinity::none;
  return same;
}

struct Function {
  std::string_view name;
  std::size_t arguments_min;
  std::size_t arguments_max;
  bool is_strict;  ///< NULL where an argument is
  Value (*write)(const Arguments& arguments, Context& context);
};

constexpr std::size_t any_count = 127;

Value write_coalesced(const Arguments& arguments, Context& context) {
  return coalesced(arguments, context);
}

constexpr std::array<Function, 26> functions = {{
    {"abs", 1, 1, true, absolute},
    {"char", 0, any_count, false, characters},
    {"coalesce", 2, any_count, false, write_coalesced},
    {"hex", 1, 1, false, hexadecimal},
    {"ifnull", 2, 2, false, write_coalesced},
    {"instr", 2, 2, true, position},
    {"json_valid", 1, 1, true, is_valid_json},
    {"length", 1, 1, true, length},
    {"likelihood", 2, 2, false, unlikely},
    {"likely", 1, 1, false, unlikely},
    {"lower", 1, 1, true, lower},
    {"ltrim", 1, 2, true, trim_left},
    {"max", 2, any_count, true, greatest},
    {"min", 2, any_count, true, least},
    {"nullif", 2, 2, false, null_if},
    {"replace", 3, 3, true, replace},
    {"round", 1, 2, true, round},
    {"rtrim", 1, 2, true, trim_right},
    {"sign", 1, 1, true, sign},
    {"substr", 2, 3, true, substring},
    {"substring", 2, 3, true, substring},
    {"trim", 1, 2, true, trim},
    {"typeof", 1, 1, false, type_of},
    {"unicode", 1, 1, true, code_point},
    {"unlikely", 1, 1, false, unlikely},
    {"upper", 1, 1, true, upper},
}};

}  // namespace

Value call_function(const Call& call, Context& context) {
  if (std::optional<Value> time = call_time_function(call, context)) return std::move(*time);
  const auto* const function = std::ranges::find(functions, call.name, &Function::name);
  const std::size_t count = call.arguments.size();
  if (function == functions.end() || count < function->arguments_min || count > function->arguments_max) {
    throw Refusal("the function " + std::string(call.name) + "() with " + std::to_string(count) +
                      (count == 1 ? " argument" : " arguments") + " has no equal",
                  call.offset);
  }
  bool is_not_null = true;
  bool is_aggregate = false;
  for (const Value& argument : call.arguments) {
    if (function->is_strict && argument.is_null_literal()) return null_literal(call.offset);
    is_not_null = is_not_null && argument.is_not_null;
    is_aggregate = is_aggregate || argument.is_aggregate;
  }
  Value value = function->write(call.arguments, context);
  const bool is_never_null =
      function->is_strict && is_not_null && call.name != "unicode" && call.name != "sign";
  value.is_not_null = value.is_not_null || is_never_null;
  value.is_aggregate = is_aggregate;
  value.offset = call.offset;
  return value;
}

}  // namespace nerve::convert::sql
