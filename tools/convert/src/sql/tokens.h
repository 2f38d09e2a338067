// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::convert::sql {

/// A place in a statement as people count it, both from 1.
struct Place {
  std::size_t line = 1;
  std::size_t column = 1;  ///< in bytes

  friend bool operator==(const Place&, const Place&) = default;
};

/// The place of a byte; the end of the text for an offset behind it.
Place place_of(std::string_view sql, std::size_t offset) noexcept;

/// Throws ValidationError: "<what> at line L, column C", with the place as the only violation's field too.
[[noreturn]] void fail_at(std::string_view sql, std::size_t offset, const std::string& what);

enum class TokenKind : std::uint8_t {
  word,         ///< a keyword or a bare name
  quoted_name,  ///< "name", [name] or `name`
  string,       ///< 'text'
  integer,      ///< 12 or 0x1F
  real,         ///< 1.5, .5, 1e9
  blob,         ///< x'53'
  parameter,    ///< ?, ?1, :a, @a, $a
  symbol,       ///< an operator or punctuation, the longest that fits
  end,          ///< behind the last token
};

/// A piece of a statement; comments and spaces are none. The text is a view into the statement.
struct Token {
  TokenKind kind = TokenKind::end;
  std::string_view text;   ///< as written, quotes included
  std::size_t offset = 0;  ///< in bytes from the beginning

  std::size_t end() const noexcept { return offset + text.size(); }
  /// Whether it is this keyword (given in lower case), however it is spelt.
  bool is(std::string_view keyword) const noexcept;
  bool is_symbol(std::string_view symbol) const noexcept {
    return kind == TokenKind::symbol && text == symbol;
  }
};

/// The longest statement that is read, in bytes: as long as SQLite's own limit for one.
inline constexpr std::size_t statement_bytes_max = 1'000'000;

/// Takes a statement apart as SQLite's lexer does (https://www.sqlite.org/lang_keywords.html, tokenize.c of
/// 3.40); the last token is `end`. Throws ValidationError with line and column for what SQLite calls an
/// unrecognized token, for a NUL, and for a statement longer than statement_bytes_max.
std::vector<Token> tokenize(std::string_view sql);

/// What a quoted name or a string means: quotes taken off, their doubling undone; other tokens as written.
std::string unquoted(const Token& token);

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// ASCII letters folded to lower case, as SQLite compares names; other bytes as they are.
std::string folded(std::string_view text);
bool equals_folded(std::string_view left, std::string_view right) noexcept;

}  // namespace nerve::convert::sql
