// SPDX-License-Identifier: Apache-2.0
#include "sql/create_table.h"

#include "sql/grammar.h"

#include <array>
#include <utility>

namespace nerve::convert::sql {
namespace {

class TableReader {
 public:
  explicit TableReader(std::string_view sql) : cursor_(sql) {}

  CreateTable read() {
    cursor_.expect("create");
    if (!cursor_.take("temp")) cursor_.take("temporary");
    cursor_.expect("table");
    if (cursor_.take("if", "not")) cursor_.expect("exists");
    CreateTable table;
    table.name = read_qualified_name(cursor_, "name of a table").name;
    cursor_.expect_symbol("(");
    do {
      if (at_table_constraint() && !table.columns.empty()) break;
      table.columns.push_back(read_column());
    } while (cursor_.take_symbol(","));
    // SQLite lets the comma between table constraints be left out.
    while (at_table_constraint()) {
      table.constraints.push_back(read_table_constraint());
      cursor_.take_symbol(",");
    }
    cursor_.expect_symbol(")");
    read_options(table);
    cursor_.expect_end();
    return table;
  }

 private:
  void read_options(CreateTable& table) {
    if (cursor_.peek().kind == TokenKind::end || cursor_.peek().is_symbol(";")) return;
    do {
      if (cursor_.take("strict")) {
        table.is_strict = true;
      } else if (cursor_.take("without", "rowid")) {
        table.is_without_rowid = true;
      } else {
        cursor_.fail_expected("STRICT or WITHOUT ROWID");
      }
    } while (cursor_.take_symbol(","));
  }

  bool at_table_constraint() const noexcept {
    const Token& token = cursor_.peek();
    return token.is("constraint") || token.is("primary") || token.is("unique") || token.is("check") ||
           token.is("foreign");
  }

  ColumnDefinition read_column() {
    ColumnDefinition column;
    column.begin = cursor_.peek().offset;
    column.name = read_name(cursor_, "name of a column");
    column.type = read_type(cursor_);
    // GENERATED and ALWAYS are no reserved words, so they are read as part of the type; SQLite cuts them off
    // too.
    constexpr std::string_view generated = "generated always";
    if (cursor_.peek().is("as") && folded(column.type).ends_with(generated)) {
      column.type.resize(column.type.size() - generated.size());
      if (column.type.ends_with(' ')) column.type.pop_back();
    }
    for (Constraint constraint; read_column_constraint(constraint); constraint = {}) {
      column.constraints.push_back(std::move(constraint));
    }
    return column;
  }

  bool read_column_constraint(Constraint& constraint) {
    for (;;) {
      if (cursor_.take("constraint")) {
        constraint.name = read_name(cursor_, "name of a constraint");
      } else if (cursor_.take("null")) {
        // NULL says what holds anyway.
        read_conflict();
        constraint.name = {};
      } else {
        break;
      }
    }
    if (cursor_.take("not", "null")) {
      constraint.rule = NotNull{read_conflict()};
    } else if (cursor_.take("primary")) {
      constraint.rule = read_primary_key();
    } else if (cursor_.take("unique")) {
      constraint.rule = Unique{{}, read_conflict()};
    } else if (cursor_.take("check")) {
      constraint.rule = read_check();
    } else if (cursor_.take("default")) {
      constraint.rule = read_default();
    } else if (cursor_.take("collate")) {
      constraint.rule = ColumnCollation{read_name(cursor_, "collation")};
    } else if (cursor_.take("references")) {
      constraint.rule = ForeignKey{{}, read_reference()};
    } else {
      return read_generated(constraint);
    }
    return true;
  }

  bool read_generated(Constraint& constraint) {
    if (cursor_.take("generated", "always")) {
      cursor_.expect("as");
    } else if (!cursor_.take("as")) {
      return false;
    }
    Generated generated;
    generated.text = read_parenthesised(generated.value);
    generated.is_stored = cursor_.take("stored");
    if (!generated.is_stored) cursor_.take("virtual");
    constraint.rule = std::move(generated);
    return true;
  }

  /// Reads `( expression )` and returns it as written.
  std::string read_parenthesised(ExpressionPtr& expression) {
    cursor_.expect_symbol("(");
    const std::size_t begin = cursor_.peek().offset;
    expression = read_expression(cursor_);
    std::string text(cursor_.sql().substr(begin, cursor_.end_of_last() - begin));
    cursor_.expect_symbol(")");
    return text;
  }

  PrimaryKey read_primary_key() {
    cursor_.expect("key");
    PrimaryKey key;
    key.is_descending = cursor_.take("desc");
    if (!key.is_descending) cursor_.take("asc");
    key.conflict = read_conflict();
    key.is_autoincrement = cursor_.take("autoincrement");
    return key;
  }

  Check read_check() {
    Check check;
    check.text = read_parenthesised(check.condition);
    read_conflict();
    return check;
  }

  Default read_default() {
    Default value;
    if (cursor_.peek().is_symbol("(")) {
      value.is_parenthesised = true;
      value.text = read_parenthesised(value.value);
      return value;
    }
    const std::size_t begin = cursor_.peek().offset;
    std::optional<UnaryOperator> sign;
    if (cursor_.take_symbol("-")) sign = UnaryOperator::negate;
    if (!sign && cursor_.take_symbol("+")) sign = UnaryOperator::plus;
    value.value = read_term();
    const std::size_t end = cursor_.end_of_last();
    if (sign) {
      value.value = ExpressionPtr(new Expression{Unary{*sign, std::move(value.value)}, begin, end, 2});
    }
    value.text = std::string(cursor_.sql().substr(begin, end - begin));
    return value;
  }

