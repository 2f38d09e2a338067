// SPDX-License-Identifier: Apache-2.0
#include "nerve/db/sql_script.h"

#include "nerve/db/sql_scanner.h"

#include <array>

namespace nerve::db {

namespace {

/// Follows one statement from token to token and tells whether a semicolon ends it.
class StatementEnd {
 public:
  explicit StatementEnd(Dialect dialect) noexcept : dialect_(dialect) {}

  void see(const SqlToken& token) {
    if (dialect_ == Dialect::sqlite) {
      see_trigger(token);
    } else {
      see_atomic_body(token);
    }
    ++seen_;
  }

  bool is_reached() const noexcept {
    return dialect_ == Dialect::sqlite ? !is_trigger_ || after_end_ : depth_ == 0;
  }

 private:
  /// A trigger's statement ends with "; END ;", as SQLite's shell has it.
  void see_trigger(const SqlToken& token) {
    constexpr int modifiers_max = 3;  // CREATE [TEMP | TEMPORARY] TRIGGER
    if (seen_ == 0) is_create_ = token.is("create");
    if (is_create_ && seen_ > 0 && seen_ < modifiers_max && token.is("trigger")) is_trigger_ = true;
    after_end_ = after_semicolon_ && token.is("end");
    after_semicolon_ = token.is_symbol(';');
  }

  /// The body of an SQL-standard function is BEGIN ATOMIC … END, with CASE … END inside.
  void see_atomic_body(const SqlToken& token) {
    if (after_begin_ && token.is("atomic")) {
      depth_ = 1;
    } else if (depth_ > 0 && token.is("case")) {
      ++depth_;
    } else if (depth_ > 0 && token.is("end")) {
      --depth_;
    }
    after_begin_ = token.is("begin");
  }

  Dialect dialect_;
  int seen_ = 0;
  bool is_create_ = false;
  bool is_trigger_ = false;
  bool after_semicolon_ = false;
  bool after_end_ = false;
  bool after_begin_ = false;
  int depth_ = 0;
};

struct Control {
  std::string_view keyword;
  std::string_view shown;
};

constexpr std::array controls{
    Control{"begin", "BEGIN"},         Control{"start", "START"},
    Control{"commit", "COMMIT"},       Control{"end", "END"},
    Control{"rollback", "ROLLBACK"},   Control{"abort", "ABORT"},
    Control{"savepoint", "SAVEPOINT"}, Control{"release", "RELEASE"},
    Control{"prepare", "PREPARE"},     Control{"attach", "ATTACH"},
    Control{"detach", "DETACH"},       Control{"pragma", "PRAGMA"},
    Control{"discard", "DISCARD"},
};

}  // namespace

std::vector<ScriptStatement> split_script(std::string_view script, Dialect dialect) {
  std::vector<ScriptStatement> statements;
  SqlScanner scanner(script, dialect);
  SqlToken token = scanner.next();
  while (token.kind != SqlTokenKind::end) {
    if (token.is_symbol(';')) {
      token = scanner.next();
      continue;
    }
    const std::size_t begin = token.offset;
    std::size_t end = begin;
    StatementEnd statement_end(dialect);
    while (token.kind != SqlTokenKind::end) {
      if (token.is_symbol(';') && statement_end.is_reached()) break;
      statement_end.see(token);
      end = token.offset + token.text.size();
      token = scanner.next();
    }
    statements.push_back({script.substr(begin, end - begin), line_of(script, begin)});
  }
  return statements;
}

std::string_view transaction_control(std::string_view statement, Dialect dialect) {
  SqlScanner scanner(statement, dialect);
  const SqlToken first = scanner.next();
  for (const Control& control : controls) {
    if (first.is(control.keyword)) return control.shown;
  }
  if (dialect == Dialect::postgresql) {
    if (first.is("reset")) return "RESET";
    if (first.is("set")) {
      const SqlToken what = scanner.next();
      // SET CONSTRAINTS ends with the transaction as SET LOCAL does.
      if (!what.is("local") && !what.is("constraints")) return "SET without LOCAL";
    }
  }
  return {};
}

}  // namespace nerve::db
