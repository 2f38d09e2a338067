// SPDX-License-Identifier: Apache-2.0
#include "sql/expression.h"
#include "sql/grammar.h"

#include <algorithm>
#include <array>
#include <utility>

namespace nerve::convert::sql {
namespace {

/// How tightly operators bind, from parse.y of SQLite 3.40; all of them lean to the left.
enum Precedence : std::uint8_t {
  lowest = 0,
  precedence_or,
  precedence_and,
  precedence_not,       ///< the prefix
  precedence_equality,  ///< = == <> != IS IN LIKE GLOB REGEXP MATCH BETWEEN ISNULL NOTNULL
  precedence_order,     ///< < <= > >=
  precedence_bits,      ///< & | << >>
  precedence_sum,
  precedence_product,
  precedence_concatenation,  ///< || -> ->>
  precedence_collate,
  precedence_sign,  ///< the prefixes ~ + -
};

struct Infix {
  std::string_view symbol;
  BinaryOperator operation;
  Precedence precedence;
};

constexpr std::array<Infix, 20> infixes = {{
    {"=", BinaryOperator::equal, precedence_equality},
    {"==", BinaryOperator::equal, precedence_equality},
    {"<>", BinaryOperator::not_equal, precedence_equality},
    {"!=", BinaryOperator::not_equal, precedence_equality},
    {"<", BinaryOperator::less, precedence_order},
    {"<=", BinaryOperator::less_equal, precedence_order},
    {">", BinaryOperator::greater, precedence_order},
    {">=", BinaryOperator::greater_equal, precedence_order},
    {"&", BinaryOperator::bit_and, precedence_bits},
    {"|", BinaryOperator::bit_or, precedence_bits},
    {"<<", BinaryOperator::shift_left, precedence_bits},
    {">>", BinaryOperator::shift_right, precedence_bits},
    {"+", BinaryOperator::add, precedence_sum},
    {"-", BinaryOperator::subtract, precedence_sum},
    {"*", BinaryOperator::multiply, precedence_product},
    {"/", BinaryOperator::divide, precedence_product},
    {"%", BinaryOperator::modulo, precedence_product},
    {"||", BinaryOperator::concatenate, precedence_concatenation},
    {"->", BinaryOperator::json_value, precedence_concatenation},
    {"->>", BinaryOperator::json_text, precedence_concatenation},
}};

int height_or_zero(const ExpressionPtr& expression) noexcept {
  return expression ? expression->height : 0;
}

template <typename... Heights>
constexpr int above(Heights... heights) noexcept {
  return 1 + std::max({0, heights...});
}

Precedence one_above(Precedence precedence) noexcept {
  return static_cast<Precedence>(precedence + 1);
}

class ExpressionReader {
 public:
  explicit ExpressionReader(TokenCursor& cursor) noexcept : cursor_(cursor) {}

  ExpressionPtr read(Precedence lowest_taken) {
    const TokenCursor::Level level(cursor_);
    ExpressionPtr left = read_prefix();
    while (read_infix(left, lowest_taken)) {
    }
    return left;
  }

 private:
  ExpressionPtr make(std::size_t begin, int height, Expression::Node node) const {
    return ExpressionPtr(new Expression{std::move(node), begin, cursor_.end_of_last(),
                                        checked_height(cursor_, begin, height)});
  }

  ExpressionPtr read_prefix() {
    const std::size_t begin = cursor_.peek().offset;
    if (cursor_.take("not")) return unary(begin, UnaryOperator::logical_not, precedence_not);
    if (cursor_.take_symbol("-")) return unary(begin, UnaryOperator::negate, precedence_sign);
    if (cursor_.take_symbol("+")) return unary(begin, UnaryOperator::plus, precedence_sign);
    if (cursor_.take_symbol("~")) return unary(begin, UnaryOperator::bit_not, precedence_sign);
    return read_primary();
  }

  ExpressionPtr unary(std::size_t begin, UnaryOperator operation, Precedence precedence) {
    ExpressionPtr operand = read(precedence);
    const int height = above(operand->height);
    return make(begin, height, Unary{operation, std::move(operand)});
  }

