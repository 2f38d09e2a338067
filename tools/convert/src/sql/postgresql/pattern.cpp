// SPDX-License-Identifier: Apache-2.0
#include "sql/postgresql/operation.h"
#include "sql/postgresql/quote.h"
#include "sql/tokens.h"

#include "nerve/core/text.h"

#include <array>
#include <cstdio>
#include <string>
#include <string_view>

namespace nerve::convert::sql {
namespace {

bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_alphanumeric(char32_t c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// The character that ESCAPE names. SQLite compares it before it folds case, so a letter would escape in one
/// spelling only.
char escape_of(const Value& escape) {
  const std::string* text = escape.text();
  if (text == nullptr || text->size() != 1 || is_letter(text->front())) {
    refuse(escape, "an ESCAPE that is not one ASCII character other than a letter");
  }
  return text->front();
}

/// PostgreSQL refuses a pattern that ends with its escape; to SQLite it matches nothing.
void require_complete(const Value& pattern, char escape) {
  const std::string* text = pattern.text();
  if (text == nullptr) refuse(pattern, "a pattern with ESCAPE that is no literal");
  for (std::size_t i = 0; i < text->size(); ++i) {
    if ((*text)[i] == escape && ++i == text->size()) refuse(pattern, "a pattern that ends with its escape");
  }
}

/// Reads a GLOB pattern one character at a time and writes a regular expression of PostgreSQL.
class GlobReader {
 public:
  explicit GlobReader(const Value& pattern) : pattern_(pattern), text_(*pattern.text()) {}

  bool has_sets() const noexcept { return text_.find('[') != std::string_view::npos; }

  /// The pattern for LIKE, whose escape is the backslash; for one without sets.
  std::string to_like() const {
    std::string like;
    for (const char c : text_) {
      if (c == '*') {
        like += '%';
      } else if (c == '?') {
        like += '_';
      } else {
        if (c == '%' || c == '_' || c == '\\') like += '\\';
        like += c;
      }
    }
    return like;
  }

  std::string to_regular_expression() {
    std::string expression = "^";
    while (at_ < text_.size()) {
      const char32_t c = next();
      if (c == '*') {
        expression += ".*";
      } else if (c == '?') {
        expression += '.';
      } else if (c == '[') {
        expression += read_set();
      } else {
        expression += escaped(c);
      }
    }
    return expression + '$';
  }

 private:
  char32_t next() {
    const CodePoint point = first_code_point(text_.substr(at_));
    at_ += point.size_bytes;
    return point.value;
  }

  /// Letters and digits as they are; anything else by its number, which has no second meaning anywhere.
  static std::string escaped(char32_t c) {
    if (is_alphanumeric(c)) return {static_cast<char>(c)};
    std::array<char, 16> buffer{};
    const int size = std::snprintf(buffer.data(), buffer.size(), c > 0xFFFF ? "\\U%08x" : "\\u%04x",
                                   static_cast<unsigned int>(c));
    return {buffer.data(), static_cast<std::size_t>(size)};
  }

  std::string read_set() {
    std::string set = "[";
    if (peek() == '^') {
      set += '^';
      ++at_;
    }
    bool is_first = true;
    for (char32_t last = 0;; is_first = false) {
      if (at_ >= text_.size()) refuse(pattern_, "a set of GLOB that is not closed");
      const char32_t c = next();
      if (c == ']' && !is_first) break;
      if (c == '-' && last != 0 && at_ < text_.size() && peek() != ']') {
        const char32_t high = next();
        if (high < last) refuse(pattern_, "a range of GLOB that runs backwards");
        set += '-' + escaped(high);
        last = 0;
      } else {
        set += escaped(c);
        // The bracket that may stand first does not begin a range in SQLite.
        last = c == ']' ? 0 : c;
        if (last == 0 && peek() == '-') refuse(pattern_, "a range of GLOB that begins with a bracket");
      }
    }
    return set + ']';
  }

  char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }

  const Value& pattern_;
  std::string_view text_;
  std::size_t at_ = 0;
};

Value pattern_condition(std::string sql, const Value& operand, const Value& pattern, std::size_t offset) {
  Value match = condition(std::move(sql), offset);
  match.is_not_null = operand.is_not_null && pattern.is_not_null;
  match.is_aggregate = operand.is_aggregate || pattern.is_aggregate;
  return match;
}

}  // namespace

Value like(const Value& operand, const Value& pattern, const std::optional<Value>& escape,
           const Context& context, std::size_t offset) {
  const Value text = as_text(operand, context);
  const Value pattern_text = as_text(pattern, context);
  if (text.is_null_literal() || pattern_text.is_null_literal()) return condition("NULL::boolean", offset);
  std::string written_escape = "''";
  if (escape) {
    const char character = escape_of(*escape);
    require_complete(pattern_text, character);
    written_escape = quote_literal(std::string(1, character));
  }
  const std::string pattern_sql = pattern_text.text() != nullptr
                                      ? quote_literal(folded(*pattern_text.text()))
                                      : "lower(" + wrapped(pattern_text) + " COLLATE \"C\")";
  return pattern_condition(
      "lower(" + wrapped(text) + " COLLATE \"C\") LIKE " + pattern_sql + " ESCAPE " + written_escape, operand,
      pattern, offset);
}

Value glob(const Value& operand, const Value& pattern, const Context& context, std::size_t offset) {
  const Value text = as_text(operand, context);
  const Value pattern_text = as_text(pattern, context);
  if (text.is_null_literal() || pattern_text.is_null_literal()) return condition("NULL::boolean", offset);
  if (pattern_text.text() == nullptr) refuse(pattern, "a pattern of GLOB that is no literal");
  GlobReader reader(pattern_text);
  const std::string sql = reader.has_sets()
                              ? bytewise(text) + " ~ " + quote_literal(reader.to_regular_expression())
                              : wrapped(text) + " LIKE " + quote_literal(reader.to_like());
  return pattern_condition(sql, operand, pattern, offset);
}

}  // namespace nerve::convert::sql
