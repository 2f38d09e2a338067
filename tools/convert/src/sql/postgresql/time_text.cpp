// SPDX-License-Identifier: Apache-2.0
#include "sql/postgresql/time_text.h"

#include "sql/postgresql/quote.h"

#include <array>
#include <chrono>

namespace nerve::convert::sql {
namespace {

constexpr std::string_view utc_now = "statement_timestamp() AT TIME ZONE 'UTC'";

/// One conversion of strftime() in PostgreSQL's terms.
struct Piece {
  char letter;
  std::string_view pattern;  ///< of to_char(); empty where it has none
  std::string_view field;    ///< of extract()
  int width;                 ///< zeros are put before up to this many characters
};

constexpr std::array<Piece, 9> pieces = {{
    {'Y', "YYYY", "year", 4},
    {'m', "MM", "month", 2},
    {'d', "DD", "day", 2},
    {'H', "HH24", "hour", 2},
    {'M', "MI", "minute", 2},
    {'S', "SS", "second", 2},
    {'j', "DDD", "doy", 3},
    {'w', "", "dow", 1},
    {'s', "", "epoch", 1},
}};

const Piece* find_piece(char letter) noexcept {
  for (const Piece& piece : pieces) {
    if (piece.letter == letter) return &piece;
  }
  return nullptr;
}

/// The time as a timestamp in UTC, which extract() is immutable on.
std::string base_of(const Value& time) {
  if (time.type == TargetType::date) return cast(time, "timestamp");
  return time.type == TargetType::timestamptz ? '(' + wrapped(time) + " AT TIME ZONE 'UTC')" : wrapped(time);
}

/// The pattern that to_char() takes; nothing where a conversion has none.
std::optional<std::string> to_char_pattern(std::string_view format) {
  std::string pattern;
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty()) pattern += '"' + literal + '"';
    literal.clear();
  };
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || format[i + 1] == '%') {
      if (format[i] == '"' || format[i] == '\\') return std::nullopt;
      const std::string_view bare = "-:. /";
      if (bare.find(format[i]) != std::string_view::npos) flush();
      (bare.find(format[i]) != std::string_view::npos ? pattern : literal) += format[i];
      if (format[i] == '%') ++i;
      continue;
    }
    flush();
    const char letter = format[++i];
    const Piece* piece = find_piece(letter);
    if (letter == 'f') {
      pattern += "SS.MS";
    } else if (piece == nullptr || piece->pattern.empty()) {
      return std::nullopt;
    } else {
      pattern += piece->pattern;
    }
  }
  flush();
  return pattern;
}

std::string extracted(const Piece& piece, const std::string& base) {
  std::string number = "floor(extract(" + std::string(piece.field) + " from " + base + "))::bigint::text";
  if (piece.width == 1) return number;
  return "lpad(" + number + ", " + std::to_string(piece.width) + ", '0')";
}

/// The same without to_char(), which PostgreSQL does not call immutable.
std::string extracted_text(std::string_view format, const std::string& base) {
  std::string sql;
  std::string literal;
  const auto append = [&](const std::string& part) { sql += (sql.empty() ? "" : " || ") + part; };
  const auto flush = [&] {
    if (!literal.empty()) append(quote_literal(literal));
    literal.clear();
  };
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      literal += format[i];
      continue;
    }
    const char letter = format[++i];
    if (letter == '%') {
      literal += '%';
      continue;
    }
    flush();
    append(extracted(*find_piece(letter == 'f' ? 'S' : letter), base));
    if (letter == 'f') literal += ".000";
  }
  flush();
  return sql;
}

void require_known_format(std::string_view format, std::size_t offset) {
  bool writes_time = false;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') continue;
    ++i;
    if (i == format.size()) throw Refusal("the format ends with %", offset);
    writes_time = writes_time || format[i] != '%';
    if (format[i] != '%' && format[i] != 'f' && find_piece(format[i]) == nullptr) {
      throw Refusal("the conversion %" + std::string(1, format[i]) + " of strftime() has no equal", offset);
    }
  }
  if (!writes_time) throw Refusal("a format of strftime() that writes no time", offset);
}

