// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"

#include <string>
#include <vector>

namespace nerve::sqlite {

/// An index as far as it matters to what it can be used for, and whether another one can stand in for it.
struct Index {
  std::string name;
  bool is_unique = false;
  bool is_partial = false;
  bool is_made_by_user = false;      ///< by CREATE INDEX, not for a key
  std::vector<std::string> columns;  ///< of its key, in order, up to the first expression
  std::vector<std::string> key;      ///< column, order and collation of each part; empty with expressions
};

/// The indexes of a table, by name.
std::vector<Index> read_indexes(Session& session, const std::string& table);

/// Whether every search by `index` can use `other`, so that `index` only costs space and writes. Of two that
/// are the same, one is covered: never one that keeps a key, else the later one by name.
bool is_covered(const Index& index, const Index& other);

}  // namespace nerve::sqlite
