// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "convert/sql/dice.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::test {

/// Schemas of one to three tables with keys, checks, references, generated columns, defaults, indexes, a view
/// and rows. Not each statement is valid: SQLite says which are.
class RandomSchema {
 public:
  explicit RandomSchema(Dice& dice) : dice_(dice) {}

  std::vector<std::string> statements();

 private:
  struct Column {
    std::string name;
    std::string type;
  };
  struct Table {
    std::string name;
    std::vector<Column> columns;
  };

  bool chance(std::size_t percent) { return dice_.next() % 100 < percent; }
  const std::string& column(const Table& table) { return dice_.pick(table.columns).name; }
  std::string filled(std::string_view pattern, const Table& table);
  std::string condition(const Table& table);
  std::string expression(const Table& table);
  std::string reference(const Table& table);
  std::string rules_of(const Column& column, const Table& table);
  std::string keys_of(const Table& table);
  std::string create_table(const Table& table);
  std::string create_index(const Table& table, std::size_t number);
  std::string create_view(const Table& table);
  std::string insert(const Table& table);

  Dice& dice_;
  std::vector<Table> tables_;
};

}  // namespace nerve::test
