// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/codec.h"
#include "nerve/db/identifier.h"
#include "nerve/db/transaction.h"

#include <functional>
#include <string>
#include <vector>

namespace nerve::db {

/// A column that is set, with what it held before and what it holds now. The values own their octets.
struct ColumnChange {
  std::string column;
  Value old_value;
  Value new_value;
};

/// One row's update that tells what it changed: for audit trails, and for writers that must not overwrite
/// each other.
///
///   const auto changes = SafeUpdate("users").set("email", email).set("role", "admin").run(transaction, key);
class SafeUpdate {
 public:
  explicit SafeUpdate(Identifier table, Identifier key = "id")
      : table_(std::move(table)), key_(std::move(key)) {}

  /// Sets a column. The value is kept; its type is also the type the old value is read as.
  template <class T>
  SafeUpdate& set(const Identifier& column, const T& value) {
    return set_value(column, Parameter("", value).value.kept(), Codec<std::decay_t<const T&>>::type);
  }

  /// Looks at the changes before they are made; throws (ValidationError, DeniedError) to refuse them.
  SafeUpdate& check(std::function<void(const std::vector<ColumnChange>&)> rule) {
    rules_.push_back(std::move(rule));
    return *this;
  }

  /// Locks the row, checks, updates it, and returns the columns whose value is another now. Throws
  /// NotFoundError when no row has this key.
  std::vector<ColumnChange> run(Transaction& transaction, const Value& key) const;

 private:
  struct Assignment {
    Identifier column;
    Value value;
    ValueType type;
  };

  SafeUpdate& set_value(Identifier column, Value value, ValueType type);
  std::vector<Value> read_row(Transaction& transaction, const Value& key) const;

  Identifier table_;
  Identifier key_;
  std::vector<Assignment> assignments_;
  std::vector<std::function<void(const std::vector<ColumnChange>&)>> rules_;
};

}  // namespace nerve::db
