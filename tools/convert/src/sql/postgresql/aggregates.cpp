// SPDX-License-Identifier: Apache-2.0
#include "sql/postgresql/comparison.h"
#include "sql/postgresql/functions.h"

#include <algorithm>
#include <array>

namespace nerve::convert::sql {
namespace {

constexpr std::string_view rounded_sum = "sums of reals, which depend on the order of rows";

std::string written(std::string_view function, const AggregateCall& call, const std::string& argument) {
  return std::string(function) + '(' + (call.is_distinct ? "DISTINCT " : "") + argument + ')' + call.filter;
}

Value count(const AggregateCall& call) {
  if (call.is_star || call.arguments.empty()) {
    return result("count(*)" + call.filter, TargetType::bigint, call.offset);
  }
  const Value& argument = call.arguments.front();
  if (!call.is_distinct) return result(written("count", call, argument.sql), TargetType::bigint, call.offset);
  return result(written("count", call, sort_key(as_value(argument))), TargetType::bigint, call.offset);
}

/// The sum as a numeric or a double, NULL for no rows.
Value sum(const AggregateCall& call, Context& context) {
  const Value& argument = call.arguments.front();
  if (argument.type == TargetType::numeric) {
    // PostgreSQL sums decimals exactly, SQLite as reals.
    context.require_rounding(std::string(rounded_sum), call.offset);
    Value total = result(written("sum", call, argument.sql), TargetType::numeric, call.offset);
    total.is_mixed = true;
    return total;
  }
  const Value number = as_value(as_number(argument));
  if (number.type == TargetType::bigint) {
    return result(written("sum", call, number.sql) + "::bigint", TargetType::bigint, call.offset);
  }
  context.require_rounding(std::string(rounded_sum), call.offset);
  if (number.may_be_infinite) refuse(argument, "a sum over a column that holds an infinity");
  Value total = result(written("sum", call, number.sql), TargetType::double_precision, call.offset);
  total.is_mixed = number.is_mixed;
  return total;
}

/// The sum of integers as a real: PostgreSQL sums them exactly and rounds once, as SQLite does below 2^53.
Value real_sum(const AggregateCall& call, Context& context) {
  const Value& argument = call.arguments.front();
  if (argument.type == TargetType::numeric || as_number(argument).type != TargetType::bigint) {
    Value total = sum(call, context);
    return result(total.sql + "::double precision", TargetType::double_precision, call.offset);
  }
  const Value number = as_value(as_number(argument));
  return result(written("sum", call, number.sql) + "::double precision", TargetType::double_precision,
                call.offset);
}

Value extreme(const AggregateCall& call, const Context& context) {
  Value argument = as_value(call.arguments.front());
  require_equality(argument);
  if (argument.is_null_literal()) refuse(argument, "an aggregate of NULL");
  if (argument.type == TargetType::bytea)
    refuse(argument, "PostgreSQL has no " + std::string(call.name) + "() of bytea");
  if (argument.type == TargetType::boolean) argument = as_integer(argument);
  if (argument.type == TargetType::uuid) argument = as_text(argument, context);
  const bool is_text = sql::is_text(argument.type);
  Value most = argument;
  most.sql = written(call.name, call, is_text ? bytewise(argument) : argument.sql);
  most.is_bytewise = is_text;
  if (is_text) most.type = TargetType::text;
  most.affinity = Affinity::none;
  most.collation.reset();
  most.has_explicit_collation = false;
  most.is_atomic = true;
  return most;
}

}  // namespace

bool is_aggregate(std::string_view name, std::size_t argument_count) noexcept {
  constexpr std::array<std::string_view, 6> always = {"avg",        "count", "group_concat",
                                                      "string_agg", "sum",   "total"};
  constexpr std::array<std::string_view, 4> json = {"json_group_array", "json_group_object",
                                                    "jsonb_group_array", "jsonb_group_object"};
  return std::ranges::find(always, name) != always.end() || std::ranges::find(json, name) != json.end() ||
         ((name == "min" || name == "max") && argument_count == 1);
}

Value call_aggregate(const AggregateCall& call, Context& context) {
  Value value;
  if (call.name == "count" && call.arguments.size() <= 1) {
    value = count(call);
    value.is_not_null = true;
    value.lower_bound = 0;
  } else if (call.is_star || call.arguments.size() != 1) {
    throw Refusal("the aggregate " + std::string(call.name) + "() with these arguments has no equal",
                  call.offset);
  } else if (call.arguments.front().is_null_literal()) {
    throw Refusal("an aggregate of NULL", call.offset);
  } else if (call.name == "sum") {
    value = sum(call, context);
  } else if (call.name == "total") {
    value = real_sum(call, context);
    value.sql = "coalesce(" + value.sql + ", 0)";
    value.is_not_null = true;
  } else if (call.name == "avg") {
    const Value total = real_sum(call, context);
    value = result(total.sql + " / " + written("count", call, call.arguments.front().sql),
                   TargetType::double_precision, call.offset, false);
  } else if (call.name == "min" || call.name == "max") {
    value = extreme(call, context);
    value.is_not_null = false;
  } else if (call.name == "group_concat" || call.name == "string_agg") {
    throw Refusal("the order of rows in " + std::string(call.name) + "() is not defined", call.offset);
  } else {
    throw Refusal("the aggregate " + std::string(call.name) + "() has no equal", call.offset);
  }
  value.offset = call.offset;
  value.is_aggregate = true;
  return value;
}

}  // namespace nerve::convert::sql
