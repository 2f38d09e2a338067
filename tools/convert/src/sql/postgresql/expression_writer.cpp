// SPDX-License-Identifier: Apache-2.0
#include "sql/overloaded.h"
#include "sql/postgresql/comparison.h"
#include "sql/postgresql/functions.h"
#include "sql/postgresql/operation.h"
#include "sql/postgresql/quote.h"
#include "sql/postgresql/writer.h"
#include "sql/tokens.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace nerve::convert::sql {
namespace {

constexpr int hex_digits_max = 16;

Value write_integer(const std::string& text, std::size_t offset) {
  std::uint64_t bits = 0;
  const bool is_hex = text.size() > 2 && (text[1] == 'x' || text[1] == 'X');
  if (is_hex) {
    const std::size_t digits = text.find_first_not_of('0', 2);
    if (digits != std::string::npos && text.size() - digits > hex_digits_max) {
      throw Refusal("a hexadecimal number of more than 64 bits", offset);
    }
    std::from_chars(text.data() + 2, text.data() + text.size(), bits, 16);
    return integer_literal(static_cast<std::int64_t>(bits), offset);
  }
  const std::optional<Constant> number = number_of(text);
  if (!number) throw Refusal("a number beyond the range of reals", offset);
  if (const auto* integer = std::get_if<std::int64_t>(&*number)) return integer_literal(*integer, offset);
  return real_literal(std::get<double>(*number), offset);
}

Value write_real(const std::string& text, std::size_t offset) {
  const std::optional<Constant> number = number_of(text);
  if (!number) throw Refusal("a number beyond the range of reals", offset);
  const auto* integer = std::get_if<std::int64_t>(&*number);
  return real_literal(integer != nullptr ? static_cast<double>(*integer) : std::get<double>(*number), offset);
}

/// TRUE or FALSE, which SQLite knows where no column has that name.
std::optional<Value> truth_word(const Name& name, std::size_t offset) {
  if (name.quote != '\0') return std::nullopt;
  if (equals_folded(name.text, "true")) return integer_literal(1, offset);
  if (equals_folded(name.text, "false")) return integer_literal(0, offset);
  return std::nullopt;
}

std::optional<bool> truth_of(const Expression& expression) {
  const auto* name = std::get_if<ColumnName>(&expression.node);
  if (name == nullptr || !name->table.empty()) return std::nullopt;
  const std::optional<Value> word = truth_word(name->column, 0);
  if (!word) return std::nullopt;
  return *word->integer() == 1;
}

/// The first COLLATE inside of an expression; that of a FILTER says nothing of an aggregate's value.
std::optional<Collation> inner_collation(const Expression& expression) {
  if (const auto* node = std::get_if<Collate>(&expression.node))
    return collation_named(node->collation, expression.begin);
  std::optional<Collation> found;
  const auto look_at = [&](const Expression& child) {
    if (!found) found = inner_collation(child);
  };
  if (const auto* call = std::get_if<FunctionCall>(&expression.node)) {
    for (const ExpressionPtr& argument : call->arguments) look_at(*argument);
  } else {
    for_each_child(expression, look_at);
  }
  return found;
}

}  // namespace

