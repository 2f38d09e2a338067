// SPDX-License-Identifier: Apache-2.0
#include "sql/token_cursor.h"

#include <algorithm>
#include <array>

namespace nerve::convert::sql {
namespace {

/// The keywords of SQLite 3.40 that cannot be a bare name (parse.y: those without a fallback to ID), sorted.
constexpr std::array<std::string_view, 58> reserved_words = {
    "add",      "all",     "alter",       "and",        "as",        "autoincrement", "between",    "case",
    "check",    "collate", "commit",      "constraint", "create",    "default",       "deferrable", "delete",
    "distinct", "drop",    "else",        "escape",     "except",    "exists",        "foreign",    "from",
    "group",    "having",  "in",          "index",      "insert",    "intersect",     "into",       "is",
    "isnull",   "join",    "limit",       "not",        "nothing",   "notnull",       "null",       "on",
    "or",       "order",   "primary",     "references", "returning", "select",        "set",        "table",
    "then",     "to",      "transaction", "union",      "unique",    "update",        "using",      "values",
    "when",     "where"};
static_assert(std::ranges::is_sorted(reserved_words));

/// Words that are names elsewhere, but begin what follows a result column or a table, sorted.
constexpr std::array<std::string_view, 10> clause_words = {"cross",   "full",  "indexed", "inner",  "left",
                                                           "natural", "outer", "right",   "window", "with"};
static_assert(std::ranges::is_sorted(clause_words));

std::string spelling(const Token& token) {
  return token.kind == TokenKind::end ? "the end" : '"' + std::string(token.text.substr(0, 40)) + '"';
}

}  // namespace

const Token& TokenCursor::peek(std::size_t ahead) const noexcept {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

const Token& TokenCursor::next() noexcept {
  const Token& token = tokens_[at_];
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool TokenCursor::take(std::string_view keyword) noexcept {
  if (!peek().is(keyword)) return false;
  next();
  return true;
}

bool TokenCursor::take_symbol(std::string_view symbol) noexcept {
  if (!peek().is_symbol(symbol)) return false;
  next();
  return true;
}

bool TokenCursor::take(std::string_view first, std::string_view second) noexcept {
  if (!peek().is(first) || !peek(1).is(second)) return false;
  next();
  next();
  return true;
}

void TokenCursor::expect(std::string_view keyword) {
  if (take(keyword)) return;
  std::string upper(keyword);
  std::ranges::transform(upper, upper.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  fail_expected(upper);
}

void TokenCursor::expect_symbol(std::string_view symbol) {
  if (!take_symbol(symbol)) fail_expected('"' + std::string(symbol) + '"');
}

void TokenCursor::expect_end() {
  take_symbol(";");
  if (peek().kind != TokenKind::end) fail_expected("end of the statement");
}

void TokenCursor::fail_expected(std::string_view what) const {
  fail(peek().offset, std::string(what) + " expected, but " + spelling(peek()) + " found");
}

TokenCursor::Level::Level(TokenCursor& cursor) : cursor_(cursor) {
  if (cursor.depth_ == expression_height_max) {
    cursor.fail(cursor.peek().offset, "more than " + std::to_string(expression_height_max) + " levels");
  }
  ++cursor.depth_;
}

bool is_name(const Token& token) noexcept {
  if (token.kind == TokenKind::quoted_name) return true;
  return token.kind == TokenKind::word && !std::ranges::binary_search(reserved_words, folded(token.text));
}

bool is_alias(const Token& token) noexcept {
  if (token.kind == TokenKind::string) return true;
  if (!is_name(token)) return false;
  return token.kind == TokenKind::quoted_name ||
         !std::ranges::binary_search(clause_words, folded(token.text));
}

Name read_name(TokenCursor& cursor, std::string_view what) {
  const Token& token = cursor.peek();
  if (!is_name(token) && token.kind != TokenKind::string) cursor.fail_expected(what);
  cursor.next();
  return Name{unquoted(token), token.kind == TokenKind::word ? '\0' : token.text.front()};
}

QualifiedName read_qualified_name(TokenCursor& cursor, std::string_view what) {
  QualifiedName name;
  name.name = read_name(cursor, what);
  if (cursor.take_symbol(".")) {
    name.schema = std::move(name.name);
    name.name = read_name(cursor, what);
  }
  return name;
}

std::vector<Name> read_name_list(TokenCursor& cursor) {
  std::vector<Name> names;
  cursor.expect_symbol("(");
  do {
    names.push_back(read_name(cursor, "column"));
  } while (cursor.take_symbol(","));
  cursor.expect_symbol(")");
  return names;
}

std::string read_type(TokenCursor& cursor) {
  std::string type;
  while (is_name(cursor.peek()) || cursor.peek().kind == TokenKind::string) {
    if (!type.empty()) type += ' ';
    type += unquoted(cursor.next());
  }
  if (type.empty() || !cursor.take_symbol("(")) return type;
  type += '(';
  for (std::size_t count = 0; count == 0 || cursor.take_symbol(","); ++count) {
    if (count > 0) type += ", ";
    if (cursor.peek().is_symbol("-") || cursor.peek().is_symbol("+")) type += cursor.next().text;
    const TokenKind kind = cursor.peek().kind;
    if (count == 2 || (kind != TokenKind::integer && kind != TokenKind::real)) {
      cursor.fail_expected("argument of a type");
    }
    type += cursor.next().text;
  }
  cursor.expect_symbol(")");
  return type + ')';
}

std::string read_balanced(TokenCursor& cursor) {
  cursor.expect_symbol("(");
  const std::size_t begin = cursor.peek().offset;
  for (int depth = 1;;) {
    const Token& token = cursor.peek();
    if (token.kind == TokenKind::end) cursor.fail_expected("\")\"");
    if (token.is_symbol("(")) ++depth;
    if (token.is_symbol(")") && --depth == 0) break;
    cursor.next();
  }
  const std::size_t end = std::max(cursor.end_of_last(), begin);
  cursor.next();
  return std::string(cursor.sql().substr(begin, end - begin));
}

}  // namespace nerve::convert::sql
