// SPDX-License-Identifier: Apache-2.0
#include "sql/overloaded.h"
#include "sql/postgresql/comparison.h"
#include "sql/postgresql/functions.h"
#include "sql/postgresql/quote.h"
#include "sql/postgresql/writer.h"
#include "sql/tokens.h"

#include <algorithm>
#include <set>
#include <utility>

namespace nerve::convert::sql {
namespace {

/// SQLite makes up to three attempts to make a name unique before it takes a random one.
constexpr int name_attempts_max = 3;

bool holds_aggregate(const Expression& expression) {
  const auto* call = std::get_if<FunctionCall>(&expression.node);
  if (call != nullptr && is_aggregate(folded(call->name.text), call->arguments.size())) return true;
  bool holds = false;
  for_each_child(expression, [&](const Expression& child) { holds = holds || holds_aggregate(child); });
  return holds;
}

bool is_grouped(const SelectCore& core) {
  if (!core.group_by.empty() || core.having) return true;
  return std::ranges::any_of(core.columns, [](const ResultColumn& column) {
    const auto* expression = std::get_if<ExpressionPtr>(&column.value);
    return expression != nullptr && holds_aggregate(**expression);
  });
}

std::string_view compound_word(CompoundOperator operation) noexcept {
  switch (operation) {
    case CompoundOperator::union_all:
      return " UNION ALL ";
    case CompoundOperator::union_distinct:
      return " UNION ";
    case CompoundOperator::intersect:
      return " INTERSECT ";
    default:
      return " EXCEPT ";
  }
}

/// The name that SQLite gives a result column (sqlite3ColumnsFromExprList).
std::string result_name(const ResultColumn& column, const Scope& scope) {
  if (!column.alias.empty()) return column.alias.text;
  const Expression* expression = std::get<ExpressionPtr>(column.value).get();
  while (const auto* collate = std::get_if<Collate>(&expression->node)) expression = collate->operand.get();
  const auto* name = std::get_if<ColumnName>(&expression->node);
  if (name == nullptr) return column.text;
  const Column* declared = find_declared(scope, *name);
  return declared != nullptr ? declared->name : name->column.text;
}

/// The whole number that an ORDER BY or GROUP BY term is, counted from 1; nothing for another term.
std::optional<std::size_t> ordinal_of(const Expression& term, std::size_t count) {
  const auto* literal = std::get_if<Literal>(&term.node);
  if (literal == nullptr || literal->kind != LiteralKind::integer) return std::nullopt;
  const std::optional<Constant> number = number_of(literal->text);
  const auto* ordinal = number ? std::get_if<std::int64_t>(&*number) : nullptr;
  if (ordinal == nullptr || *ordinal < 1 || static_cast<std::uint64_t>(*ordinal) > count) {
    throw Refusal("the number of a result column that is not there", term.begin);
  }
  return static_cast<std::size_t>(*ordinal);
}

/// What holds of a column of a UNION holds of it in each part.
void merge_facts(std::vector<Output>& outputs, const std::vector<Output>& others) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    Value& value = outputs[i].value;
    const Value& other = others[i].value;
    value.is_not_null = value.is_not_null && other.is_not_null;
    value.may_be_infinite = value.may_be_infinite || other.may_be_infinite;
    value.is_mixed = value.is_mixed || other.is_mixed;
  }
}

}  // namespace

Value as_output(const Value& value) {
  Value output = as_value(value);
  if (is_text(output.type) && !output.is_bytewise) {
    output.sql = bytewise(output);
    output.is_bytewise = true;
    output.is_atomic = false;
  }
  return output;
}

