// SPDX-License-Identifier: Apache-2.0
#include "soci/soci_statement.h"

#include "nerve/core/error.h"

#include <string>

namespace nerve::backends {

void throw_wrong_type(std::size_t column, db::ValueType asked, std::string_view found) {
  throw DatabaseError(ErrorKind::invalid,
                      "column " + std::to_string(column + 1) + " of the result holds " + std::string(found) +
                          " where " + std::string(to_string(asked)) + " was asked for",
                      "Read the column as the type it holds, or CAST it in the query.");
}

void throw_not_a_query() {
  throw DatabaseError(ErrorKind::invalid, "a statement that is no query, or changes rows, cannot be streamed",
                      "Run it with execute(), or read what it returns with each().");
}

void throw_column_count(std::size_t asked, std::size_t found) {
  throw DatabaseError(
      ErrorKind::invalid,
      "the query has " + std::to_string(found) + " columns, " + std::to_string(asked) + " were asked for",
      "Name as many types as the query has columns.");
}

}  // namespace nerve::backends