Value Writer::write(const Expression& expression, const Scope& scope) {
  const std::size_t offset = expression.begin;
  Value value = std::visit(
      Overloaded{
          [&](const Literal& node) { return write_literal(node, offset); },
          [&](const ColumnName& node) { return write_name(node, scope, offset); },
          [&](const Unary& node) { return write_unary(node, scope, offset); },
          [&](const Binary& node) { return write_binary(node, scope, offset); },
          [&](const PatternMatch& node) { return write_pattern(node, scope, offset); },
          [&](const Between& node) {
            const Value test = between(write(*node.operand, scope), write(*node.low, scope),
                                       write(*node.high, scope), context_, offset);
            return node.is_negated ? negated(test) : test;
          },
          [&](const InList& node) {
            std::vector<Value> list;
            for (const ExpressionPtr& member : node.list) list.push_back(write(*member, scope));
            const Value test = in_list(write(*node.operand, scope), list, context_, offset);
            return node.is_negated ? negated(test) : test;
          },
          [&](const InSelect& node) { return write_in_select(node, scope, offset); },
          [&](const NullTest& node) {
            return compare(node.is_negated ? BinaryOperator::is_not : BinaryOperator::is,
                           write(*node.operand, scope), null_literal(offset), context_, offset);
          },
          [&](const Case& node) { return write_case(node, scope, offset); },
          [&](const Cast& node) {
            return cast_value(write(*node.operand, scope), node.type, context_, offset);
          },
          [&](const Collate& node) { return write_collate(node, scope, offset); },
          [&](const FunctionCall& node) { return write_call(node, scope, offset); },
          [&](const Exists& node) {
            Value test = condition("EXISTS (" + write_select(*node.select, &scope, {}).sql + ')', offset);
            test.is_atomic = true;
            test.is_not_null = true;
            return test;
          },
          [&](const ScalarSelect& node) { return write_scalar(node, scope, offset); },
          [&](const RowValue&) -> Value { throw Refusal("a row of several values", offset); },
          [&](const Placeholder&) -> Value { throw Refusal("a parameter", offset); },
          [&](const Raise&) -> Value { throw Refusal("RAISE() belongs to triggers", offset); },
      },
      expression.node);
  value.offset = offset;
  // SQLite compares by a COLLATE wherever it stands in an operand.
  if (!value.has_explicit_collation && class_of(value) == ValueClass::text) {
    if (const auto collation = inner_collation(expression)) {
      value.collation = collation;
      value.has_explicit_collation = true;
    }
  }
  if (value.sql.size() > translation_bytes_max) throw Refusal("a translation that is too long", offset);
  return value;
}

Value Writer::write_condition(const Expression& expression, const Scope& scope) {
  return as_condition(write(expression, scope));
}

Value Writer::write_literal(const Literal& literal, std::size_t offset) const {
  switch (literal.kind) {
    case LiteralKind::null:
      return null_literal(offset);
    case LiteralKind::integer:
      return write_integer(literal.text, offset);
    case LiteralKind::real:
      return write_real(literal.text, offset);
    case LiteralKind::text:
      return text_literal(literal.text, offset);
    case LiteralKind::blob: {
      Value bytes = result(quote_bytes(literal.text), TargetType::bytea, offset);
      bytes.is_not_null = true;
      return bytes;
    }
    case LiteralKind::current_date:
      return formatted_now("%Y-%m-%d", context_, offset);
    case LiteralKind::current_time:
      return formatted_now("%H:%M:%S", context_, offset);
    case LiteralKind::current_timestamp:
      break;
  }
  return formatted_now("%Y-%m-%d %H:%M:%S", context_, offset);
}

Value Writer::write_name(const ColumnName& name, const Scope& scope, std::size_t offset) {
  const bool is_qualified = !name.table.empty();
  for (const Scope* level = &scope; level != nullptr; level = level->outer) {
    if (std::optional<Value> column = find_column(*level, name, offset)) return std::move(*column);
    if (is_qualified || level->aliases == nullptr) continue;
    if (const Expression* expression = find_alias(*level->aliases, name.column.text)) {
      Scope without_aliases = *level;
      without_aliases.aliases = nullptr;
      return write(*expression, without_aliases);
    }
  }
  if (!is_qualified) {
    if (std::optional<Value> word = truth_word(name.column, offset)) return std::move(*word);
    if (name.column.quote == '"') return text_literal(name.column.text, offset);
  }
  throw Refusal("there is no column \"" + name.column.text + "\"", offset);
}

Value Writer::write_unary(const Unary& unary, const Scope& scope, std::size_t offset) {
  if (unary.operation == UnaryOperator::logical_not) return negated(write_condition(*unary.operand, scope));
  const auto* literal = std::get_if<Literal>(&unary.operand->node);
  if (literal != nullptr && literal->kind == LiteralKind::integer &&
      unary.operation == UnaryOperator::negate) {
    // The least integer has no positive twin, so its digits alone would be a real.
    const std::optional<Constant> number = number_of('-' + literal->text);
    const auto* integer = number ? std::get_if<std::int64_t>(&*number) : nullptr;
    if (integer != nullptr) return integer_literal(*integer, offset);
  }
  return signed_value(unary.operation, write(*unary.operand, scope), offset);
}