void for_each_child(const Expression& expression, const std::function<void(const Expression&)>& visit) {
  const auto each = [&](const std::vector<ExpressionPtr>& list) {
    for (const ExpressionPtr& child : list) visit(*child);
  };
  const auto maybe = [&](const ExpressionPtr& child) {
    if (child) visit(*child);
  };
  std::visit(
      Overloaded{
          [&](const Unary& node) { visit(*node.operand); },
          [&](const Binary& node) { visit(*node.left), visit(*node.right); },
          [&](const PatternMatch& node) { visit(*node.operand), visit(*node.pattern), maybe(node.escape); },
          [&](const Between& node) { visit(*node.operand), visit(*node.low), visit(*node.high); },
          [&](const InList& node) { visit(*node.operand), each(node.list); },
          [&](const InSelect& node) { visit(*node.operand); },
          [&](const NullTest& node) { visit(*node.operand); },
          [&](const Case& node) {
            maybe(node.base);
            for (const CaseBranch& branch : node.branches) visit(*branch.when), visit(*branch.then);
            maybe(node.otherwise);
          },
          [&](const Cast& node) { visit(*node.operand); },
          [&](const Collate& node) { visit(*node.operand); },
          [&](const FunctionCall& node) { each(node.arguments), maybe(node.filter); },
          [&](const RowValue& node) { each(node.values); },
          [](const auto&) {},
      },
      expression.node);
}

Column column_of(const Output& output) {
  const Value& value = output.value;
  Column column;
  column.name = output.name;
  column.target = output.target;
  column.type = value.type;
  column.affinity = value.affinity;
  column.collation = value.collation.value_or(Collation::binary);
  column.is_not_null = value.is_not_null;
  column.may_be_infinite = value.may_be_infinite;
  column.is_mixed = value.is_mixed;
  column.time_form = is_text(value.type) ? TimeForm::unknown : value.time_form;
  return column;
}

std::string Writer::column_target(const std::string& name, std::size_t offset) const {
  constexpr std::size_t name_bytes_max = 63;
  if (schema_ != nullptr && schema_->column_target) return schema_->column_target(name);
  if (name.size() > name_bytes_max) throw Refusal("a column whose name is longer than 63 bytes", offset);
  return quote_name(name);
}

void Writer::name_outputs(std::vector<Output>& outputs, const std::vector<Name>& names,
                          std::size_t offset) const {
  if (!names.empty() && names.size() != outputs.size()) {
    throw Refusal("another number of names than of result columns", offset);
  }
  std::set<std::string> taken;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    std::string name = names.empty() ? outputs[i].name : names[i].text;
    const std::string base = name.substr(0, name.find(':'));
    for (int attempt = 1; !taken.insert(folded(name)).second; ++attempt) {
      if (!names.empty() || attempt > name_attempts_max) throw Refusal("result columns of one name", offset);
      name = base + ':' + std::to_string(attempt);
    }
    outputs[i].name = name;
    outputs[i].target = column_target(name, offset);
  }
}

void Writer::write_star(const Star& star, const Scope& scope, std::size_t offset,
                        std::vector<Output>& outputs) const {
  bool is_found = false;
  for (const ScopeTable& table : scope.tables) {
    if (!star.table.empty() && !equals_folded(table.name, star.table.text)) continue;
    is_found = true;
    for (const Column& column : table.columns) {
      const bool is_hidden = std::ranges::find(table.hidden, folded(column.name)) != table.hidden.end();
      if (column.is_implicit || (is_hidden && star.table.empty())) continue;
      const Value value = column_value(column, table.qualifier, table.is_nullable, offset);
      outputs.push_back(Output{column.name, {}, as_output(value)});
    }
  }
  if (!is_found) throw Refusal("* without a table of that name", offset);
}

std::vector<Output> Writer::write_list(const SelectCore& core, const Scope& scope) {
  std::vector<Output> outputs;
  for (const ResultColumn& column : core.columns) {
    if (const auto* star = std::get_if<Star>(&column.value)) {
      write_star(*star, scope, core.begin, outputs);
      continue;
    }
    const Expression& expression = *std::get<ExpressionPtr>(column.value);
    outputs.push_back(Output{result_name(column, scope), {}, as_output(write(expression, scope))});
  }
  return outputs;
}

