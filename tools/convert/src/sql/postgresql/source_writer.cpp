// SPDX-License-Identifier: Apache-2.0
#include "sql/overloaded.h"
#include "sql/postgresql/comparison.h"
#include "sql/postgresql/quote.h"
#include "sql/postgresql/writer.h"
#include "sql/tokens.h"

#include <algorithm>
#include <utility>

namespace nerve::convert::sql {
namespace {

/// The columns that NATURAL joins by: those that both sides have.
std::vector<Name> shared_columns(const Scope& scope, std::size_t split) {
  std::vector<Name> names;
  for (std::size_t i = split; i < scope.tables.size(); ++i) {
    for (const Column& column : scope.tables[i].columns) {
      if (column.is_implicit) continue;
      for (std::size_t k = 0; k < split; ++k) {
        const bool is_shared = std::ranges::any_of(scope.tables[k].columns, [&](const Column& left) {
          return !left.is_implicit && equals_folded(left.name, column.name);
        });
        const bool is_known = std::ranges::any_of(
            names, [&](const Name& name) { return equals_folded(name.text, column.name); });
        if (is_shared && !is_known) names.push_back(Name{column.name, '\0'});
      }
    }
  }
  return names;
}

/// The first column of this name in some of the tables, as SQLite takes it for USING.
std::optional<Value> first_column(const Scope& scope, std::size_t begin, std::size_t end, const Name& name,
                                  std::size_t offset) {
  for (std::size_t i = begin; i < end; ++i) {
    const ScopeTable& table = scope.tables[i];
    if (std::ranges::find(table.hidden, folded(name.text)) != table.hidden.end()) continue;
    for (const Column& column : table.columns) {
      if (equals_folded(column.name, name.text)) {
        return column_value(column, table.qualifier, table.is_nullable, offset);
      }
    }
  }
  return std::nullopt;
}

}  // namespace

const Table* Writer::find_table(std::string_view name, const Scope& scope) const {
  for (const Scope* level = &scope; level != nullptr; level = level->outer) {
    for (const Table& table : level->common_tables) {
      if (equals_folded(table.name, name)) return &table;
    }
  }
  return schema_ != nullptr && schema_->find ? schema_->find(name) : nullptr;
}

std::string Writer::unique_alias(const std::string& name) {
  constexpr std::size_t alias_bytes_max = 50;
  const std::string base = name.empty() || name.size() > alias_bytes_max ? "source" : name;
  std::string alias = base;
  for (int number = 2; std::ranges::find(aliases_, folded(alias)) != aliases_.end(); ++number) {
    alias = base + '_' + std::to_string(number);
  }
  aliases_.push_back(folded(alias));
  return quote_name(alias);
}

std::string Writer::write_source(const Source& source, Scope& scope) {
  return std::visit(
      Overloaded{
          [&](const TableSource& table) { return write_table(table, source, scope); },
          [&](const SubquerySource& subquery) { return write_subquery(subquery, source, scope); },
          [&](const Join& join) { return write_join(join, source, scope); },
          [&](const TableFunction& function) -> std::string {
            throw Refusal("the function " + function.name.text + "() that gives rows", source.begin);
          },
      },
      source.node);
}

std::string Writer::write_table(const TableSource& table, const Source& source, Scope& scope) {
  const Table* found = find_table(table.table.text, scope);
  if (found == nullptr) {
    throw Refusal("there is no table or translated view \"" + table.table.text + "\"", source.begin);
  }
  const std::string name = source.alias.empty() ? found->name : source.alias.text;
  const std::string alias = unique_alias(name);
  scope.tables.push_back(ScopeTable{name, alias, found->columns, false, {}});
  return alias == found->target ? alias : found->target + " AS " + alias;
}

std::string Writer::write_subquery(const SubquerySource& subquery, const Source& source, Scope& scope) {
  const WrittenSelect select = write_select(*subquery.select, scope.outer, {});
  const std::string alias = unique_alias(source.alias.empty() ? "subquery" : source.alias.text);
  ScopeTable table{source.alias.text, alias, {}, false, {}};
  for (const Output& output : select.outputs) table.columns.push_back(column_of(output));
  scope.tables.push_back(std::move(table));
  return '(' + select.sql + ") AS " + alias;
}

std::string Writer::write_using(const Join& join, Scope& scope, std::size_t split, std::size_t offset) {
  std::string sql;
  const std::vector<Name> names = join.is_natural ? shared_columns(scope, split) : std::vector<Name>();
  for (const Name& name : join.is_natural ? names : join.using_) {
    const std::optional<Value> left = first_column(scope, 0, split, name, offset);
    const std::optional<Value> right = first_column(scope, split, scope.tables.size(), name, offset);
    if (!left || !right) throw Refusal("USING of \"" + name.text + "\", which is not on both sides", offset);
    sql += (sql.empty() ? "" : " AND ") +
           wrapped(compare(BinaryOperator::equal, *left, *right, context_, offset));
    for (std::size_t i = split; i < scope.tables.size(); ++i)
      scope.tables[i].hidden.push_back(folded(name.text));
  }
  return sql;
}

std::string Writer::write_join(const Join& join, const Source& source, Scope& scope) {
  if (join.kind == JoinKind::full) throw Refusal("FULL JOIN", source.begin);
  if (!source.alias.empty()) throw Refusal("an alias for several tables in parentheses", source.begin);
  const bool has_using = join.is_natural || !join.using_.empty();
  if (join.kind == JoinKind::right && has_using)
    throw Refusal("RIGHT JOIN with USING or NATURAL", source.begin);
  // PostgreSQL lets ON see the two sides of its own join only.
  Scope sides;
  sides.outer = scope.outer;
  std::string sql = write_source(*join.left, sides);
  const std::size_t split = sides.tables.size();
  const std::string right = write_source(*join.right, sides);
  std::string on;
  if (has_using) on = write_using(join, sides, split, source.begin);
  if (join.on) on = write_condition(*join.on, sides).sql;
  const bool is_outer = join.kind == JoinKind::left || join.kind == JoinKind::right;
  if (is_outer && on.empty()) on = "TRUE";
  if (on.empty()) {
    sql += " CROSS JOIN ";
  } else {
    sql += join.kind == JoinKind::left    ? " LEFT JOIN "
           : join.kind == JoinKind::right ? " RIGHT JOIN "
                                          : " JOIN ";
  }
  sql += std::holds_alternative<Join>(join.right->node) ? '(' + right + ')' : right;
  if (!on.empty()) sql += " ON " + on;
  for (std::size_t i = 0; i < sides.tables.size(); ++i) {
    const bool is_right_side = i >= split;
    if (join.kind == JoinKind::left && is_right_side) sides.tables[i].is_nullable = true;
    if (join.kind == JoinKind::right && !is_right_side) sides.tables[i].is_nullable = true;
    scope.tables.push_back(std::move(sides.tables[i]));
  }
  return sql;
}

}  // namespace nerve::convert::sql
