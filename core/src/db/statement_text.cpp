// SPDX-License-Identifier: Apache-2.0
#include "statement_text.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace nerve::db {

namespace {

constexpr std::array refused_keywords{
    "BEGIN",  "START",  "COMMIT", "END",   "ROLLBACK", "SAVEPOINT", "RELEASE", "PREPARE", "ATTACH",  "DETACH",
    "PRAGMA", "VACUUM", "SET",    "RESET", "DISCARD",  "EXECUTE",   "COPY",    "LISTEN",  "UNLISTEN"};
constexpr std::array schema_keywords{"CREATE", "ALTER", "DROP", "REINDEX", "TRUNCATE"};

bool is_name_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

/// Walks once over the text and writes the statement and its fingerprint side by side.
class Reader {
 public:
  explicit Reader(std::string_view sql) : sql_(sql) {}

  StatementText read() {
    while (at_ < sql_.size()) read_token();
    trim(result_.sql);
    trim(result_.fingerprint_sql);
    if (result_.sql.empty()) fail("the statement is empty", "Pass one SQL statement.");
    check_keyword();
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(const std::string& what, std::string hint) const {
    const auto line =
        1 + std::count(sql_.begin(), sql_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, sql_.size())),
                       '\n');
    throw ValidationError("SQL line " + std::to_string(line) + ": " + what, std::move(hint));
  }

  char peek(std::size_t ahead = 1) const { return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0'; }

  void read_token() {
    const char c = sql_[at_];
    if (ended_ && !is_space(c) && !at_comment()) {
      fail("several statements in one text", "Run them one by one, or as a script with execute_script().");
    }
    if (is_space(c)) return read_space();
    if (at_comment()) return read_comment();
    if (c == '\'' || c == '"') return read_quoted(c);
    if (is_name_start(c)) return read_word();
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) return read_number();
    if (c == ':') return read_parameter();
    if (c == ';') {
      ended_ = true;
      ++at_;
      return;
    }
    read_symbol(c);
  }

  bool at_comment() const {
    return (sql_[at_] == '-' && peek() == '-') || (sql_[at_] == '/' && peek() == '*');
  }

  void read_space() {
    while (at_ < sql_.size() && is_space(sql_[at_])) ++at_;
    put_both(' ');
  }

  void read_comment() {
    if (sql_[at_] == '-') {
      at_ = std::min(sql_.find('\n', at_), sql_.size());
    } else {
      const std::size_t end = sql_.find("*/", at_ + 2);
      if (end == std::string_view::npos) fail("a comment is not closed", "Add the missing */.");
      at_ = end + 2;
    }
    put_both(' ');
  }

  void read_quoted(char quote) {
    const std::size_t begin = at_++;
    for (;; ++at_) {
      if (at_ >= sql_.size())
        fail("a quote is not closed", "Double a quote inside of text; better, bind the text as a parameter.");
      if (sql_[at_] == '\0') fail("a NUL character in the text", "Remove it.");
      if (sql_[at_] != quote) continue;
      if (peek() != quote) break;
      ++at_;
    }
    ++at_;
    const std::string_view token = sql_.substr(begin, at_ - begin);
    result_.sql += token;
    if (quote == '"') {
      result_.fingerprint_sql += token;
    } else {
      result_.fingerprint_sql += '?';
    }
  }

  void read_word() {
    const std::size_t begin = at_;
    while (at_ < sql_.size() && is_name(sql_[at_])) ++at_;
    const std::string_view word = sql_.substr(begin, at_ - begin);
    if (word.size() == 1 && at_ < sql_.size() && sql_[at_] == '\'' && (word[0] == 'E' || word[0] == 'e')) {
      fail("an E'…' text with backslash escapes", "Bind the text as a parameter.");
    }
    if (keyword_.empty()) {
      keyword_ = word;
      std::transform(keyword_.begin(), keyword_.end(), keyword_.begin(),
                     [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    }
    result_.sql += word;
    result_.fingerprint_sql += word;
  }

  void read_number() {
    const std::size_t begin = at_;
    while (at_ < sql_.size() && (is_name(sql_[at_]) || sql_[at_] == '.')) ++at_;
    result_.sql += sql_.substr(begin, at_ - begin);
    result_.fingerprint_sql += '?';
  }

  void read_parameter() {
    if (peek() == ':') fail("a :: cast", "Write CAST(value AS type), which both engines read.");
    ++at_;
    if (at_ >= sql_.size() || !is_name_start(sql_[at_])) {
      fail("a colon without a parameter's name", "Write :name and bind it.");
    }
    const std::size_t begin = at_;
    while (at_ < sql_.size() && is_name(sql_[at_])) ++at_;
    const std::string name(sql_.substr(begin, at_ - begin));
    if (std::find(result_.parameters.begin(), result_.parameters.end(), name) == result_.parameters.end()) {
      result_.parameters.push_back(name);
    }
    result_.sql += ':' + name;
    result_.fingerprint_sql += ':' + name;
  }

  void read_symbol(char c) {
    if (c == '?' || c == '$' || c == '@') {
      fail(std::string("a parameter or operator written with ") + c, "Use named parameters, written :name.");
    }
    if (c == '\0') fail("a NUL character in the text", "Remove it.");
    if (c == '`' || c == '[')
      fail("a name in ` or [ quotes", "Quote names with double quotes, which both engines read.");
    result_.sql += c;
    result_.fingerprint_sql += c;
    ++at_;
  }

  void put_both(char c) {
    if (!result_.sql.empty() && result_.sql.back() != ' ') result_.sql += c;
    if (!result_.fingerprint_sql.empty() && result_.fingerprint_sql.back() != ' ')
      result_.fingerprint_sql += c;
  }

  static void trim(std::string& text) {
    while (!text.empty() && text.back() == ' ') text.pop_back();
  }

  void check_keyword() {
    at_ = 0;
    if (std::find(refused_keywords.begin(), refused_keywords.end(), keyword_) != refused_keywords.end()) {
      fail(keyword_ + " inside a transaction of the port",
           "Transactions are begun by Database, savepoints by Transaction::savepoint; settings belong to the "
           "connection.");
    }
    result_.changes_schema =
        std::find(schema_keywords.begin(), schema_keywords.end(), keyword_) != schema_keywords.end();
  }

  std::string_view sql_;
  std::size_t at_ = 0;
  bool ended_ = false;
  std::string keyword_;
  StatementText result_;
};

}  // namespace

StatementText parse_statement(std::string_view sql) {
  return Reader(sql).read();
}

}  // namespace nerve::db