std::vector<std::string> Writer::write_group_keys(const SelectCore& core, const Scope& scope,
                                                  const std::vector<Output>& outputs) {
  std::vector<std::string> keys;
  for (const ExpressionPtr& term : core.group_by) {
    Value key;
    if (const std::optional<std::size_t> ordinal = ordinal_of(*term, outputs.size())) {
      key = outputs[*ordinal - 1].value;
    } else {
      key = as_value(write(*term, scope));
    }
    require_equality(key);
    if (key.is_aggregate) throw Refusal("GROUP BY of an aggregate", term->begin);
    keys.push_back(key.sql);
  }
  return keys;
}

void Writer::require_grouped(const Expression& expression, const Scope& scope,
                             const std::vector<std::string>& keys) {
  const auto* call = std::get_if<FunctionCall>(&expression.node);
  if (call != nullptr && is_aggregate(folded(call->name.text), call->arguments.size())) return;
  if (std::holds_alternative<Exists>(expression.node) ||
      std::holds_alternative<ScalarSelect>(expression.node) ||
      std::holds_alternative<InSelect>(expression.node)) {
    throw Refusal("a subquery in a query with aggregates", expression.begin);
  }
  const auto* name = std::get_if<ColumnName>(&expression.node);
  if (!holds_aggregate(expression)) {
    const Value value = as_value(write(expression, scope));
    const Value output = as_output(value);
    if (std::ranges::find(keys, value.sql) != keys.end() || std::ranges::find(keys, output.sql) != keys.end())
      return;
    if (name != nullptr && find_column(scope, *name, expression.begin)) {
      throw Refusal("the column \"" + name->column.text + "\" is neither grouped nor aggregated",
                    expression.begin);
    }
    if (name != nullptr && scope.aliases != nullptr) {
      if (const Expression* aliased = find_alias(*scope.aliases, name->column.text)) {
        require_grouped(*aliased, scope, keys);
      }
      return;
    }
  }
  for_each_child(expression, [&](const Expression& child) { require_grouped(child, scope, keys); });
}

Writer::Core Writer::write_core(const SelectCore& core, Scope& scope) {
  if (!core.windows.empty()) throw Refusal("a window function", core.begin);
  Core written;
  written.is_distinct = core.is_distinct;
  if (core.from) written.tail = " FROM " + write_source(*core.from, scope);
  Scope clauses = scope;
  clauses.aliases = &core.columns;
  if (core.where) written.tail += " WHERE " + write_condition(*core.where, clauses).sql;
  scope.allows_aggregates = clauses.allows_aggregates = true;
  written.outputs = write_list(core, scope);
  written.is_grouped = is_grouped(core);
  if (written.is_grouped) {
    written.group_keys = write_group_keys(core, clauses, written.outputs);
    const std::vector<std::string>& keys = written.group_keys;
    for (std::size_t i = 0; i < keys.size(); ++i) written.tail += (i == 0 ? " GROUP BY " : ", ") + keys[i];
    for (const ResultColumn& column : core.columns) {
      const auto* expression = std::get_if<ExpressionPtr>(&column.value);
      if (expression == nullptr) throw Refusal("* in a query with aggregates", core.begin);
      require_grouped(**expression, scope, keys);
    }
    if (core.having) {
      require_grouped(*core.having, clauses, keys);
      written.tail += " HAVING " + write_condition(*core.having, clauses).sql;
    }
  }
  if (core.is_distinct) {
    for (const Output& output : written.outputs) require_equality(output.value);
  }
  return written;
}