  ExpressionPtr read_primary() {
    const Token token = cursor_.peek();
    switch (token.kind) {
      case TokenKind::integer:
        return literal(LiteralKind::integer);
      case TokenKind::real:
        return literal(LiteralKind::real);
      case TokenKind::string:
        return read_string();
      case TokenKind::blob:
        return read_blob();
      case TokenKind::parameter: {
        std::string text(cursor_.next().text);
        return make(token.offset, 1, Placeholder{std::move(text)});
      }
      case TokenKind::symbol:
        if (token.is_symbol("(")) return read_parenthesised();
        break;
      case TokenKind::word:
      case TokenKind::quoted_name:
        if (ExpressionPtr expression = read_keyword()) return expression;
        if (is_name(token)) return read_name_or_call();
        break;
      case TokenKind::end:
        break;
    }
    cursor_.fail_expected("expression");
  }

  ExpressionPtr literal(LiteralKind kind) {
    const Token& token = cursor_.next();
    return make(token.offset, 1, Literal{kind, std::string(token.text)});
  }

  /// A text, or a table's or column's name in single quotes, which SQLite takes where a dot follows.
  ExpressionPtr read_string() {
    if (cursor_.peek(1).is_symbol(".")) return read_name_or_call();
    const Token& token = cursor_.next();
    return make(token.offset, 1, Literal{LiteralKind::text, unquoted(token)});
  }

  ExpressionPtr read_blob() {
    const Token& token = cursor_.next();
    const std::string_view digits = token.text.substr(2, token.text.size() - 3);
    const auto value = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
      bytes += static_cast<char>(value(digits[i]) * 16 + value(digits[i + 1]));
    }
    return make(token.offset, 1, Literal{LiteralKind::blob, std::move(bytes)});
  }

  ExpressionPtr read_parenthesised() {
    const std::size_t begin = cursor_.next().offset;
    if (at_select(cursor_)) {
      SelectPtr select = read_select(cursor_);
      cursor_.expect_symbol(")");
      const int height = above(select->height);
      return make(begin, height, ScalarSelect{std::move(select)});
    }
    std::vector<ExpressionPtr> values = read_expressions(cursor_);
    cursor_.expect_symbol(")");
    if (values.size() > 1) {
      const int height = height_above(values);
      return make(begin, height, RowValue{std::move(values)});
    }
    values.front()->begin = begin;
    values.front()->end = cursor_.end_of_last();
    return std::move(values.front());
  }

  static int height_above(const std::vector<ExpressionPtr>& expressions) {
    int height = 1;
    for (const ExpressionPtr& expression : expressions) height = std::max(height, above(expression->height));
    return height;
  }

  /// What begins with a keyword of its own; nothing where a name stands here.
  ExpressionPtr read_keyword() {
    const std::size_t begin = cursor_.peek().offset;
    if (cursor_.take("null")) return make(begin, 1, Literal{LiteralKind::null, {}});
    if (cursor_.take("current_date")) return make(begin, 1, Literal{LiteralKind::current_date, {}});
    if (cursor_.take("current_time")) return make(begin, 1, Literal{LiteralKind::current_time, {}});
    if (cursor_.take("current_timestamp")) return make(begin, 1, Literal{LiteralKind::current_timestamp, {}});
    if (cursor_.take("case")) return read_case(begin);
    if (cursor_.take("exists")) return read_exists(begin);
    if (!cursor_.peek(1).is_symbol("(")) return nullptr;
    if (cursor_.take("cast")) return read_cast(begin);
    if (cursor_.take("raise")) {
      std::string text = read_balanced(cursor_);
      return make(begin, 1, Raise{std::move(text)});
    }
    return nullptr;
  }

  ExpressionPtr read_case(std::size_t begin) {
    Case node;
    if (!cursor_.peek().is("when")) node.base = read(lowest);
    int height = above(height_or_zero(node.base));
    while (cursor_.take("when")) {
      CaseBranch branch;
      branch.when = read(lowest);
      cursor_.expect("then");
      branch.then = read(lowest);
      height = std::max(height, above(branch.when->height, branch.then->height));
      node.branches.push_back(std::move(branch));
    }
    if (node.branches.empty()) cursor_.fail_expected("WHEN");
    if (cursor_.take("else")) node.otherwise = read(lowest);
    height = std::max(height, above(height_or_zero(node.otherwise)));
    cursor_.expect("end");
    return make(begin, height, std::move(node));
  }

  ExpressionPtr read_exists(std::size_t begin) {
    cursor_.expect_symbol("(");
    SelectPtr select = read_select(cursor_);
    cursor_.expect_symbol(")");
    const int height = above(select->height);
    return make(begin, height, Exists{std::move(select)});
  }

