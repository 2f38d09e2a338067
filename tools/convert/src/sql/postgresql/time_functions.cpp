// SPDX-License-Identifier: Apache-2.0
#include "sql/postgresql/functions.h"
#include "sql/postgresql/time_text.h"
#include "sql/tokens.h"

#include <algorithm>
#include <string>

namespace nerve::convert::sql {
namespace {

/// Says of the text that a format writes whether it can look like a number.
void describe(Value& text, std::string_view format) noexcept {
  if (format == "%s") text.time_form = TimeForm::epoch_seconds;
  text.is_never_number =
      format.find(':') != std::string_view::npos || format.find('-', 1) != std::string_view::npos;
}

/// A literal that SQLite and this agree about, formatted by what it holds.
Value formatted_literal(const Value& literal, std::string_view format, std::size_t offset) {
  const std::string& text = *literal.text();
  const TimeForm form = form_of(text);
  if (form == TimeForm::unknown)
    refuse(literal, "a time that is not written as YYYY-MM-DD or YYYY-MM-DD HH:MM:SS");
  const std::string day = text.substr(0, 10);
  const std::string time = form == TimeForm::date ? "00:00:00" : text.substr(11, 8);
  if (format == "%Y-%m-%d") return text_literal(day, offset);
  if (format == "%H:%M:%S") return text_literal(time, offset);
  if (format == "%Y-%m-%d %H:%M:%S") return text_literal(day + ' ' + time, offset);
  refuse(literal, "strftime() of a literal");
}

/// The time that the arguments from `first` on name; they are none but 'now' and, for a column that holds an
/// epoch, 'unixepoch'.
Value time_argument(const Call& call, std::size_t first, const Context& context) {
  const std::size_t count = call.arguments.size();
  if (count <= first) {
    context.require_stable("the present time", call.offset);
    return present_time(call.offset);
  }
  const Value& time = call.arguments[first];
  const bool is_epoch_call = count == first + 2 && time.time_form == TimeForm::epoch_seconds &&
                             call.arguments[first + 1].text() != nullptr &&
                             equals_folded(*call.arguments[first + 1].text(), "unixepoch");
  if (count > first + 1 && !is_epoch_call) {
    refuse(call.arguments[first + 1], "a modifier of " + std::string(call.name) + "()");
  }
  if (time.text() != nullptr && equals_folded(*time.text(), "now")) {
    context.require_stable("the present time", call.offset);
    return present_time(call.offset);
  }
  if (time.text() != nullptr) return time;
  if (!is_time(time.type) || time.time_form == TimeForm::unknown) {
    refuse(time, "whether SQLite reads this as a time depends on each value");
  }
  if (is_epoch(time.time_form) && !is_epoch_call) refuse(time, "a number that SQLite reads as a Julian day");
  return time;
}

Value formatted(const Call& call, std::size_t first, std::string_view format, const Context& context) {
  const Value time = time_argument(call, first, context);
  Value text = time.text() != nullptr ? formatted_literal(time, format, call.offset)
                                      : formatted_time(time, format, context, call.offset);
  describe(text, format);
  return text;
}

Value unix_epoch(const Call& call, const Context& context) {
  const Value time = time_argument(call, 0, context);
  if (time.text() != nullptr) refuse(time, "unixepoch() of a literal");
  Value seconds = time;
  seconds.time_form = TimeForm::epoch_seconds;
  seconds = epoch_integer(seconds);
  seconds.offset = call.offset;
  seconds.is_not_null = time.is_not_null;
  return seconds;
}

}  // namespace

Value formatted_now(std::string_view format, const Context& context, std::size_t offset) {
  context.require_stable("the present time", offset);
  Value text = formatted_time(present_time(offset), format, context, offset);
  describe(text, format);
  return text;
}

std::optional<Value> call_time_function(const Call& call, const Context& context) {
  const bool has_null =
      std::ranges::any_of(call.arguments, [](const Value& value) { return value.is_null_literal(); });
  const bool is_known = call.name == "date" || call.name == "time" || call.name == "datetime" ||
                        call.name == "strftime" || call.name == "unixepoch";
  if (!is_known) return std::nullopt;
  if (has_null) return null_literal(call.offset);
  if (call.name == "date") return formatted(call, 0, "%Y-%m-%d", context);
  if (call.name == "time") return formatted(call, 0, "%H:%M:%S", context);
  if (call.name == "datetime") return formatted(call, 0, "%Y-%m-%d %H:%M:%S", context);
  if (call.name == "unixepoch") return unix_epoch(call, context);
  if (call.arguments.empty()) throw Refusal("strftime() without a format", call.offset);
  const Value& format = call.arguments.front();
  if (format.text() == nullptr) refuse(format, "a format of strftime() that is no literal");
  return formatted(call, 1, *format.text(), context);
}

}  // namespace nerve::convert::sql
