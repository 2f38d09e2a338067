// SPDX-License-Identifier: Apache-2.0
#include "sql/postgresql/defaults.h"

#include "sql/postgresql/functions.h"
#include "sql/postgresql/operation.h"
#include "sql/postgresql/quote.h"
#include "sql/postgresql/time_text.h"
#include "sql/tokens.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace nerve::convert::sql {
namespace {

/// What strftime('%s', …) gives: a text that is a number.
bool is_epoch_text(const Value& value) noexcept {
  return value.type == TargetType::text && value.time_form == TimeForm::epoch_seconds;
}

[[noreturn]] void refuse_type(const Value& value, const Column& column) {
  if (column.type == TargetType::unknown)
    refuse(value, "the column's values are not of one type, or not as exact as SQLite's");
  refuse(value, "a value that the column cannot hold as " + std::string(to_sql(column.type)));
}

/// What SQLite stores when a literal is put into a column of this affinity.
Value stored(const Value& literal, Affinity affinity) {
  if (affinity == Affinity::text && literal.integer() != nullptr) {
    return text_literal(std::to_string(*literal.integer()), literal.offset);
  }
  if (!is_numeric(affinity)) return literal;
  Value number = literal;
  if (literal.text() != nullptr) {
    const std::optional<Constant> parsed = number_of(*literal.text());
    if (!parsed) return literal;
    const auto* integer = std::get_if<std::int64_t>(&*parsed);
    number = integer != nullptr ? integer_literal(*integer, literal.offset)
                                : real_literal(std::get<double>(*parsed), literal.offset);
  }
  const double limit = 9007199254740992.0;
  if (affinity == Affinity::real && number.integer() != nullptr) {
    return real_literal(static_cast<double>(*number.integer()), literal.offset);
  }
  if (affinity != Affinity::real && number.real() != nullptr &&
      std::trunc(*number.real()) == *number.real() && std::fabs(*number.real()) < limit) {
    return integer_literal(static_cast<std::int64_t>(*number.real()), literal.offset);
  }
  return number;
}

std::string number_default(const Value& literal, const Column& column) {
  if (literal.text() != nullptr) refuse_type(literal, column);
  if (literal.real() != nullptr) {
    const bool takes_reals =
        column.type == TargetType::double_precision || column.type == TargetType::numeric;
    if (!takes_reals) refuse_type(literal, column);
    // SQLite stores a minus zero as the integer 0.
    return *literal.real() == 0 ? "0" : literal.sql;
  }
  if (column.type != TargetType::boolean) return literal.sql;
  if (*literal.integer() != 0 && *literal.integer() != 1) refuse_type(literal, column);
  return *literal.integer() == 1 ? "true" : "false";
}

bool is_uuid(std::string_view text) noexcept {
  constexpr std::string_view shape = "00000000-0000-0000-0000-000000000000";
  if (text.size() != shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool is_hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (shape[i] == '-' ? text[i] != '-' : !is_hex) return false;
  }
  return true;
}

std::string text_default(const Value& literal, const Column& column) {
  if (literal.real() != nullptr) refuse(literal, "the engines write reals as texts in different ways");
  const std::string text = literal.text() != nullptr ? *literal.text() : std::to_string(*literal.integer());
  const std::string cast = "::" + std::string(to_sql(column.type));
  switch (column.type) {
    case TargetType::text:
    case TargetType::varchar:
      return quote_literal(text);
    case TargetType::uuid:
      if (!is_uuid(text)) refuse_type(literal, column);
      return quote_literal(text) + cast;
    default:
      break;
  }
  try {
    parse_json(text, "default");
  } catch (const ValidationError&) {
    refuse_type(literal, column);
  }
  return quote_literal(text) + cast;
}

std::string time_default(const Value& literal, const Column& column) {
  if (literal.text() == nullptr) refuse_type(literal, column);
  const std::optional<std::string> time = time_literal(*literal.text(), column.type);
  if (!time || is_epoch(column.time_form)) refuse_type(literal, column);
  return *time;
}

std::string literal_default(const Value& literal, const Column& column) {
  if (literal.is_null_literal()) return "NULL";
  const Value value = stored(literal, column.affinity);
  switch (column.type) {
    case TargetType::boolean:
    case TargetType::bigint:
    case TargetType::double_precision:
    case TargetType::numeric:
      return number_default(value, column);
    case TargetType::text:
    case TargetType::varchar:
    case TargetType::uuid:
    case TargetType::json:
    case TargetType::jsonb:
      return text_default(value, column);
    case TargetType::date:
    case TargetType::timestamp:
    case TargetType::timestamptz:
      return time_default(value, column);
    case TargetType::bytea:
    case TargetType::unknown:
      break;
  }
  refuse_type(literal, column);
}

/// The formats that write the present time, and the unit that they cut it to.
struct NowFormat {
  std::string_view format;
  std::string_view unit;
};

constexpr std::array<NowFormat, 9> now_formats = {{
    {"%Y-%m-%d", "day"},
    {"%Y-%m-%d %H:%M", "minute"},
    {"%Y-%m-%d %H:%M:%S", "second"},
    {"%Y-%m-%dT%H:%M:%S", "second"},
    {"%Y-%m-%dT%H:%M:%SZ", "second"},
    {"%Y-%m-%d %H:%M:%f", "milliseconds"},
    {"%Y-%m-%dT%H:%M:%f", "milliseconds"},
    {"%Y-%m-%dT%H:%M:%fZ", "milliseconds"},
    {"%s", "second"},
}};

/// The format of an expression that is the present time: CURRENT_TIMESTAMP, datetime('now'), strftime(…),
/// also unixepoch() as "%s". Nothing for another expression.
std::optional<std::string> format_of_now(const Expression& expression) {
  if (const auto* literal = std::get_if<Literal>(&expression.node)) {
    if (literal->kind == LiteralKind::current_date) return "%Y-%m-%d";
    if (literal->kind == LiteralKind::current_timestamp) return "%Y-%m-%d %H:%M:%S";
    return std::nullopt;
  }
  if (const auto* cast = std::get_if<Cast>(&expression.node)) {
    const std::optional<std::string> format = format_of_now(*cast->operand);
    return format == "%s" && affinity_of(cast->type) == Affinity::integer ? format : std::nullopt;
  }
  const auto* call = std::get_if<FunctionCall>(&expression.node);
  if (call == nullptr) return std::nullopt;
  const std::string name = folded(call->name.text);
  std::size_t time = 0;
  std::string format;
  if (name == "date") format = "%Y-%m-%d";
  if (name == "datetime") format = "%Y-%m-%d %H:%M:%S";
  if (name == "unixepoch") format = "%s";
  const auto text_at = [&](std::size_t i) -> const std::string* {
    const auto* literal = std::get_if<Literal>(&call->arguments[i]->node);
    return literal != nullptr && literal->kind == LiteralKind::text ? &literal->text : nullptr;
  };
  if (name == "strftime" && !call->arguments.empty() && text_at(0) != nullptr) {
    format = *text_at(0);
    time = 1;
  }
  if (format.empty() || call->arguments.size() > time + 1) return std::nullopt;
  const bool is_now =
      call->arguments.size() == time || (text_at(time) != nullptr && equals_folded(*text_at(time), "now"));
  return is_now ? std::optional(format) : std::nullopt;
}

/// The present time as a date, timestamp or timestamptz, cut as SQLite's text is.
std::string now_default(const std::string& format, const Expression& expression, const Column& column) {
  const auto* found = std::ranges::find(now_formats, std::string_view(format), &NowFormat::format);
  const bool is_date = column.type == TargetType::date;
  const bool writes_epoch = format == "%s";
  if (found == now_formats.end() || (is_date && found->unit != "day") ||
      writes_epoch != (column.time_form == TimeForm::epoch_seconds) ||
      column.time_form == TimeForm::epoch_milliseconds) {
    throw Refusal("a present time in another form than the column's", expression.begin);
  }
  const std::string utc = "statement_timestamp() AT TIME ZONE 'UTC'";
  if (is_date) return "(" + utc + ")::date";
  const std::string cut = "date_trunc('" + std::string(found->unit) + "', " + utc + ")";
  return column.type == TargetType::timestamptz ? '(' + cut + " AT TIME ZONE 'UTC')" : cut;
}

/// A name that is no column here: TRUE, FALSE, or a text.
std::optional<Value> word_default(const Expression& expression) {
  const auto* name = std::get_if<ColumnName>(&expression.node);
  if (name == nullptr || !name->table.empty()) return std::nullopt;
  if (name->column.quote == '\0' && equals_folded(name->column.text, "true")) {
    return integer_literal(1, expression.begin);
  }
  if (name->column.quote == '\0' && equals_folded(name->column.text, "false")) {
    return integer_literal(0, expression.begin);
  }
  return text_literal(name->column.text, expression.begin);
}

}  // namespace