  ExpressionPtr read_cast(std::size_t begin) {
    cursor_.expect_symbol("(");
    ExpressionPtr operand = read(lowest);
    cursor_.expect("as");
    std::string type = read_type(cursor_);
    cursor_.expect_symbol(")");
    const int height = above(operand->height);
    return make(begin, height, Cast{std::move(operand), std::move(type)});
  }

  ExpressionPtr read_name_or_call() {
    const std::size_t begin = cursor_.peek().offset;
    if (cursor_.peek(1).is_symbol("(")) return read_call(begin);
    ColumnName name;
    name.column = read_name(cursor_);
    if (cursor_.take_symbol(".")) {
      name.table = std::exchange(name.column, read_name(cursor_, "column"));
      if (cursor_.take_symbol(".")) {
        name.schema = std::exchange(name.table, std::exchange(name.column, read_name(cursor_, "column")));
      }
    }
    return make(begin, 1, std::move(name));
  }

  ExpressionPtr read_call(std::size_t begin) {
    FunctionCall call;
    call.name = read_name(cursor_, "function");
    cursor_.expect_symbol("(");
    if (cursor_.take_symbol("*")) {
      call.is_star = true;
    } else if (!cursor_.peek().is_symbol(")")) {
      call.is_distinct = cursor_.take("distinct");
      if (!call.is_distinct) cursor_.take("all");
      call.arguments = read_expressions(cursor_);
    }
    cursor_.expect_symbol(")");
    if (cursor_.peek().is("filter") && cursor_.peek(1).is_symbol("(")) {
      cursor_.next();
      cursor_.next();
      cursor_.expect("where");
      call.filter = read(lowest);
      cursor_.expect_symbol(")");
    }
    const Token& after = cursor_.peek(1);
    if (cursor_.peek().is("over") && (after.is_symbol("(") || is_name(after))) {
      cursor_.next();
      call.window =
          after.is_symbol("(") ? '(' + read_balanced(cursor_) + ')' : std::string(cursor_.next().text);
    }
    const int height = std::max(height_above(call.arguments), above(height_or_zero(call.filter)));
    return make(begin, height, std::move(call));
  }

  /// Takes one operator that binds at least so tightly, and what belongs to it; `left` is its left side
  /// before and the whole after.
  bool read_infix(ExpressionPtr& left, Precedence lowest_taken) {
    if (cursor_.peek().kind == TokenKind::symbol) return read_symbol_infix(left, lowest_taken);
    if (cursor_.peek().kind != TokenKind::word) return false;
    if (lowest_taken <= precedence_or && cursor_.take("or")) {
      return combine(left, BinaryOperator::logical_or, precedence_or);
    }
    if (lowest_taken <= precedence_and && cursor_.take("and")) {
      return combine(left, BinaryOperator::logical_and, precedence_and);
    }
    if (lowest_taken <= precedence_collate && cursor_.take("collate")) {
      Name collation = read_name(cursor_, "collation");
      const int height = above(left->height);
      const std::size_t begin = left->begin;
      left = make(begin, height, Collate{std::move(left), std::move(collation)});
      return true;
    }
    return lowest_taken <= precedence_equality && read_predicate(left);
  }

  bool read_symbol_infix(ExpressionPtr& left, Precedence lowest_taken) {
    const auto* const infix = std::ranges::find(infixes, cursor_.peek().text, &Infix::symbol);
    if (infix == infixes.end() || infix->precedence < lowest_taken) return false;
    cursor_.next();
    return combine(left, infix->operation, infix->precedence);
  }

  bool combine(ExpressionPtr& left, BinaryOperator operation, Precedence precedence) {
    ExpressionPtr right = read(one_above(precedence));
    const int height = above(left->height, right->height);
    const std::size_t begin = left->begin;
    left = make(begin, height, Binary{operation, std::move(left), std::move(right)});
    return true;
  }

