// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql/select.h"

#include <string_view>
#include <vector>

namespace nerve::convert::sql {

/// A CREATE INDEX as sqlite_schema keeps it.
struct CreateIndex {
  Name name;
  Name table;
  bool is_unique = false;
  std::vector<OrderingTerm> terms;  ///< a column, or an expression, with its COLLATE around it
  ExpressionPtr where;              ///< empty where the index is not partial
};

/// Throws ValidationError with line and column where the text is no CREATE INDEX.
CreateIndex parse_create_index(std::string_view sql);

}  // namespace nerve::convert::sql