std::string assigned(const Value& value, const Column& column, Context& context) {
  if (value.constant) return literal_default(value, column);
  const ValueClass from = class_of(value);
  const bool has_number = from == ValueClass::number;
  switch (column.type) {
    case TargetType::boolean:
      if (value.type == TargetType::boolean) return value.sql;
      break;
    case TargetType::bigint:
      if (value.is_integer() || (has_number && is_epoch(value.time_form))) {
        if (column.affinity != Affinity::text && column.affinity != Affinity::real)
          return as_integer(value).sql;
      }
      // A text that is a number becomes one in a numeric column.
      if (is_epoch_text(value) && is_numeric(column.affinity)) return cast(value, "bigint");
      break;
    case TargetType::double_precision:
      if (value.type == TargetType::double_precision && column.affinity != Affinity::text) return value.sql;
      if (has_number && column.affinity == Affinity::real)
        return cast(value.type == TargetType::numeric ? value : as_integer(value), "double precision");
      break;
    case TargetType::numeric:
      if (value.type == TargetType::numeric) return value.sql;
      if (value.is_integer()) return cast(as_integer(value), "numeric");
      break;
    case TargetType::text:
    case TargetType::varchar: {
      // A numeric affinity would make a number of a text that looks like one.
      const bool is_surely_text = !is_numeric(column.affinity) || value.is_never_number ||
                                  (is_time(value.type) && value.time_form != TimeForm::unknown);
      const bool is_stored_as_text =
          (from == ValueClass::text && is_surely_text) || (has_number && column.affinity == Affinity::text);
      if (is_stored_as_text) return as_text(value, context).sql;
      break;
    }
    case TargetType::bytea:
      if (value.type == TargetType::bytea) return value.sql;
      break;
    case TargetType::unknown:
      break;
    default:
      if (value.type == column.type && value.time_form == column.time_form) return value.sql;
      break;
  }
  refuse_type(value, column);
}

std::string default_sql(const Expression& expression, const Column& column, Context& context,
                        Writer& writer) {
  if (is_time(column.type)) {
    if (const std::optional<std::string> format = format_of_now(expression)) {
      return now_default(*format, expression, column);
    }
  }
  if (const std::optional<Value> word = word_default(expression)) return literal_default(*word, column);
  return assigned(writer.write(expression, Scope{}), column, context);
}

}  // namespace nerve::convert::sql