  /// IS, IN, LIKE, BETWEEN and their kin; false where none stands here.
  bool read_predicate(ExpressionPtr& left) {
    if (cursor_.take("is")) {
      bool is_negated = cursor_.take("not");
      if (cursor_.take("distinct", "from")) is_negated = !is_negated;
      return combine(left, is_negated ? BinaryOperator::is_not : BinaryOperator::is, precedence_equality);
    }
    if (cursor_.take("isnull")) return null_test(left, false);
    if (cursor_.take("notnull") || cursor_.take("not", "null")) return null_test(left, true);
    const bool is_negated = cursor_.peek().is("not");
    const Token& word = cursor_.peek(is_negated ? 1 : 0);
    if (word.is("between")) return skip(is_negated), read_between(left, is_negated);
    if (word.is("in")) return skip(is_negated), read_in(left, is_negated);
    if (word.is("like")) return skip(is_negated), read_pattern(left, PatternOperator::like, is_negated);
    if (word.is("glob")) return skip(is_negated), read_pattern(left, PatternOperator::glob, is_negated);
    if (word.is("regexp")) return skip(is_negated), read_pattern(left, PatternOperator::regexp, is_negated);
    if (word.is("match")) return skip(is_negated), read_pattern(left, PatternOperator::match, is_negated);
    return false;
  }

  void skip(bool is_negated) {
    if (is_negated) cursor_.next();
    cursor_.next();
  }

  bool null_test(ExpressionPtr& left, bool is_negated) {
    const int height = above(left->height);
    const std::size_t begin = left->begin;
    left = make(begin, height, NullTest{is_negated, std::move(left)});
    return true;
  }

  bool read_between(ExpressionPtr& left, bool is_negated) {
    ExpressionPtr low = read(precedence_not);
    cursor_.expect("and");
    ExpressionPtr high = read(one_above(precedence_equality));
    const int height = above(left->height, low->height, high->height);
    const std::size_t begin = left->begin;
    left = make(begin, height, Between{is_negated, std::move(left), std::move(low), std::move(high)});
    return true;
  }

  bool read_pattern(ExpressionPtr& left, PatternOperator operation, bool is_negated) {
    PatternMatch node{operation, is_negated, nullptr, read(one_above(precedence_equality)), nullptr};
    if (cursor_.take("escape")) node.escape = read(one_above(precedence_equality));
    const int height = above(left->height, node.pattern->height, height_or_zero(node.escape));
    const std::size_t begin = left->begin;
    node.operand = std::move(left);
    left = make(begin, height, std::move(node));
    return true;
  }

  bool read_in(ExpressionPtr& left, bool is_negated) {
    const std::size_t begin = left->begin;
    if (!cursor_.peek().is_symbol("(")) return read_in_table(left, is_negated);
    cursor_.next();
    if (at_select(cursor_)) {
      SelectPtr select = read_select(cursor_);
      cursor_.expect_symbol(")");
      const int height = above(left->height, select->height);
      left = make(begin, height, InSelect{is_negated, std::move(left), std::move(select)});
      return true;
    }
    std::vector<ExpressionPtr> list;
    if (!cursor_.peek().is_symbol(")")) list = read_expressions(cursor_);
    cursor_.expect_symbol(")");
    const int height = std::max(above(left->height), height_above(list));
    left = make(begin, height, InList{is_negated, std::move(left), std::move(list)});
    return true;
  }

  bool read_in_table(ExpressionPtr& left, bool is_negated) {
    SelectCore core;
    core.begin = cursor_.peek().offset;
    QualifiedName name = read_qualified_name(cursor_, "\"(\" or table");
    core.from =
        SourcePtr(new Source{TableSource{std::move(name.schema), std::move(name.name)}, {}, core.begin, 1});
    core.columns.emplace_back().text = "*";
    SelectPtr select(new Select);
    select->cores.push_back(std::move(core));
    const int height = above(left->height, select->height);
    const std::size_t begin = left->begin;
    left = make(begin, height, InSelect{is_negated, std::move(left), std::move(select)});
    return true;
  }

  TokenCursor& cursor_;
};

}  // namespace

void ExpressionDeleter::operator()(Expression* expression) const noexcept {
  delete expression;
}

int checked_height(const TokenCursor& cursor, std::size_t offset, int height) {
  if (height > expression_height_max) {
    cursor.fail(offset, "expression of more than " + std::to_string(expression_height_max) + " levels");
  }
  return height;
}

ExpressionPtr read_expression(TokenCursor& cursor) {
  return ExpressionReader(cursor).read(lowest);
}

std::vector<ExpressionPtr> read_expressions(TokenCursor& cursor) {
  std::vector<ExpressionPtr> expressions;
  do {
    expressions.push_back(read_expression(cursor));
  } while (cursor.take_symbol(","));
  return expressions;
}

ExpressionPtr parse_expression(std::string_view sql) {
  TokenCursor cursor(sql);
  ExpressionPtr expression = read_expression(cursor);
  cursor.expect_end();
  return expression;
}

}  // namespace nerve::convert::sql
