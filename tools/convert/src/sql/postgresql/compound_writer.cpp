// SPDX-License-Identifier: Apache-2.0
#include "sql/postgresql/comparison.h"
#include "sql/postgresql/writer.h"
#include "sql/tokens.h"

#include <algorithm>
#include <utility>

namespace nerve::convert::sql {
namespace {

bool reads_table(const Source& source, std::string_view name) {
  if (const auto* table = std::get_if<TableSource>(&source.node))
    return equals_folded(table->table.text, name);
  const auto* join = std::get_if<Join>(&source.node);
  return join != nullptr && (reads_table(*join->left, name) || reads_table(*join->right, name));
}

bool reads_itself(const CommonTable& table) {
  return std::ranges::any_of(table.select->cores, [&](const SelectCore& core) {
    return core.from && reads_table(*core.from, table.name.text);
  });
}

std::int64_t literal_integer(const Value& value, const std::string& clause) {
  if (value.integer() == nullptr) refuse(value, clause + " that is no literal");
  return *value.integer();
}

/// Both parts of a recursive query must be of one type to PostgreSQL, and a varchar is another one than a
/// text.
void widen_varchar(std::vector<Output>& outputs) {
  for (Output& output : outputs) {
    if (output.value.type != TargetType::varchar) continue;
    output.value.sql = cast(output.value, "text") + " COLLATE \"C\"";
    output.value.is_atomic = false;
    output.value.type = TargetType::text;
  }
}

}  // namespace

void Writer::unite(std::vector<Core>& cores, const std::vector<std::string_view>& operators,
                   std::size_t offset) {
  const std::size_t count = cores.front().outputs.size();
  if (std::ranges::any_of(cores, [&](const Core& core) { return core.outputs.size() != count; })) {
    throw Refusal("parts of a compound query with different numbers of columns", offset);
  }
  if (cores.size() == 1) return;
  const bool compares =
      std::ranges::any_of(operators, [](std::string_view word) { return word != " UNION ALL "; });
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<Value*> values;
    values.reserve(cores.size());
    for (Core& core : cores) values.push_back(&core.outputs[i].value);
    unify(values, context_);
    for (Value* value : values) {
      *value = as_output(*value);
      if (compares && !value->is_null_literal()) require_equality(*value);
    }
  }
}

std::string Writer::assemble(const std::vector<Core>& cores, const std::vector<std::string_view>& operators) {
  std::string sql;
  for (std::size_t i = 0; i < cores.size(); ++i) {
    std::string list;
    for (std::size_t k = 0; k < cores[i].outputs.size(); ++k) {
      const Output& output = cores[i].outputs[k];
      list += (list.empty() ? "" : ", ") + output.value.sql;
      // Names come from the first part; those of the others would only be read by people.
      if (i == 0) list += " AS " + output.target;
    }
    const std::string core = (cores[i].is_distinct ? "SELECT DISTINCT " : "SELECT ") + list + cores[i].tail;
    if (i == 0) {
      sql = core;
      continue;
    }
    // To SQLite all four bind alike, to PostgreSQL INTERSECT binds tighter.
    const bool is_chain = i == 1 || operators[i - 1] == operators[i - 2];
    if (!is_chain) sql.insert(0, "(").append(")");
    sql += operators[i - 1];
    sql += core;
  }
  return sql;
}

std::string Writer::write_limit(const Select& select, bool is_one_row) {
  const Scope nothing;
  std::string sql;
  if (select.limit) {
    const std::int64_t limit = literal_integer(write(*select.limit, nothing), "a LIMIT");
    if (limit >= 0) sql = " LIMIT " + std::to_string(limit);
  }
  if (select.offset) {
    const std::int64_t offset = literal_integer(write(*select.offset, nothing), "an OFFSET");
    if (offset > 0) sql += " OFFSET " + std::to_string(offset);
  }
  if (!sql.empty() && select.order_by.empty() && !is_one_row) {
    throw Refusal("LIMIT without ORDER BY: which rows it leaves is not defined", select.limit->begin);
  }
  return sql;
}

WrittenSelect Writer::write_recursive(const CommonTable& table, const Scope& scope,
                                      const std::string& alias) {
  const Select& select = *table.select;
  const std::size_t offset = select.cores.front().begin;
  const bool is_simple = select.cores.size() == 2 && select.order_by.empty() && !select.limit &&
                         select.with.empty() &&
                         (select.operators[0] == CompoundOperator::union_all ||
                          select.operators[0] == CompoundOperator::union_distinct);
  const bool begins_elsewhere = !select.cores[0].from || !reads_table(*select.cores[0].from, table.name.text);
  if (!is_simple || !begins_elsewhere) {
    throw Refusal("a recursive query that is not one first part UNION one that repeats", offset);
  }
  Scope first_scope;
  first_scope.outer = &scope;
  std::vector<Core> cores = write_cores(select.cores[0], first_scope);
  if (cores.size() != 1) throw Refusal("a recursive query that begins with several rows of VALUES", offset);
  widen_varchar(cores.front().outputs);
  name_outputs(cores.front().outputs, table.columns, offset);
  Scope with_itself;
  with_itself.outer = &scope;
  with_itself.common_tables.push_back(Table{table.name.text, alias, {}});
  for (const Output& output : cores.front().outputs) {
    Column column = column_of(output);
    // What holds of the first rows need not hold of those made from them.
    column.is_not_null = false;
    with_itself.common_tables.front().columns.push_back(std::move(column));
  }
  Scope second_scope;
  second_scope.outer = &with_itself;
  cores.push_back(write_core(select.cores[1], second_scope));
  widen_varchar(cores.back().outputs);
  const bool is_all = select.operators[0] == CompoundOperator::union_all;
  const std::vector<std::string_view> operators = {is_all ? " UNION ALL " : " UNION "};
  for (std::size_t i = 0; i < cores.back().outputs.size() && i < cores.front().outputs.size(); ++i) {
    if (cores.front().outputs[i].value.type != cores.back().outputs[i].value.type) {
      throw Refusal("a recursive query whose parts are of different types", offset);
    }
  }
  unite(cores, operators, offset);
  WrittenSelect written;
  written.sql = assemble(cores, operators);
  written.outputs = cores.front().outputs;
  for (Output& output : written.outputs) {
    output.value.is_not_null = false;
    output.value.is_mixed = output.value.is_mixed || output.value.type == TargetType::double_precision;
  }
  return written;
}

void Writer::write_common_tables(const Select& select, Scope& scope, std::string& sql) {
  bool is_recursive = false;
  std::string list;
  for (const CommonTable& table : select.with) {
    const std::string alias = unique_alias(table.name.text);
    const bool is_this_recursive = reads_itself(table);
    is_recursive = is_recursive || is_this_recursive;
    const WrittenSelect written = is_this_recursive ? write_recursive(table, scope, alias)
                                                    : write_select(*table.select, &scope, table.columns);
    Table columns{table.name.text, alias, {}};
    for (const Output& output : written.outputs) columns.columns.push_back(column_of(output));
    list += (list.empty() ? "" : ", ") + alias + " AS (" + written.sql + ')';
    scope.common_tables.push_back(std::move(columns));
  }
  if (!list.empty()) sql = (is_recursive ? "WITH RECURSIVE " : "WITH ") + list + ' ';
}

}  // namespace nerve::convert::sql