int number_at(std::string_view text, std::size_t at, std::size_t size) noexcept {
  int number = 0;
  for (const char c : text.substr(at, size)) number = number * 10 + (c - '0');
  return number;
}

/// Whether a text has digits where the shape has 0, and the shape's characters elsewhere.
bool has_shape(std::string_view text, std::string_view shape) noexcept {
  if (text.size() != shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool fits = shape[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == shape[i];
    if (!fits) return false;
  }
  return true;
}

bool is_time_of_day(std::string_view text) noexcept {
  return number_at(text, 11, 2) < 24 && number_at(text, 14, 2) < 60 && number_at(text, 17, 2) < 60;
}

}  // namespace

bool is_epoch(TimeForm form) noexcept {
  return form == TimeForm::epoch_seconds || form == TimeForm::epoch_milliseconds;
}

std::string_view format_of(TimeForm form) noexcept {
  switch (form) {
    case TimeForm::date:
      return "%Y-%m-%d";
    case TimeForm::datetime:
      return "%Y-%m-%d %H:%M:%S";
    case TimeForm::datetime_t:
      return "%Y-%m-%dT%H:%M:%S";
    case TimeForm::datetime_tz:
      return "%Y-%m-%dT%H:%M:%SZ";
    default:
      return {};
  }
}

TimeForm form_of(std::string_view text) noexcept {
  TimeForm form = TimeForm::unknown;
  if (has_shape(text, "0000-00-00")) form = TimeForm::date;
  if (has_shape(text, "0000-00-00 00:00:00")) form = TimeForm::datetime;
  if (has_shape(text, "0000-00-00T00:00:00")) form = TimeForm::datetime_t;
  if (has_shape(text, "0000-00-00T00:00:00Z")) form = TimeForm::datetime_tz;
  if (form == TimeForm::unknown) return form;
  const std::chrono::year_month_day day{std::chrono::year(number_at(text, 0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number_at(text, 5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number_at(text, 8, 2)))};
  const bool is_time =
      day.ok() && number_at(text, 0, 4) > 0 && (form == TimeForm::date || is_time_of_day(text));
  return is_time ? form : TimeForm::unknown;
}

Value formatted_time(const Value& time, std::string_view format, const Context& context, std::size_t offset) {
  require_known_format(format, offset);
  const std::string base = base_of(time);
  std::optional<std::string> pattern;
  if (!context.options.is_immutable) pattern = to_char_pattern(format);
  Value text =
      pattern ? result("to_char(" + base + ", " + quote_literal(*pattern) + ")", TargetType::text, offset)
              : result(extracted_text(format, base), TargetType::text, offset, false);
  text.is_not_null = time.is_not_null;
  text.is_aggregate = time.is_aggregate;
  return text;
}

Value time_text(const Value& time, const Context& context) {
  return formatted_time(time, format_of(time.time_form), context, time.offset);
}

Value epoch_integer(const Value& time) {
  const std::string seconds = "extract(epoch from " + base_of(time) + ")";
  const bool is_seconds = time.time_form == TimeForm::epoch_seconds;
  return result("floor(" + seconds + (is_seconds ? ")::bigint" : " * 1000)::bigint"), TargetType::bigint,
                time.offset);
}

Value present_time(std::size_t offset) {
  Value now = result('(' + std::string(utc_now) + ')', TargetType::timestamp, offset);
  now.is_not_null = true;
  return now;
}

std::optional<std::string> time_literal(std::string_view text, TargetType type) {
  const TimeForm form = form_of(text);
  if (form == TimeForm::unknown) return std::nullopt;
  std::string written(text);
  if (type == TargetType::date) {
    if (form != TimeForm::date) return std::nullopt;
  } else if (type == TargetType::timestamp) {
    if (form == TimeForm::datetime_tz) return std::nullopt;
  } else if (form == TimeForm::datetime_tz) {
    written.pop_back();
    written += "+00";
  } else {
    written += "+00";
  }
  return quote_literal(written) + "::" + std::string(to_sql(type));
}

}  // namespace nerve::convert::sql
