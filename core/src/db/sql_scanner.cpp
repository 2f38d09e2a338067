// SPDX-License-Identifier: Apache-2.0
#include "nerve/db/sql_scanner.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace nerve::db {

namespace {

bool is_word_character(char c) noexcept {
  const auto octet = static_cast<unsigned char>(c);
  return std::isalnum(octet) != 0 || c == '_' || c == '$' || octet >= 0x80;
}

char lower(char c) noexcept {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

std::string to_lower(std::string_view text) {
  std::string folded(text);
  std::transform(folded.begin(), folded.end(), folded.begin(), lower);
  return folded;
}

/// Words that mean something else unquoted than quoted, as far as definitions of tables use them for names.
constexpr std::array reserved_words{
    "all",    "and",  "as",    "by",         "case", "check",  "column", "constraint", "create", "default",
    "delete", "desc", "else",  "end",        "from", "group",  "having", "in",         "index",  "insert",
    "into",   "is",   "join",  "limit",      "not",  "null",   "on",     "or",         "order",  "primary",
    "select", "set",  "table", "then",       "to",   "union",  "unique", "update",     "user",   "using",
    "values", "when", "where", "references", "user", "analyze"};

bool reads_alike_unquoted(std::string_view name) {
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), is_plain) &&
         std::find(reserved_words.begin(), reserved_words.end(), name) == reserved_words.end();
}

}  // namespace

bool SqlToken::is(std::string_view keyword) const noexcept {
  return kind == SqlTokenKind::word && text.size() == keyword.size() &&
         std::equal(text.begin(), text.end(), keyword.begin(), [](char a, char b) { return lower(a) == b; });
}

std::string SqlToken::name() const {
  if (kind != SqlTokenKind::quoted_name) return to_lower(text);
  const char close = text.back();
  std::string name;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    name += text[i];
    if (text[i] == close && text[i + 1] == close) ++i;
  }
  return name;
}

SqlToken SqlScanner::next() {
  skip_spaces_and_comments();
  const std::size_t begin = at_;
  if (begin == sql_.size()) return {SqlTokenKind::end, {}, begin};
  const char c = sql_[begin];
  const bool has_escapes = std::exchange(after_escape_letter_, false);
  SqlTokenKind kind = SqlTokenKind::symbol;
  at_ = begin + 1;
  if (c == '\'') {
    kind = SqlTokenKind::string;
    at_ = end_of_quote(c, has_escapes);
  } else if (c == '"' || (dialect_ == Dialect::sqlite && (c == '`' || c == '['))) {
    kind = SqlTokenKind::quoted_name;
    at_ = end_of_quote(c == '[' ? ']' : c, false);
  } else if (c == '$' && dialect_ == Dialect::postgresql && end_of_dollar_quote() != begin) {
    kind = SqlTokenKind::string;
    at_ = end_of_dollar_quote();
  } else if (is_word_character(c)) {
    kind = SqlTokenKind::word;
    while (at_ < sql_.size() && is_word_character(sql_[at_])) ++at_;
    after_escape_letter_ = dialect_ == Dialect::postgresql && at_ - begin == 1 && lower(c) == 'e' &&
                           at_ < sql_.size() && sql_[at_] == '\'';
  } else if (c == '\0') {
    fail(begin, "a NUL character");
  }
  return {kind, sql_.substr(begin, at_ - begin), begin};
}

void SqlScanner::skip_spaces_and_comments() {
  while (at_ < sql_.size()) {
    if (std::isspace(static_cast<unsigned char>(sql_[at_])) != 0) {
      ++at_;
    } else if (sql_.substr(at_).starts_with("--")) {
      at_ = std::min(sql_.find('\n', at_), sql_.size());
    } else if (sql_.substr(at_).starts_with("/*")) {
      skip_block_comment();
    } else {
      return;
    }
  }
}

void SqlScanner::skip_block_comment() {
  const std::size_t begin = at_;
  int depth = 0;
  do {
    if (at_ >= sql_.size()) fail(begin, "a comment that is not closed");
    if (sql_.substr(at_).starts_with("/*") && (depth == 0 || dialect_ == Dialect::postgresql)) {
      ++depth;
      at_ += 2;
    } else if (sql_.substr(at_).starts_with("*/")) {
      --depth;
      at_ += 2;
    } else {
      ++at_;
    }
  } while (depth > 0);
}

std::size_t SqlScanner::end_of_quote(char quote, bool has_escapes) const {
  for (std::size_t at = at_; at < sql_.size(); ++at) {
    if (sql_[at] == '\0') fail(at, "a NUL character");
    if (has_escapes && sql_[at] == '\\') {
      ++at;
    } else if (sql_[at] == quote) {
      const bool is_doubled = quote != ']' && at + 1 < sql_.size() && sql_[at + 1] == quote;
      if (!is_doubled) return at + 1;
      ++at;
    }
  }
  fail(at_ - 1, "a quote that is not closed");
}

std::size_t SqlScanner::end_of_dollar_quote() const {
  const std::size_t begin = at_ - 1;
  const std::size_t tag_end = sql_.find('$', begin + 1);
  if (tag_end == std::string_view::npos) return begin;
  const std::string_view tag = sql_.substr(begin, tag_end - begin + 1);
  const std::string_view letters = tag.substr(1, tag.size() - 2);
  const bool begins_with_digit =
      !letters.empty() && std::isdigit(static_cast<unsigned char>(letters[0])) != 0;
  if (begins_with_digit || !std::all_of(letters.begin(), letters.end(), is_word_character)) return begin;
  const std::size_t close = sql_.find(tag, tag_end + 1);
  if (close == std::string_view::npos) fail(begin, "a dollar quote that is not closed");
  return close + tag.size();
}

void SqlScanner::fail(std::size_t offset, const std::string& what) const {
  throw ValidationError("SQL line " + std::to_string(line_of(sql_, offset)) + ": " + what,
                        "Close the quote or comment that begins there, and remove NUL characters.");
}

std::size_t line_of(std::string_view text, std::size_t offset) noexcept {
  const auto* end = text.data() + std::min(offset, text.size());
  return 1 + static_cast<std::size_t>(std::count(text.data(), end, '\n'));
}

std::string normalised_sql(std::string_view sql, Dialect dialect) {
  SqlScanner scanner(sql, dialect);
  std::string text;
  for (SqlToken token = scanner.next(); token.kind != SqlTokenKind::end; token = scanner.next()) {
    if (token.is_symbol(';') && scanner.peek().kind == SqlTokenKind::end) break;
    if (!text.empty()) text += ' ';
    if (token.kind == SqlTokenKind::word) {
      text += to_lower(token.text);
    } else if (token.kind == SqlTokenKind::quoted_name) {
      const std::string name = token.name();
      const std::string folded = dialect == Dialect::sqlite ? to_lower(name) : name;
      if (reads_alike_unquoted(folded)) {
        text += folded;
      } else {
        text += '"' + folded + '"';
      }
    } else {
      text += token.text;
    }
  }
  return text;
}

}  // namespace nerve::db