Value Writer::write_binary(const Binary& binary, const Scope& scope, std::size_t offset) {
  switch (binary.operation) {
    case BinaryOperator::logical_or:
    case BinaryOperator::logical_and:
      return connected(write_condition(*binary.left, scope),
                       binary.operation == BinaryOperator::logical_or ? "OR" : "AND",
                       write_condition(*binary.right, scope), offset);
    case BinaryOperator::is:
    case BinaryOperator::is_not:
      return write_identity(binary, scope, offset);
    case BinaryOperator::equal:
    case BinaryOperator::not_equal:
    case BinaryOperator::less:
    case BinaryOperator::less_equal:
    case BinaryOperator::greater:
    case BinaryOperator::greater_equal:
      return compare(binary.operation, write(*binary.left, scope), write(*binary.right, scope), context_,
                     offset);
    case BinaryOperator::concatenate:
      return concatenation(write(*binary.left, scope), write(*binary.right, scope), context_, offset);
    case BinaryOperator::json_value:
    case BinaryOperator::json_text:
      throw Refusal("the JSON operators give other types in PostgreSQL", offset);
    default:
      break;
  }
  return arithmetic(binary.operation, write(*binary.left, scope), write(*binary.right, scope), context_,
                    offset);
}

Value Writer::write_identity(const Binary& binary, const Scope& scope, std::size_t offset) {
  const bool is_negated = binary.operation == BinaryOperator::is_not;
  // IS TRUE asks for the truth of the left side, other than IS 1.
  if (const std::optional<bool> truth = truth_of(*binary.right)) {
    const auto& name = std::get<ColumnName>(binary.right->node);
    if (!find_column(scope, name, offset)) {
      const Value left = write_condition(*binary.left, scope);
      Value test =
          condition(wrapped(left) + (is_negated ? " IS NOT " : " IS ") + (*truth ? "TRUE" : "FALSE"), offset);
      test.is_not_null = true;
      test.is_aggregate = left.is_aggregate;
      return test;
    }
  }
  return compare(binary.operation, write(*binary.left, scope), write(*binary.right, scope), context_, offset);
}

Value Writer::write_pattern(const PatternMatch& match, const Scope& scope, std::size_t offset) {
  if (match.operation == PatternOperator::regexp)
    throw Refusal("REGEXP is a function of the application", offset);
  if (match.operation == PatternOperator::match) throw Refusal("MATCH belongs to virtual tables", offset);
  const Value operand = write(*match.operand, scope);
  const Value pattern = write(*match.pattern, scope);
  std::optional<Value> escape;
  if (match.escape) escape = write(*match.escape, scope);
  if (escape && match.operation == PatternOperator::glob) throw Refusal("GLOB with ESCAPE", offset);
  const Value test = match.operation == PatternOperator::like
                         ? like(operand, pattern, escape, context_, offset)
                         : glob(operand, pattern, context_, offset);
  return match.is_negated ? negated(test) : test;
}

Value Writer::write_case(const Case& node, const Scope& scope, std::size_t offset) {
  std::optional<Value> base;
  if (node.base) base = write(*node.base, scope);
  std::vector<Value> conditions;
  std::vector<Value> results;
  for (const CaseBranch& branch : node.branches) {
    conditions.push_back(
        base ? compare(BinaryOperator::equal, *base, write(*branch.when, scope), context_, offset)
             : write_condition(*branch.when, scope));
    results.push_back(write(*branch.then, scope));
  }
  results.push_back(node.otherwise ? write(*node.otherwise, scope) : null_literal(offset));
  if (std::ranges::all_of(results, &Value::is_null_literal)) return null_literal(offset);
  std::vector<Value*> branches;
  branches.reserve(results.size());
  for (Value& value : results) branches.push_back(&value);
  unify(branches, context_);
  Value value = result("CASE", TargetType::unknown, offset);
  value.is_not_null = true;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Value& branch = results[i];
    value.is_bytewise = value.is_bytewise || branch.is_bytewise;
    value.is_mixed = value.is_mixed || branch.is_mixed;
    value.may_be_infinite = value.may_be_infinite || branch.may_be_infinite;
    value.is_not_null = value.is_not_null && branch.is_not_null;
    value.is_aggregate = value.is_aggregate || branch.is_aggregate;
    if (!branch.is_null_literal()) value.type = branch.type;
    if (branch.time_form != TimeForm::unknown && branch.type != TargetType::text)
      value.time_form = branch.time_form;
    const bool is_else = i == conditions.size();
    if (!is_else) value.is_aggregate = value.is_aggregate || conditions[i].is_aggregate;
    value.sql += is_else ? " ELSE " : " WHEN " + conditions[i].sql + " THEN ";
    value.sql += as_value(branch).sql;
  }
  value.sql += " END";
  value.sql = '(' + value.sql + ')';
  return value;
}

