// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql/select.h"

#include <string_view>
#include <vector>

namespace nerve::convert::sql {

/// A CREATE VIEW as sqlite_schema keeps it.
struct CreateView {
  Name name;
  std::vector<Name> columns;  ///< empty where the SELECT names them
  SelectPtr select;
};

/// Throws ValidationError with line and column where the text is no CREATE VIEW.
CreateView parse_create_view(std::string_view sql);

}  // namespace nerve::convert::sql