  /// A literal or a bare word.
  ExpressionPtr read_term() {
    const Token& token = cursor_.peek();
    const std::size_t end = token.end();
    if (token.kind == TokenKind::word || token.kind == TokenKind::quoted_name) {
      if (const auto keyword = keyword_literal(token)) {
        cursor_.next();
        return ExpressionPtr(new Expression{Literal{*keyword, {}}, token.offset, end, 1});
      }
      return ExpressionPtr(
          new Expression{ColumnName{{}, {}, read_name(cursor_, "default")}, token.offset, end, 1});
    }
    if (token.kind == TokenKind::string || token.kind == TokenKind::blob ||
        token.kind == TokenKind::integer || token.kind == TokenKind::real) {
      cursor_.next();
      ExpressionPtr literal = parse_expression(token.text);
      literal->begin += token.offset;
      literal->end += token.offset;
      return literal;
    }
    cursor_.fail_expected("default");
  }

  static std::optional<LiteralKind> keyword_literal(const Token& token) {
    constexpr std::array<std::pair<std::string_view, LiteralKind>, 4> keywords = {{
        {"null", LiteralKind::null},
        {"current_date", LiteralKind::current_date},
        {"current_time", LiteralKind::current_time},
        {"current_timestamp", LiteralKind::current_timestamp},
    }};
    for (const auto& [keyword, kind] : keywords) {
      if (token.is(keyword)) return kind;
    }
    return std::nullopt;
  }

  ConflictClause read_conflict() {
    if (!cursor_.take("on", "conflict")) return ConflictClause::none;
    constexpr std::array<std::pair<std::string_view, ConflictClause>, 5> clauses = {{
        {"rollback", ConflictClause::rollback},
        {"abort", ConflictClause::abort},
        {"fail", ConflictClause::fail},
        {"ignore", ConflictClause::ignore},
        {"replace", ConflictClause::replace},
    }};
    for (const auto& [word, clause] : clauses) {
      if (cursor_.take(word)) return clause;
    }
    cursor_.fail_expected("conflict clause");
  }

  Reference read_reference() {
    Reference reference;
    reference.table = read_name(cursor_, "table");
    if (cursor_.peek().is_symbol("(")) reference.columns = read_name_list(cursor_);
    for (;;) {
      if (cursor_.take("match")) {
        reference.match = read_name(cursor_, "kind of match");
      } else if (cursor_.take("on", "delete")) {
        reference.on_delete = read_action();
      } else if (cursor_.take("on", "update")) {
        reference.on_update = read_action();
      } else if (cursor_.take("on", "insert")) {
        read_action();
      } else if (cursor_.take("not", "deferrable")) {
        read_initially();
        reference.deferral = Deferral::not_deferrable;
      } else if (cursor_.take("deferrable")) {
        reference.deferral = read_initially();
      } else {
        return reference;
      }
    }
  }

  Deferral read_initially() {
    if (!cursor_.take("initially")) return Deferral::initially_immediate;
    if (cursor_.take("deferred")) return Deferral::initially_deferred;
    cursor_.expect("immediate");
    return Deferral::initially_immediate;
  }

  ReferenceAction read_action() {
    if (cursor_.take("set", "null")) return ReferenceAction::set_null;
    if (cursor_.take("set", "default")) return ReferenceAction::set_default;
    if (cursor_.take("cascade")) return ReferenceAction::cascade;
    if (cursor_.take("restrict")) return ReferenceAction::restrict;
    if (cursor_.take("no", "action")) return ReferenceAction::no_action;
    cursor_.fail_expected("action of a foreign key");
  }

  std::vector<OrderingTerm> read_terms() {
    cursor_.expect_symbol("(");
    std::vector<OrderingTerm> terms = read_ordering_terms(cursor_);
    return terms;
  }

  Constraint read_table_constraint() {
    Constraint constraint;
    while (cursor_.take("constraint")) constraint.name = read_name(cursor_, "name of a constraint");
    if (cursor_.take("primary")) {
      cursor_.expect("key");
      PrimaryKey key;
      key.terms = read_terms();
      key.is_autoincrement = cursor_.take("autoincrement");
      cursor_.expect_symbol(")");
      key.conflict = read_conflict();
      constraint.rule = std::move(key);
    } else if (cursor_.take("unique")) {
      Unique unique;
      unique.terms = read_terms();
      cursor_.expect_symbol(")");
      unique.conflict = read_conflict();
      constraint.rule = std::move(unique);
    } else if (cursor_.take("check")) {
      constraint.rule = read_check();
    } else if (cursor_.take("foreign")) {
      cursor_.expect("key");
      ForeignKey key;
      key.columns = read_name_list(cursor_);
      cursor_.expect("references");
      key.reference = read_reference();
      constraint.rule = std::move(key);
    } else {
      cursor_.fail_expected("constraint");
    }
    return constraint;
  }

  TokenCursor cursor_;
};

}  // namespace

CreateTable parse_create_table(std::string_view sql) {
  return TableReader(sql).read();
}

}  // namespace nerve::convert::sql
