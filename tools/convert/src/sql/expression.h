// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nerve::convert::sql {

struct Expression;
struct Select;

struct ExpressionDeleter {
  void operator()(Expression* expression) const noexcept;
};
struct SelectDeleter {
  void operator()(Select* select) const noexcept;
};
using ExpressionPtr = std::unique_ptr<Expression, ExpressionDeleter>;
using SelectPtr = std::unique_ptr<Select, SelectDeleter>;

/// A name as it was written. A name in double quotes that names no column is a text to SQLite, which only
/// the resolver can tell.
struct Name {
  std::string text;   ///< without its quotes; empty where none is written
  char quote = '\0';  ///< the opening quote: NUL for a bare name, else one of " [ ` '

  bool empty() const noexcept { return text.empty() && quote == '\0'; }
};

enum class LiteralKind : std::uint8_t {
  null,
  integer,            ///< digits, or hexadecimal with 0x
  real,               ///< as written
  text,               ///< without its quotes
  blob,               ///< the bytes
  current_date,       ///< CURRENT_DATE
  current_time,       ///< CURRENT_TIME
  current_timestamp,  ///< CURRENT_TIMESTAMP
};

struct Literal {
  LiteralKind kind = LiteralKind::null;
  std::string text;
};

/// `column`, `table.column` or `schema.table.column`.
struct ColumnName {
  Name schema;
  Name table;
  Name column;
};

enum class UnaryOperator : std::uint8_t { negate, plus, bit_not, logical_not };

struct Unary {
  UnaryOperator operation;
  ExpressionPtr operand;
};

enum class BinaryOperator : std::uint8_t {
  logical_or,
  logical_and,
  equal,
  not_equal,
  is,      ///< also IS NOT DISTINCT FROM
  is_not,  ///< also IS DISTINCT FROM
  less,
  less_equal,
  greater,
  greater_equal,
  bit_and,
  bit_or,
  shift_left,
  shift_right,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  concatenate,
  json_value,  ///< ->
  json_text,   ///< ->>
};

struct Binary {
  BinaryOperator operation;
  ExpressionPtr left;
  ExpressionPtr right;
};

enum class PatternOperator : std::uint8_t { like, glob, regexp, match };

struct PatternMatch {
  PatternOperator operation;
  bool is_negated = false;
  ExpressionPtr operand;
  ExpressionPtr pattern;
  ExpressionPtr escape;  ///< empty where no ESCAPE is written
};

struct Between {
  bool is_negated = false;
  ExpressionPtr operand;
  ExpressionPtr low;
  ExpressionPtr high;
};

struct InList {
  bool is_negated = false;
  ExpressionPtr operand;
  std::vector<ExpressionPtr> list;
};

/// `x IN (SELECT …)`; `x IN table` is read as `x IN (SELECT * FROM table)`.
struct InSelect {
  bool is_negated = false;
  ExpressionPtr operand;
  SelectPtr select;
};

struct NullTest {
  bool is_negated = false;  ///< NOTNULL, NOT NULL
  ExpressionPtr operand;
};

struct CaseBranch {
  ExpressionPtr when;
  ExpressionPtr then;
};

struct Case {
  ExpressionPtr base;  ///< empty in CASE WHEN …
  std::vector<CaseBranch> branches;
  ExpressionPtr otherwise;  ///< empty where no ELSE is written
};

struct Cast {
  ExpressionPtr operand;
  std::string type;  ///< as written, with one space between its words
};

struct Collate {
  ExpressionPtr operand;
  Name collation;
};

struct FunctionCall {
  Name name;
  bool is_distinct = false;
  bool is_star = false;  ///< f(*)
  std::vector<ExpressionPtr> arguments;
  ExpressionPtr filter;               ///< FILTER (WHERE …)
  std::optional<std::string> window;  ///< what follows OVER, as written
};

struct Exists {
  SelectPtr select;
};

struct ScalarSelect {
  SelectPtr select;
};

/// `(a, b)`: two or more values.
struct RowValue {
  std::vector<ExpressionPtr> values;
};

struct Placeholder {
  std::string text;
};

/// `RAISE(ABORT, 'message')`, which only triggers know.
struct Raise {
  std::string text;  ///< what stands between the parentheses, as written
};

/// One node of an expression and where it stands in its statement.
struct Expression {
  using Node =
      std::variant<Literal, ColumnName, Unary, Binary, PatternMatch, Between, InList, InSelect, NullTest,
                   Case, Cast, Collate, FunctionCall, Exists, ScalarSelect, RowValue, Placeholder, Raise>;

  Node node;
  std::size_t begin = 0;  ///< offset of its first byte in the statement
  std::size_t end = 0;    ///< offset behind its last byte
  int height = 1;         ///< of the tree below it, at most expression_height_max
};

/// How deep an expression may be, and how deep parentheses, functions and selects may nest in each other.
/// SQLite stops at 1000; what is read here is walked by recursion, so it is kept well inside a thread's
/// stack.
inline constexpr int expression_height_max = 250;

/// Reads a whole text as one expression of SQLite. Throws ValidationError with line and column where it is
/// none, or is deeper than expression_height_max.
ExpressionPtr parse_expression(std::string_view sql);

/// The expression as SQLite would read it again, each operation in parentheses.
std::string render(const Expression& expression);

}  // namespace nerve::convert::sql
