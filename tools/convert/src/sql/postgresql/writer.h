// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql/postgresql/scope.h"
#include "sql/postgresql/value.h"
#include "sql/select.h"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nerve::convert::sql {

/// A column that a SELECT gives.
struct Output {
  std::string name;    ///< as SQLite names it
  std::string target;  ///< in PostgreSQL, quoted where it must be
  Value value;
};

struct WrittenSelect {
  std::string sql;
  std::vector<Output> outputs;
};

/// Writes expressions and queries of one statement. Throws Refusal.
class Writer {
 public:
  Writer(Context& context, const Schema* schema) : context_(context), schema_(schema) {}

  Value write(const Expression& expression, const Scope& scope);
  /// The same as a boolean, and as the value of a column.
  Value write_condition(const Expression& expression, const Scope& scope);

  /// Changes the columns of the only SELECT before it is put together.
  using Adjust = std::function<void(std::vector<Output>& outputs, bool is_compound)>;
  /// `names` are the columns of a view or common table; empty where the SELECT names them.
  WrittenSelect write_select(const Select& select, const Scope* outer, const std::vector<Name>& names,
                             const Adjust& adjust = {});

 private:
  /// One SELECT without its list, which may have to change before it is put together.
  struct Core {
    bool is_distinct = false;
    std::vector<Output> outputs;
    std::string tail;  ///< " FROM …", or empty
    bool is_grouped = false;
    std::vector<std::string> group_keys;
  };

  // Expressions (expression_writer.cpp)
  Value write_literal(const Literal& literal, std::size_t offset) const;
  Value write_name(const ColumnName& name, const Scope& scope, std::size_t offset);
  Value write_unary(const Unary& unary, const Scope& scope, std::size_t offset);
  Value write_binary(const Binary& binary, const Scope& scope, std::size_t offset);
  Value write_identity(const Binary& binary, const Scope& scope, std::size_t offset);
  Value write_pattern(const PatternMatch& match, const Scope& scope, std::size_t offset);
  Value write_case(const Case& node, const Scope& scope, std::size_t offset);
  Value write_collate(const Collate& collate, const Scope& scope, std::size_t offset);
  Value write_call(const FunctionCall& call, const Scope& scope, std::size_t offset);
  Value write_aggregate(const FunctionCall& call, const Scope& scope, std::size_t offset);
  Value write_choice(const FunctionCall& call, const Scope& scope, std::size_t offset);
  Value write_in_select(const InSelect& in, const Scope& scope, std::size_t offset);
  Value write_scalar(const ScalarSelect& scalar, const Scope& scope, std::size_t offset);

  // Queries (select_writer.cpp)
  std::vector<Core> write_cores(const SelectCore& core, Scope& scope);
  Core write_core(const SelectCore& core, Scope& scope);
  std::vector<Core> write_values(const SelectCore& core, const Scope& scope);
  std::vector<Output> write_list(const SelectCore& core, const Scope& scope);
  void write_star(const Star& star, const Scope& scope, std::size_t offset,
                  std::vector<Output>& outputs) const;
  std::vector<std::string> write_group_keys(const SelectCore& core, const Scope& scope,
                                            const std::vector<Output>& outputs);
  void require_grouped(const Expression& expression, const Scope& scope,
                       const std::vector<std::string>& keys);
  Value order_value(const OrderingTerm& term, const Scope& scope, const std::vector<Output>& outputs,
                    const Core* core);
  std::string write_order(const Select& select, const Scope& scope, const std::vector<Output>& outputs,
                          const Core* core);
  std::string column_target(const std::string& name, std::size_t offset) const;
  void name_outputs(std::vector<Output>& outputs, const std::vector<Name>& names, std::size_t offset) const;

  // WITH and UNION (compound_writer.cpp)
  void unite(std::vector<Core>& cores, const std::vector<std::string_view>& operators, std::size_t offset);
  static std::string assemble(const std::vector<Core>& cores, const std::vector<std::string_view>& operators);
  std::string write_limit(const Select& select, bool is_one_row);
  void write_common_tables(const Select& select, Scope& scope, std::string& sql);
  WrittenSelect write_recursive(const CommonTable& table, const Scope& scope, const std::string& alias);

  // What they read from (source_writer.cpp)
  std::string write_source(const Source& source, Scope& scope);
  std::string write_table(const TableSource& table, const Source& source, Scope& scope);
  std::string write_subquery(const SubquerySource& subquery, const Source& source, Scope& scope);
  std::string write_join(const Join& join, const Source& source, Scope& scope);
  std::string write_using(const Join& join, Scope& scope, std::size_t split, std::size_t offset);
  const Table* find_table(std::string_view name, const Scope& scope) const;
  /// An alias that no other table of the statement has.
  std::string unique_alias(const std::string& name);

  Context& context_;
  const Schema* schema_;
  std::vector<std::string> aliases_;
};

/// The value as a column of a result: typed, and a text always compared bytewise.
Value as_output(const Value& value);

/// The column of a view or subquery that this output is.
Column column_of(const Output& output);

/// Calls `visit` for each expression right below this one, those of subqueries left out.
void for_each_child(const Expression& expression, const std::function<void(const Expression&)>& visit);

}  // namespace nerve::convert::sql
