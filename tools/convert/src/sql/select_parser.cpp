// SPDX-License-Identifier: Apache-2.0
#include "sql/grammar.h"
#include "sql/select.h"

#include <algorithm>
#include <utility>

namespace nerve::convert::sql {
namespace {

int height_of(const ExpressionPtr& expression) {
  return expression ? expression->height : 0;
}

int height_of(const std::vector<ExpressionPtr>& expressions) {
  int height = 0;
  for (const ExpressionPtr& expression : expressions) height = std::max(height, expression->height);
  return height;
}

int height_of(const SelectCore& core) {
  int height = std::max({core.from ? core.from->height : 0, height_of(core.where), height_of(core.group_by),
                         height_of(core.having)});
  for (const ResultColumn& column : core.columns) {
    if (const auto* expression = std::get_if<ExpressionPtr>(&column.value)) {
      height = std::max(height, (*expression)->height);
    }
  }
  for (const auto& row : core.values) height = std::max(height, height_of(row));
  return height;
}

int height_of(const Select& select) {
  int height = std::max(height_of(select.limit), height_of(select.offset));
  for (const CommonTable& table : select.with) height = std::max(height, table.select->height);
  for (const SelectCore& core : select.cores) height = std::max(height, height_of(core));
  for (const OrderingTerm& term : select.order_by) height = std::max(height, term.expression->height);
  return 1 + height;
}

class SelectReader {
 public:
  explicit SelectReader(TokenCursor& cursor) noexcept : cursor_(cursor) {}

  SelectPtr read() {
    const TokenCursor::Level level(cursor_);
    const std::size_t begin = cursor_.peek().offset;
    SelectPtr select(new Select);
    if (cursor_.take("with")) read_with(*select);
    select->cores.push_back(read_core());
    while (read_operator(*select)) {
      if (select->cores.size() == compound_parts_max) cursor_.fail(begin, "compound of more than 500 parts");
      select->cores.push_back(read_core());
    }
    if (cursor_.take("order", "by")) select->order_by = read_ordering_terms(cursor_);
    if (cursor_.take("limit")) {
      select->limit = read_expression(cursor_);
      if (cursor_.take("offset")) {
        select->offset = read_expression(cursor_);
      } else if (cursor_.take_symbol(",")) {
        select->offset = std::exchange(select->limit, read_expression(cursor_));
      }
    }
    select->height = checked_height(cursor_, begin, height_of(*select));
    return select;
  }

 private:
  void read_with(Select& select) {
    select.is_recursive = cursor_.take("recursive");
    do {
      CommonTable table;
      table.name = read_name(cursor_, "name of a common table");
      if (cursor_.peek().is_symbol("(")) table.columns = read_name_list(cursor_);
      cursor_.expect("as");
      if (!cursor_.take("materialized")) cursor_.take("not", "materialized");
      cursor_.expect_symbol("(");
      table.select = read_select(cursor_);
      cursor_.expect_symbol(")");
      select.with.push_back(std::move(table));
    } while (cursor_.take_symbol(","));
  }

  bool read_operator(Select& select) {
    if (cursor_.take("union")) {
      select.operators.push_back(cursor_.take("all") ? CompoundOperator::union_all
                                                     : CompoundOperator::union_distinct);
    } else if (cursor_.take("intersect")) {
      select.operators.push_back(CompoundOperator::intersect);
    } else if (cursor_.take("except")) {
      select.operators.push_back(CompoundOperator::except);
    } else {
      return false;
    }
    return true;
  }

  SelectCore read_core() {
    SelectCore core;
    core.begin = cursor_.peek().offset;
    if (cursor_.take("values")) {
      read_values(core);
      return core;
    }
    cursor_.expect("select");
    core.is_distinct = cursor_.take("distinct");
    if (!core.is_distinct) cursor_.take("all");
    do {
      core.columns.push_back(read_result_column());
    } while (cursor_.take_symbol(","));
    if (cursor_.take("from")) core.from = read_sources();
    if (cursor_.take("where")) core.where = read_expression(cursor_);
    if (cursor_.take("group", "by")) core.group_by = read_expressions(cursor_);
    if (cursor_.take("having")) core.having = read_expression(cursor_);
    if (cursor_.take("window")) read_windows(core);
    return core;
  }

  void read_values(SelectCore& core) {
    do {
      cursor_.expect_symbol("(");
      core.values.push_back(read_expressions(cursor_));
      cursor_.expect_symbol(")");
    } while (cursor_.take_symbol(","));
  }

  void read_windows(SelectCore& core) {
    do {
      Name name = read_name(cursor_, "name of a window");
      cursor_.expect("as");
      core.windows.emplace_back(std::move(name), read_balanced(cursor_));
    } while (cursor_.take_symbol(","));
  }

  ResultColumn read_result_column() {
    if (cursor_.take_symbol("*")) return ResultColumn{Star{}, {}, "*"};
    if (cursor_.peek(1).is_symbol(".") && cursor_.peek(2).is_symbol("*")) {
      Star star{read_name(cursor_, "table")};
      cursor_.next();
      cursor_.next();
      return ResultColumn{std::move(star), {}, "*"};
    }
    const std::size_t begin = cursor_.peek().offset;
    ExpressionPtr expression = read_expression(cursor_);
    std::string text(cursor_.sql().substr(begin, cursor_.end_of_last() - begin));
    Name alias = read_alias();
    return ResultColumn{std::move(expression), std::move(alias), std::move(text)};
  }