Value Writer::write_collate(const Collate& collate, const Scope& scope, std::size_t offset) {
  Value value = write(*collate.operand, scope);
  value.collation = collation_named(collate.collation, offset);
  value.has_explicit_collation = true;
  return value;
}

Value Writer::write_call(const FunctionCall& call, const Scope& scope, std::size_t offset) {
  if (call.window) throw Refusal("a window function", offset);
  const std::string name = folded(call.name.text);
  if (is_aggregate(name, call.arguments.size())) return write_aggregate(call, scope, offset);
  if (call.is_star || call.is_distinct || call.filter) {
    throw Refusal("the function " + name + "() with *, DISTINCT or FILTER", offset);
  }
  if (name == "iif" || name == "if") return write_choice(call, scope, offset);
  Call written{name, {}, offset};
  for (const ExpressionPtr& argument : call.arguments) written.arguments.push_back(write(*argument, scope));
  return call_function(written, context_);
}

Value Writer::write_choice(const FunctionCall& call, const Scope& scope, std::size_t offset) {
  if (call.arguments.size() != 3) throw Refusal("iif() of other than three arguments", offset);
  Value yes = write(*call.arguments[1], scope);
  Value no = write(*call.arguments[2], scope);
  const Value test = write_condition(*call.arguments[0], scope);
  unify({&yes, &no}, context_);
  Value value = yes.is_null_literal() ? no : yes;
  if (value.is_null_literal()) return value;
  value = as_value(value);
  value.sql = "(CASE WHEN " + test.sql + " THEN " + as_value(yes).sql + " ELSE " + as_value(no).sql + " END)";
  value.is_atomic = true;
  value.is_not_null = yes.is_not_null && no.is_not_null;
  value.is_bytewise = yes.is_bytewise || no.is_bytewise;
  value.is_mixed = yes.is_mixed || no.is_mixed;
  value.is_aggregate = yes.is_aggregate || no.is_aggregate || test.is_aggregate;
  value.affinity = Affinity::none;
  value.collation.reset();
  value.lower_bound.reset();
  return value;
}

Value Writer::write_aggregate(const FunctionCall& call, const Scope& scope, std::size_t offset) {
  const std::string name = folded(call.name.text);
  if (!scope.allows_aggregates)
    throw Refusal("the aggregate " + name + "() outside of a query's list", offset);
  Scope inner = scope;
  inner.allows_aggregates = false;
  AggregateCall written{name, call.is_star, call.is_distinct, {}, {}, offset};
  for (const ExpressionPtr& argument : call.arguments) written.arguments.push_back(write(*argument, inner));
  if (call.filter) written.filter = " FILTER (WHERE " + write_condition(*call.filter, inner).sql + ')';
  return call_aggregate(written, context_);
}

Value Writer::write_scalar(const ScalarSelect& scalar, const Scope& scope, std::size_t offset) {
  WrittenSelect select = write_select(*scalar.select, &scope, {});
  if (select.outputs.size() != 1) throw Refusal("a subquery of several columns as one value", offset);
  Value value = std::move(select.outputs.front().value);
  value.sql = '(' + select.sql + ')';
  value.is_atomic = true;
  value.is_not_null = false;
  value.is_aggregate = false;
  value.connective = {};
  value.lower_bound.reset();
  value.collation.reset();
  value.has_explicit_collation = false;
  return value;
}

Value Writer::write_in_select(const InSelect& in, const Scope& scope, std::size_t offset) {
  const Value operand = write(*in.operand, scope);
  if (operand.is_null_literal()) throw Refusal("NULL IN a subquery", offset);
  std::string left;
  const Adjust adjust = [&](std::vector<Output>& outputs, bool is_compound) {
    if (outputs.size() != 1) throw Refusal("IN with a subquery of several columns", offset);
    std::string right;
    member_sides(operand, outputs.front().value, context_, offset, left, right);
    if (is_compound && right != wrapped(outputs.front().value)) {
      throw Refusal("IN with a compound subquery of another type or collation", offset);
    }
    if (!is_compound) outputs.front().value.sql = right;
  };
  const std::string select = write_select(*in.select, &scope, {}, adjust).sql;
  Value test = condition(left + " IN (" + select + ')', offset);
  test.is_aggregate = operand.is_aggregate;
  return in.is_negated ? negated(test) : test;
}

}  // namespace nerve::convert::sql
