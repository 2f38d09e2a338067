// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nerve::migrations {

/// A statement of a migration as it can run in a scratch schema of PostgreSQL.
struct ScratchStatement {
  std::string sql;  ///< empty: it makes nothing that is compared, and is left out
  /// Names that are written with another schema: what they stand for must not be a table of the user's.
  std::vector<std::pair<std::string, std::string>> qualified_names;
  /// Names that the statement acts upon, and does not make, without a schema.
  std::vector<std::string> targets;
};

/// Prepares a statement: names of `schema` become names of `scratch`, also inside the texts of functions and
/// DO blocks, and CONCURRENTLY goes. Left out are statements about roles, grants, owners, comments,
/// extensions and the server. Throws UnsupportedError for one that reaches beyond the schema (COPY, DROP
/// OWNED).
ScratchStatement for_scratch(std::string_view statement, std::string_view schema, std::string_view scratch);

}  // namespace nerve::migrations
