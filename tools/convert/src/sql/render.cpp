// SPDX-License-Identifier: Apache-2.0
#include "sql/overloaded.h"
#include "sql/select.h"

#include <array>
#include <string_view>

namespace nerve::convert::sql {
namespace {

std::string quoted(std::string_view text, char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote) result += quote;
    result += c;
  }
  return result + quote;
}

std::string render(const Name& name) {
  if (name.quote == '\0') return name.text;
  return quoted(name.text, name.quote == '[' ? '`' : name.quote);
}

std::string render(const ExpressionPtr& expression) {
  return render(*expression);
}

std::string render(const std::vector<ExpressionPtr>& expressions) {
  std::string text;
  for (const ExpressionPtr& expression : expressions) {
    if (!text.empty()) text += ", ";
    text += render(*expression);
  }
  return text;
}

std::string render(const std::vector<Name>& names) {
  std::string text;
  for (const Name& name : names) text += (text.empty() ? "" : ", ") + render(name);
  return text;
}

std::string render(const std::vector<OrderingTerm>& terms) {
  std::string text;
  for (const OrderingTerm& term : terms) {
    if (!text.empty()) text += ", ";
    text += render(*term.expression) + (term.is_descending ? " DESC" : "");
    if (term.nulls == NullsOrder::first) text += " NULLS FIRST";
    if (term.nulls == NullsOrder::last) text += " NULLS LAST";
  }
  return text;
}

