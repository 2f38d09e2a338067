// SPDX-License-Identifier: Apache-2.0
#include "sql/tokens.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <array>

namespace nerve::convert::sql {
namespace {

constexpr bool is_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool is_hex_digit(char c) noexcept {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}

/// What a bare name may begin with; all bytes of characters beyond ASCII are letters to SQLite.
constexpr bool begins_name(char c) noexcept {
  return (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

constexpr bool continues_name(char c) noexcept {
  return begins_name(c) || is_digit(c) || c == '$';
}

class Lexer {
 public:
  explicit Lexer(std::string_view sql) noexcept : sql_(sql) {}

  Token next() {
    skip_spaces_and_comments();
    const std::size_t begin = at_;
    if (at_ == sql_.size()) return Token{TokenKind::end, sql_.substr(at_), at_};
    const TokenKind kind = read();
    return Token{kind, sql_.substr(begin, at_ - begin), begin};
  }

 private:
  /// The character so many bytes ahead; NUL behind the end.
  char ahead(std::size_t count) const noexcept {
    return at_ + count < sql_.size() ? sql_[at_ + count] : '\0';
  }

  [[noreturn]] void fail(const std::string& what) const { fail_at(sql_, at_, what); }

  void skip_spaces_and_comments() {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    for (;;) {
      if (at_ < sql_.size() && is_space(sql_[at_])) {
        ++at_;
      } else if (sql_.substr(at_).starts_with("--")) {
        at_ = std::min(sql_.find('\n', at_), sql_.size());
      } else if (sql_.substr(at_).starts_with("/*")) {
        // SQLite takes a comment that is not closed as one that reaches to the end.
        const std::size_t close = sql_.find("*/", at_ + 2);
        at_ = close == std::string_view::npos ? sql_.size() : close + 2;
      } else if (sql_.substr(at_).starts_with(byte_order_mark)) {
        at_ += byte_order_mark.size();
      } else {
        return;
      }
    }
  }

  TokenKind read() {
    const char c = sql_[at_];
    if (c == '\'' || c == '"' || c == '`') return read_quoted(c);
    if (c == '[') return read_bracketed();
    if ((c == 'x' || c == 'X') && ahead(1) == '\'') return read_blob();
    if (begins_name(c)) return skip_name(TokenKind::word);
    if (is_digit(c) || (c == '.' && is_digit(ahead(1)))) return read_number();
    if (c == '?' || c == ':' || c == '@' || c == '$' || c == '#') return read_parameter();
    return read_symbol();
  }

  TokenKind skip_name(TokenKind kind) {
    while (at_ < sql_.size() && continues_name(sql_[at_])) ++at_;
    return kind;
  }

  TokenKind read_quoted(char quote) {
    for (std::size_t end = at_ + 1; end < sql_.size(); ++end) {
      if (sql_[end] != quote) continue;
      if (end + 1 < sql_.size() && sql_[end + 1] == quote) {
        ++end;
        continue;
      }
      at_ = end + 1;
      return quote == '\'' ? TokenKind::string : TokenKind::quoted_name;
    }
    fail("quote that is not closed");
  }

  TokenKind read_bracketed() {
    const std::size_t close = sql_.find(']', at_);
    if (close == std::string_view::npos) fail("bracket that is not closed");
    at_ = close + 1;
    return TokenKind::quoted_name;
  }

  TokenKind read_blob() {
    std::size_t end = at_ + 2;
    while (end < sql_.size() && is_hex_digit(sql_[end])) ++end;
    if (end == sql_.size() || sql_[end] != '\'' || (end - at_) % 2 != 0) fail("malformed blob literal");
    at_ = end + 1;
    return TokenKind::blob;
  }

  void skip_digits() {
    while (is_digit(ahead(0))) ++at_;
  }

  TokenKind read_number() {
    TokenKind kind = TokenKind::integer;
    if (sql_[at_] == '0' && lower(ahead(1)) == 'x' && is_hex_digit(ahead(2))) {
      at_ += 2;
      while (is_hex_digit(ahead(0))) ++at_;
    } else {
      skip_digits();
      if (ahead(0) == '.') {
        kind = TokenKind::real;
        ++at_;
        skip_digits();
      }
      const bool is_signed = ahead(1) == '+' || ahead(1) == '-';
      if (lower(ahead(0)) == 'e' && is_digit(ahead(is_signed ? 2 : 1))) {
        kind = TokenKind::real;
        at_ += is_signed ? 2 : 1;
        skip_digits();
      }
    }
    if (continues_name(ahead(0))) fail("number that runs into a name");
    return kind;
  }

  TokenKind read_parameter() {
    const bool is_numbered = sql_[at_] == '?';
    const std::size_t begin = at_++;
    if (is_numbered) {
      skip_digits();
    } else {
      skip_name(TokenKind::parameter);
      if (at_ == begin + 1) {
        at_ = begin;
        fail("unknown character");
      }
    }
    return TokenKind::parameter;
  }

  TokenKind read_symbol() {
    // Longer ones before their beginnings.
    constexpr std::array<std::string_view, 26> symbols = {
        "->>", "->", "||", "<<", ">>", "<=", ">=", "<>", "!=", "==", "-", "+", "*",
        "/",   "%",  "&",  "|",  "~",  "<",  ">",  "=",  "(",  ")",  ",", ".", ";"};
    for (const std::string_view symbol : symbols) {
      if (sql_.substr(at_).starts_with(symbol)) {
        at_ += symbol.size();
        return TokenKind::symbol;
      }
    }
    fail("unknown character");
  }

  std::string_view sql_;
  std::size_t at_ = 0;
};

}  // namespace

Place place_of(std::string_view sql, std::size_t offset) noexcept {
  const std::string_view before = sql.substr(0, std::min(offset, sql.size()));
  const std::size_t line_break = before.rfind('\n');
  Place place;
  place.line = 1 + static_cast<std::size_t>(std::ranges::count(before, '\n'));
  place.column = line_break == std::string_view::npos ? before.size() + 1 : before.size() - line_break;
  return place;
}

void fail_at(std::string_view sql, std::size_t offset, const std::string& what) {
  const Place place = place_of(sql, offset);
  const std::string where = "line " + std::to_string(place.line) + ", column " + std::to_string(place.column);
  throw ValidationError(what + " at " + where, {}, {Violation{where, "syntax", what}});
}

bool Token::is(std::string_view keyword) const noexcept {
  return kind == TokenKind::word && equals_folded(text, keyword);
}

std::vector<Token> tokenize(std::string_view sql) {
  if (sql.size() > statement_bytes_max) {
    fail_at(sql, statement_bytes_max,
            "statement of more than " + std::to_string(statement_bytes_max) + " bytes");
  }
  const std::size_t nul = sql.find('\0');
  if (nul != std::string_view::npos) fail_at(sql, nul, "NUL byte");
  std::vector<Token> tokens;
  Lexer lexer(sql);
  do {
    tokens.push_back(lexer.next());
  } while (tokens.back().kind != TokenKind::end);
  return tokens;
}

std::string unquoted(const Token& token) {
  if (token.kind != TokenKind::quoted_name && token.kind != TokenKind::string) return std::string(token.text);
  const char quote = token.text.back();
  std::string text;
  for (std::size_t i = 1; i + 1 < token.text.size(); ++i) {
    text += token.text[i];
    if (quote != ']' && token.text[i] == quote) ++i;
  }
  return text;
}

std::string folded(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), lower);
  return result;
}

bool equals_folded(std::string_view left, std::string_view right) noexcept {
  return std::ranges::equal(left, right, {}, lower, lower);
}

}  // namespace nerve::convert::sql
