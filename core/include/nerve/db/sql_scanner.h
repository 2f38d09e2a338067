// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/dialect.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nerve::db {

enum class SqlTokenKind : std::uint8_t {
  word,         ///< a keyword, a bare name or a number
  quoted_name,  ///< "name", and on SQLite also `name` and [name]
  string,  ///< 'text', and on PostgreSQL also $tag$text$tag$; the letter before the quote (E, X) is a word
  symbol,  ///< any other character, one at a time
  end,
};

/// A piece of an SQL text; comments and spaces are none.
struct SqlToken {
  SqlTokenKind kind = SqlTokenKind::end;
  std::string_view text;   ///< as written, quotes included
  std::size_t offset = 0;  ///< in bytes from the beginning

  /// Whether it is this keyword (given in lower case), however it is spelt.
  bool is(std::string_view keyword) const noexcept;
  bool is_symbol(char c) const noexcept { return kind == SqlTokenKind::symbol && text[0] == c; }
  /// What a name means: quotes taken off and their doubling undone; a bare word in lower case.
  std::string name() const;
};

/// Takes an SQL text apart as the engine would: its quotes, nested comments (PostgreSQL), dollar quotes,
/// E'…' escapes. Borrows the text.
class SqlScanner {
 public:
  SqlScanner(std::string_view sql, Dialect dialect) noexcept : sql_(sql), dialect_(dialect) {}

  /// The next token, `end` at the end. Throws ValidationError, with the line, for a quote or comment that is
  /// not closed and for a NUL.
  SqlToken next();
  /// What next() will return.
  SqlToken peek() const {
    SqlScanner ahead(*this);
    return ahead.next();
  }

 private:
  void skip_spaces_and_comments();
  void skip_block_comment();
  std::size_t end_of_quote(char quote, bool has_escapes) const;
  std::size_t end_of_dollar_quote() const;
  [[noreturn]] void fail(std::size_t offset, const std::string& what) const;

  std::string_view sql_;
  Dialect dialect_;
  std::size_t at_ = 0;
  bool after_escape_letter_ = false;
};

/// The line, from 1, of a place in a text.
std::size_t line_of(std::string_view text, std::size_t offset) noexcept;

/// A statement with its words folded to lower case, its comments taken out, its names unquoted where that
/// changes nothing, and one space between tokens: what two definitions of the same object are compared by.
std::string normalised_sql(std::string_view sql, Dialect dialect);

}  // namespace nerve::db
