// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql/expression.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace nerve::convert::sql {

/// `*` or `table.*`.
struct Star {
  Name table;
};

struct ResultColumn {
  std::variant<Star, ExpressionPtr> value;
  Name alias;
  std::string text;  ///< as written, which is its name to SQLite where it has no other
};

enum class NullsOrder : std::uint8_t { unspecified, first, last };

struct OrderingTerm {
  ExpressionPtr expression;
  bool is_descending = false;
  NullsOrder nulls = NullsOrder::unspecified;
};

enum class JoinKind : std::uint8_t { cross, inner, left, right, full };

struct Source;

struct SourceDeleter {
  void operator()(Source* source) const noexcept;
};
using SourcePtr = std::unique_ptr<Source, SourceDeleter>;

/// A table or view by its name.
struct TableSource {
  Name schema;
  Name table;
};

/// A function that gives rows, such as json_each(…).
struct TableFunction {
  Name name;
  std::vector<ExpressionPtr> arguments;
};

struct SubquerySource {
  SelectPtr select;
};

/// Two sources joined; chains lean to the left.
struct Join {
  JoinKind kind = JoinKind::cross;
  bool is_natural = false;
  SourcePtr left;
  SourcePtr right;
  ExpressionPtr on;          ///< empty where no ON is written
  std::vector<Name> using_;  ///< empty where no USING is written
};

/// What a SELECT reads from.
struct Source {
  std::variant<TableSource, TableFunction, SubquerySource, Join> node;
  Name alias;
  std::size_t begin = 0;
  int height = 1;
};

/// One SELECT without ORDER BY and LIMIT, or one VALUES.
struct SelectCore {
  bool is_distinct = false;
  std::vector<ResultColumn> columns;
  SourcePtr from;  ///< empty where no FROM is written
  ExpressionPtr where;
  std::vector<ExpressionPtr> group_by;
  ExpressionPtr having;
  std::vector<std::pair<Name, std::string>> windows;  ///< WINDOW name AS (…), the latter as written
  std::vector<std::vector<ExpressionPtr>> values;     ///< VALUES (…), (…); empty for a SELECT
  std::size_t begin = 0;
};

enum class CompoundOperator : std::uint8_t { union_distinct, union_all, intersect, except };

struct CommonTable {
  Name name;
  std::vector<Name> columns;
  SelectPtr select;
};

struct Select {
  bool is_recursive = false;
  std::vector<CommonTable> with;
  std::vector<SelectCore> cores;            ///< at least one
  std::vector<CompoundOperator> operators;  ///< one fewer than cores; all of one precedence, from the left
  std::vector<OrderingTerm> order_by;
  ExpressionPtr limit;
  ExpressionPtr offset;
  int height = 1;  ///< of the trees in it, at most expression_height_max
};

/// How many SELECTs one compound may join, as in SQLite.
inline constexpr std::size_t compound_parts_max = 500;

/// Reads a whole text as one SELECT of SQLite. Throws ValidationError with line and column where it is none.
SelectPtr parse_select(std::string_view sql);

/// The select as SQLite would read it again.
std::string render(const Select& select);

}  // namespace nerve::convert::sql
