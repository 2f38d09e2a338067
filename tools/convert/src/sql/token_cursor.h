// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql/expression.h"
#include "sql/tokens.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::convert::sql {

/// The tokens of one statement and the place that a parser has come to. Borrows the text.
class TokenCursor {
 public:
  explicit TokenCursor(std::string_view sql) : sql_(sql), tokens_(tokenize(sql)) {}

  std::string_view sql() const noexcept { return sql_; }
  /// The token so many places ahead; the last one, `end`, behind it.
  const Token& peek(std::size_t ahead = 0) const noexcept;
  /// The present token; the cursor then stands behind it.
  const Token& next() noexcept;
  /// Where the token before the present one ends.
  std::size_t end_of_last() const noexcept { return at_ == 0 ? 0 : tokens_[at_ - 1].end(); }

  /// Passes over the keyword (in lower case) or symbol if it stands here, and says whether it did.
  bool take(std::string_view keyword) noexcept;
  bool take_symbol(std::string_view symbol) noexcept;
  /// The same for two keywords in a row.
  bool take(std::string_view first, std::string_view second) noexcept;
  /// Passes over it, or fails.
  void expect(std::string_view keyword);
  void expect_symbol(std::string_view symbol);
  /// Passes over a semicolon, if there is one, and fails if anything follows.
  void expect_end();

  /// Throws ValidationError for the present token: "<what> expected, but "x" found at line 1, column 7".
  [[noreturn]] void fail_expected(std::string_view what) const;
  [[noreturn]] void fail(std::size_t offset, const std::string& what) const { fail_at(sql_, offset, what); }

  /// One level of nesting for as long as it lives.
  class Level {
   public:
    explicit Level(TokenCursor& cursor);
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    ~Level() { --cursor_.depth_; }

   private:
    TokenCursor& cursor_;
  };

 private:
  std::string_view sql_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

/// Whether a token can be a name where one must stand: quoted, or a word that SQLite does not reserve.
bool is_name(const Token& token) noexcept;
/// The same where a name may be left out, such as an alias without AS: no word that begins a clause or join.
bool is_alias(const Token& token) noexcept;

/// A name, as SQLite's grammar takes one: also a text in single quotes.
Name read_name(TokenCursor& cursor, std::string_view what = "name");
/// `[schema.]name`; the schema is empty where none is written.
struct QualifiedName {
  Name schema;
  Name name;
};
QualifiedName read_qualified_name(TokenCursor& cursor, std::string_view what);
/// `(a, b, c)`.
std::vector<Name> read_name_list(TokenCursor& cursor);
/// The words of a type with one space between them and its arguments, "decimal(10, 2)"; empty for none.
std::string read_type(TokenCursor& cursor);
/// Passes over `( … )` and returns what stands between, as written.
std::string read_balanced(TokenCursor& cursor);

}  // namespace nerve::convert::sql
