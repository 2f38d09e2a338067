// SPDX-License-Identifier: Apache-2.0
#include "nerve/db/safe_update.h"

#include "nerve/core/error.h"

#include <optional>
#include <utility>

namespace nerve::db {

SafeUpdate& SafeUpdate::set_value(Identifier column, Value value, ValueType type) {
  assignments_.push_back({std::move(column), std::move(value), type});
  return *this;
}

std::vector<Value> SafeUpdate::read_row(Transaction& transaction, const Value& key) const {
  std::string columns;
  std::vector<ValueType> types;
  for (const Assignment& assignment : assignments_) {
    columns += (columns.empty() ? "" : ", ") + assignment.column.quoted();
    types.push_back(assignment.type);
  }
  const std::string sql = "SELECT " + columns + " FROM " + table_.quoted() + " WHERE " + key_.quoted() +
                          " = :key" + std::string(lock_row_clause(transaction.dialect()));
  auto row = transaction.prepare(sql).maybe_values({{"key", key}}, types);
  if (!row) {
    throw NotFoundError("no row of " + table_.name() + " has the given " + key_.name(),
                        "Check the key; it may be deleted.");
  }
  return std::move(*row);
}

std::vector<ColumnChange> SafeUpdate::run(Transaction& transaction, const Value& key) const {
  if (assignments_.empty())
    throw ValidationError("an update of " + table_.name() + " sets nothing", "Set a column.");
  const std::vector<Value> before = read_row(transaction, key);
  std::vector<ColumnChange> changes;
  std::vector<Parameter> parameters;
  std::string list;
  for (std::size_t index = 0; index < assignments_.size(); ++index) {
    const Assignment& assignment = assignments_[index];
    changes.push_back({assignment.column.name(), before[index], assignment.value});
    parameters.emplace_back(assignment.column.name(), assignment.value);
    list += (list.empty() ? "" : ", ") + assignment.column.quoted() + " = :" + assignment.column.name();
  }
  for (const auto& rule : rules_) rule(changes);

  // The key's parameter has a name that no column can have: identifiers have no upper-case letters.
  parameters.emplace_back("KEY", key);
  transaction.execute("UPDATE " + table_.quoted() + " SET " + list + " WHERE " + key_.quoted() + " = :KEY",
                      std::span<const Parameter>(parameters));

  // What the engine made of the values counts: triggers and types may have changed them.
  std::vector<Value> after = read_row(transaction, key);
  for (std::size_t index = 0; index < changes.size(); ++index)
    changes[index].new_value = std::move(after[index]);
  std::erase_if(changes, [](const ColumnChange& change) { return change.old_value == change.new_value; });
  return changes;
}

}  // namespace nerve::db