std::string render(const Literal& literal) {
  switch (literal.kind) {
    case LiteralKind::null:
      return "NULL";
    case LiteralKind::integer:
    case LiteralKind::real:
      return literal.text;
    case LiteralKind::text:
      return quoted(literal.text, '\'');
    case LiteralKind::current_date:
      return "CURRENT_DATE";
    case LiteralKind::current_time:
      return "CURRENT_TIME";
    case LiteralKind::current_timestamp:
      return "CURRENT_TIMESTAMP";
    case LiteralKind::blob:
      break;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "x'";
  for (const char c : literal.text) {
    const auto byte = static_cast<unsigned char>(c);
    text += digits[byte >> 4];
    text += digits[byte & 0xF];
  }
  return text + '\'';
}

std::string render(const ColumnName& name) {
  std::string text = render(name.column);
  if (!name.table.empty()) text = render(name.table) + '.' + text;
  return name.schema.empty() ? text : render(name.schema) + '.' + text;
}

std::string render(const Unary& unary) {
  constexpr std::array<std::string_view, 4> operators = {"- ", "+ ", "~ ", "NOT "};
  return std::string(operators[static_cast<std::size_t>(unary.operation)]) + render(unary.operand);
}

std::string render(const Binary& binary) {
  constexpr std::array<std::string_view, 22> operators = {
      "OR", "AND", "=",  "<>", "IS", "IS NOT", "<", "<=", ">",  ">=", "&",
      "|",  "<<",  ">>", "+",  "-",  "*",      "/", "%",  "||", "->", "->>"};
  return render(binary.left) + ' ' + std::string(operators[static_cast<std::size_t>(binary.operation)]) +
         ' ' + render(binary.right);
}

std::string render(const PatternMatch& match) {
  constexpr std::array<std::string_view, 4> operators = {"LIKE ", "GLOB ", "REGEXP ", "MATCH "};
  std::string text = render(match.operand) + (match.is_negated ? " NOT " : " ") +
                     std::string(operators[static_cast<std::size_t>(match.operation)]) +
                     render(match.pattern);
  return match.escape ? text + " ESCAPE " + render(match.escape) : text;
}

std::string render(const Case& node) {
  std::string text = "CASE";
  if (node.base) text += ' ' + render(node.base);
  for (const CaseBranch& branch : node.branches) {
    text += " WHEN " + render(branch.when) + " THEN " + render(branch.then);
  }
  if (node.otherwise) text += " ELSE " + render(node.otherwise);
  return text + " END";
}

std::string render(const FunctionCall& call) {
  std::string text = render(call.name) + '(' + (call.is_distinct ? "DISTINCT " : "") +
                     (call.is_star ? "*" : render(call.arguments)) + ')';
  if (call.filter) text += " FILTER (WHERE " + render(call.filter) + ')';
  return call.window ? text + " OVER " + *call.window : text;
}

std::string render_node(const Expression::Node& node) {
  return std::visit(
      Overloaded{
          [](const Between& between) {
            return render(between.operand) + (between.is_negated ? " NOT BETWEEN " : " BETWEEN ") +
                   render(between.low) + " AND " + render(between.high);
          },
          [](const InList& in) {
            return render(in.operand) + (in.is_negated ? " NOT IN (" : " IN (") + render(in.list) + ')';
          },
          [](const InSelect& in) {
            return render(in.operand) + (in.is_negated ? " NOT IN (" : " IN (") + render(*in.select) + ')';
          },
          [](const NullTest& test) {
            return render(test.operand) + (test.is_negated ? " NOTNULL" : " ISNULL");
          },
          [](const Cast& cast) { return "CAST(" + render(cast.operand) + " AS " + cast.type + ')'; },
          [](const Collate& collate) {
            return render(collate.operand) + " COLLATE " + render(collate.collation);
          },
          [](const Exists& exists) { return "EXISTS (" + render(*exists.select) + ')'; },
          [](const ScalarSelect& scalar) { return render(*scalar.select); },
          [](const RowValue& row) { return render(row.values); },
          [](const Placeholder& placeholder) { return placeholder.text; },
          [](const Raise& raise) { return "RAISE(" + raise.text + ')'; },
          [](const auto& other) { return render(other); },
      },
      node);
}

bool stands_alone(const Expression::Node& node) {
  return std::holds_alternative<Literal>(node) || std::holds_alternative<ColumnName>(node) ||
         std::holds_alternative<FunctionCall>(node) || std::holds_alternative<Placeholder>(node) ||
         std::holds_alternative<Cast>(node) || std::holds_alternative<Exists>(node) ||
         std::holds_alternative<Raise>(node) || std::holds_alternative<Case>(node);
}

std::string render(const Source& source) {
  std::string text = std::visit(
      Overloaded{
          [](const TableSource& table) {
            return (table.schema.empty() ? "" : render(table.schema) + '.') + render(table.table);
          },
          [](const TableFunction& function) {
            return render(function.name) + '(' + render(function.arguments) + ')';
          },
          [](const SubquerySource& subquery) { return '(' + render(*subquery.select) + ')'; },
          [](const Join& join) {
            constexpr std::array<std::string_view, 5> kinds = {"CROSS", "INNER", "LEFT", "RIGHT", "FULL"};
            const bool is_group = std::holds_alternative<Join>(join.right->node);
            std::string joined = render(*join.left) + (join.is_natural ? " NATURAL " : " ") +
                                 std::string(kinds[static_cast<std::size_t>(join.kind)]) + " JOIN " +
                                 (is_group ? '(' + render(*join.right) + ')' : render(*join.right));
            if (join.on) joined += " ON " + render(join.on);
            return join.using_.empty() ? joined : joined + " USING (" + render(join.using_) + ')';
          },
      },
      source.node);
  return source.alias.empty() ? text : text + " AS " + render(source.alias);
}

std::string render(const SelectCore& core) {
  std::string text;
  for (const auto& row : core.values) text += (text.empty() ? "VALUES (" : ", (") + render(row) + ')';
  if (!core.values.empty()) return text;
  text = core.is_distinct ? "SELECT DISTINCT " : "SELECT ";
  bool is_first = true;
  for (const ResultColumn& column : core.columns) {
    if (!is_first) text += ", ";
    is_first = false;
    if (const auto* star = std::get_if<Star>(&column.value)) {
      text += star->table.empty() ? "*" : render(star->table) + ".*";
    } else {
      text += render(std::get<ExpressionPtr>(column.value));
    }
    if (!column.alias.empty()) text += " AS " + render(column.alias);
  }
  if (core.from) text += " FROM " + render(*core.from);
  if (core.where) text += " WHERE " + render(core.where);
  if (!core.group_by.empty()) text += " GROUP BY " + render(core.group_by);
  if (core.having) text += " HAVING " + render(core.having);
  is_first = true;
  for (const auto& [name, window] : core.windows) {
    text += (is_first ? " WINDOW " : ", ") + render(name) + " AS (" + window + ')';
    is_first = false;
  }
  return text;
}

std::string render_with(const Select& select) {
  std::string text;
  for (const CommonTable& table : select.with) {
    text += text.empty() ? (select.is_recursive ? "WITH RECURSIVE " : "WITH ") : ", ";
    text += render(table.name);
    if (!table.columns.empty()) text += '(' + render(table.columns) + ')';
    text += " AS (" + render(*table.select) + ')';
  }
  return text.empty() ? text : text + ' ';
}

}  // namespace

std::string render(const Expression& expression) {
  const std::string text = render_node(expression.node);
  return stands_alone(expression.node) ? text : '(' + text + ')';
}

std::string render(const Select& select) {
  constexpr std::array<std::string_view, 4> operators = {" UNION ", " UNION ALL ", " INTERSECT ", " EXCEPT "};
  std::string text = render_with(select);
  for (std::size_t i = 0; i < select.cores.size(); ++i) {
    if (i > 0) text += operators[static_cast<std::size_t>(select.operators[i - 1])];
    text += render(select.cores[i]);
  }
  if (!select.order_by.empty()) text += " ORDER BY " + render(select.order_by);
  if (select.limit) text += " LIMIT " + render(select.limit);
  return select.offset ? text + " OFFSET " + render(select.offset) : text;
}

}  // namespace nerve::convert::sql