  Name read_alias() {
    if (cursor_.take("as")) return read_name(cursor_, "alias");
    return is_alias(cursor_.peek()) ? read_name(cursor_) : Name{};
  }

  SourcePtr read_sources() {
    SourcePtr left = read_source();
    Join join;
    while (read_join_operator(join)) {
      join.right = read_source();
      if (cursor_.take("on")) {
        join.on = read_expression(cursor_);
      } else if (cursor_.take("using")) {
        join.using_ = read_name_list(cursor_);
      }
      const std::size_t begin = left->begin;
      const int height = 1 + std::max({left->height, join.right->height, height_of(join.on)});
      join.left = std::move(left);
      left = SourcePtr(
          new Source{std::exchange(join, Join{}), {}, begin, checked_height(cursor_, begin, height)});
    }
    return left;
  }

  /// `,`, JOIN, and the words before JOIN in any order that SQLite takes.
  bool read_join_operator(Join& join) {
    if (cursor_.take_symbol(",")) return true;
    const std::size_t begin = cursor_.peek().offset;
    bool has_words = false;
    bool is_left = false;
    bool is_right = false;
    join.kind = JoinKind::inner;
    for (;; has_words = true) {
      if (cursor_.take("natural")) {
        join.is_natural = true;
      } else if (cursor_.take("left")) {
        is_left = true;
      } else if (cursor_.take("right")) {
        is_right = true;
      } else if (cursor_.take("full")) {
        is_left = is_right = true;
      } else if (cursor_.take("cross")) {
        join.kind = JoinKind::cross;
      } else if (!cursor_.take("inner") && !cursor_.take("outer")) {
        break;
      }
    }
    if (is_left || is_right) {
      join.kind = !is_left ? JoinKind::right : is_right ? JoinKind::full : JoinKind::left;
    }
    if (!has_words && !cursor_.peek().is("join")) return false;
    if (!cursor_.take("join")) cursor_.fail(begin, "join without the word JOIN");
    return true;
  }

  SourcePtr read_source() {
    const TokenCursor::Level level(cursor_);
    SourcePtr source(new Source);
    source->begin = cursor_.peek().offset;
    if (cursor_.take_symbol("(")) {
      read_parenthesised(source);
    } else {
      read_table(*source);
    }
    if (Name alias = read_alias(); !alias.empty()) source->alias = std::move(alias);
    if (cursor_.take("indexed")) {
      cursor_.expect("by");
      read_name(cursor_, "index");
    } else {
      cursor_.take("not", "indexed");
    }
    source->height = checked_height(cursor_, source->begin, source->height);
    return source;
  }

  /// `(SELECT …)` or `(a JOIN b)`, behind the parenthesis.
  void read_parenthesised(SourcePtr& source) {
    if (at_select(cursor_)) {
      SelectPtr select = read_select(cursor_);
      source->height = 1 + select->height;
      source->node = SubquerySource{std::move(select)};
    } else {
      const std::size_t begin = source->begin;
      source = read_sources();
      source->begin = begin;
    }
    cursor_.expect_symbol(")");
  }

  void read_table(Source& source) {
    QualifiedName name = read_qualified_name(cursor_, "table");
    if (!cursor_.take_symbol("(")) {
      source.node = TableSource{std::move(name.schema), std::move(name.name)};
      return;
    }
    TableFunction function{std::move(name.name), {}};
    if (!cursor_.peek().is_symbol(")")) function.arguments = read_expressions(cursor_);
    cursor_.expect_symbol(")");
    source.height = 1 + height_of(function.arguments);
    source.node = std::move(function);
  }

  TokenCursor& cursor_;
};

}  // namespace

void SelectDeleter::operator()(Select* select) const noexcept {
  delete select;
}

void SourceDeleter::operator()(Source* source) const noexcept {
  delete source;
}

SelectPtr read_select(TokenCursor& cursor) {
  return SelectReader(cursor).read();
}

bool at_select(const TokenCursor& cursor) noexcept {
  const Token& token = cursor.peek();
  return token.is("select") || token.is("values") || (token.is("with") && !cursor.peek(1).is_symbol("."));
}

std::vector<OrderingTerm> read_ordering_terms(TokenCursor& cursor) {
  std::vector<OrderingTerm> terms;
  do {
    OrderingTerm term;
    term.expression = read_expression(cursor);
    term.is_descending = cursor.take("desc");
    if (!term.is_descending) cursor.take("asc");
    if (cursor.take("nulls", "first")) {
      term.nulls = NullsOrder::first;
    } else if (cursor.take("nulls", "last")) {
      term.nulls = NullsOrder::last;
    }
    terms.push_back(std::move(term));
  } while (cursor.take_symbol(","));
  return terms;
}

SelectPtr parse_select(std::string_view sql) {
  TokenCursor cursor(sql);
  SelectPtr select = read_select(cursor);
  cursor.expect_end();
  return select;
}

}  // namespace nerve::convert::sql