std::vector<Writer::Core> Writer::write_values(const SelectCore& core, const Scope& scope) {
  std::vector<Core> rows;
  for (const auto& values : core.values) {
    Core row;
    for (const ExpressionPtr& value : values) {
      const std::string name = "column" + std::to_string(row.outputs.size() + 1);
      row.outputs.push_back(Output{name, {}, as_output(write(*value, scope))});
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Writer::Core> Writer::write_cores(const SelectCore& core, Scope& scope) {
  if (!core.values.empty()) return write_values(core, scope);
  std::vector<Core> cores;
  cores.push_back(write_core(core, scope));
  return cores;
}

Value Writer::order_value(const OrderingTerm& term, const Scope& scope, const std::vector<Output>& outputs,
                          const Core* core) {
  if (const std::optional<std::size_t> ordinal = ordinal_of(*term.expression, outputs.size())) {
    return outputs[*ordinal - 1].value;
  }
  const Expression* expression = term.expression.get();
  const Collate* collate = nullptr;
  while (const auto* inner = std::get_if<Collate>(&expression->node)) {
    if (collate == nullptr) collate = inner;
    expression = inner->operand.get();
  }
  const auto* name = std::get_if<ColumnName>(&expression->node);
  if (name != nullptr && name->table.empty()) {
    for (const Output& output : outputs) {
      if (!equals_folded(output.name, name->column.text)) continue;
      if (core != nullptr && find_alias(*scope.aliases, name->column.text) == nullptr) break;
      Value value = output.value;
      if (collate != nullptr) value.collation = collation_named(collate->collation, term.expression->begin);
      return value;
    }
  }
  if (core == nullptr) throw Refusal("ORDER BY of what is no result column", term.expression->begin);
  if (core->is_grouped) require_grouped(*term.expression, scope, core->group_keys);
  return as_output(write(*term.expression, scope));
}

std::string Writer::write_order(const Select& select, const Scope& scope, const std::vector<Output>& outputs,
                                const Core* core) {
  std::string sql;
  for (const OrderingTerm& term : select.order_by) {
    const Value value = order_value(term, scope, outputs, core);
    std::string key = sort_key(value);
    const auto same =
        std::ranges::find_if(outputs, [&](const Output& output) { return wrapped(output.value) == key; });
    if (same != outputs.end()) {
      key = std::to_string(same - outputs.begin() + 1);
    } else if (core == nullptr || core->is_distinct) {
      throw Refusal("ORDER BY of what is no result column as it stands", term.expression->begin);
    }
    sql += (sql.empty() ? " ORDER BY " : ", ") + key + (term.is_descending ? " DESC" : "");
    // To SQLite NULL is less than anything, to PostgreSQL it is more.
    const bool is_first =
        term.nulls == NullsOrder::unspecified ? !term.is_descending : term.nulls == NullsOrder::first;
    if (!value.is_not_null && is_first != term.is_descending)
      sql += is_first ? " NULLS FIRST" : " NULLS LAST";
  }
  return sql;
}

WrittenSelect Writer::write_select(const Select& select, const Scope* outer, const std::vector<Name>& names,
                                   const Adjust& adjust) {
  WrittenSelect written;
  const std::size_t offset = select.cores.front().begin;
  Scope with;
  with.outer = outer;
  write_common_tables(select, with, written.sql);
  std::vector<Core> cores;
  std::vector<std::string_view> operators;
  Scope scope;
  for (std::size_t i = 0; i < select.cores.size(); ++i) {
    if (i > 0) operators.push_back(compound_word(select.operators[i - 1]));
    scope = Scope{};
    scope.outer = &with;
    for (Core& core : write_cores(select.cores[i], scope)) {
      if (operators.size() < cores.size()) operators.push_back(compound_word(CompoundOperator::union_all));
      cores.push_back(std::move(core));
    }
  }
  unite(cores, operators, offset);
  name_outputs(cores.front().outputs, names, offset);
  if (adjust) {
    for (Core& core : cores) adjust(core.outputs, cores.size() > 1);
  }
  written.sql += assemble(cores, operators);
  written.outputs = cores.front().outputs;
  for (std::size_t i = 1; i < cores.size(); ++i) merge_facts(written.outputs, cores[i].outputs);
  scope.aliases = &select.cores.front().columns;
  const bool is_simple = cores.size() == 1 && select.cores.front().values.empty();
  written.sql += write_order(select, scope, written.outputs, is_simple ? &cores.front() : nullptr);
  written.sql +=
      write_limit(select, is_simple && cores.front().is_grouped && cores.front().group_keys.empty());
  return written;
}

}  // namespace nerve::convert::sql
