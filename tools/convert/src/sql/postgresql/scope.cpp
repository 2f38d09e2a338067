// SPDX-License-Identifier: Apache-2.0
#include "sql/postgresql/scope.h"

#include "sql/tokens.h"

#include <algorithm>

namespace nerve::convert::sql {
namespace {

bool is_rowid_name(std::string_view name) {
  return equals_folded(name, "rowid") || equals_folded(name, "oid") || equals_folded(name, "_rowid_");
}

const Column* find_in_table(const ScopeTable& table, std::string_view name, bool is_qualified) {
  for (const Column& column : table.columns) {
    if (!equals_folded(column.name, name)) continue;
    if (!is_qualified && std::ranges::find(table.hidden, folded(name)) != table.hidden.end()) return nullptr;
    return &column;
  }
  return nullptr;
}

const Column* find_rowid(const ScopeTable& table) {
  const auto found = std::ranges::find_if(table.columns, &Column::is_rowid);
  return found == table.columns.end() ? nullptr : &*found;
}

}  // namespace

Value column_value(const Column& column, std::string_view qualifier, bool is_nullable, std::size_t offset) {
  Value value = result(qualifier.empty() ? column.target : std::string(qualifier) + '.' + column.target,
                       column.type, offset);
  value.affinity = column.affinity;
  value.collation = column.collation;
  value.time_form = column.time_form;
  value.is_not_null = column.is_not_null && !is_nullable;
  value.is_bytewise = is_text(column.type);
  value.may_be_infinite = column.may_be_infinite;
  value.is_mixed = column.is_mixed;
  return value;
}

std::optional<Value> find_column(const Scope& scope, const ColumnName& name, std::size_t offset) {
  const bool is_qualified = !name.table.empty();
  std::optional<Value> found;
  for (const bool as_rowid : {false, true}) {
    if (as_rowid && (found || !is_rowid_name(name.column.text))) break;
    for (const ScopeTable& table : scope.tables) {
      if (is_qualified && !equals_folded(table.name, name.table.text)) continue;
      const Column* column =
          as_rowid ? find_rowid(table) : find_in_table(table, name.column.text, is_qualified);
      if (column == nullptr) continue;
      if (found) throw Refusal("the name \"" + name.column.text + "\" stands for two columns", offset);
      found = column_value(*column, table.qualifier, table.is_nullable, offset);
    }
  }
  return found;
}

const Column* find_declared(const Scope& scope, const ColumnName& name) {
  for (const bool as_rowid : {false, true}) {
    if (as_rowid && !is_rowid_name(name.column.text)) break;
    for (const Scope* level = &scope; level != nullptr; level = level->outer) {
      for (const ScopeTable& table : level->tables) {
        if (!name.table.empty() && !equals_folded(table.name, name.table.text)) continue;
        const Column* column =
            as_rowid ? find_rowid(table) : find_in_table(table, name.column.text, !name.table.empty());
        if (column != nullptr) return column;
      }
    }
  }
  return nullptr;
}

Collation collation_named(const Name& name, std::size_t offset) {
  if (equals_folded(name.text, "binary")) return Collation::binary;
  if (equals_folded(name.text, "nocase")) return Collation::nocase;
  if (equals_folded(name.text, "rtrim")) return Collation::rtrim;
  throw Refusal("the collation " + name.text + " is the application's", offset);
}

const Expression* find_alias(const std::vector<ResultColumn>& columns, std::string_view alias) {
  for (const ResultColumn& column : columns) {
    const auto* expression = std::get_if<ExpressionPtr>(&column.value);
    if (expression != nullptr && !column.alias.empty() && equals_folded(column.alias.text, alias)) {
      return expression->get();
    }
  }
  return nullptr;
}

}  // namespace nerve::convert::sql
