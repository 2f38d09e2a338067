// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nerve::migrations {

/// A statement of a migration as it can run in a scratch schema of PostgreSQL.
struct ScratchStatement {
  std::string sql;  ///< empty: it makes nothing that is compared, and is left out
  /// What it may do besides: a rollback does not undo all that a function can do.
  enum class Calls : std::uint8_t {
    nothing,   ///< it defines something, or is left out
    built_in,  ///< left out where it calls functions of the engine only; others may define something
    harmless,  ///< run where it calls what has no effect of its own only
  };
  Calls calls = Calls::nothing;
  std::vector<std::string> called;  ///< names that may be of functions, those in quoted texts included
  /// Names that are written with another schema: what they stand for must not be a table of the user's.
  std::vector<std::pair<std::string, std::string>> qualified_names;
  /// Names that the statement acts upon, and does not make, without a schema.
  std::vector<std::string> targets;
};

/// Prepares a statement: names of `schema` become names of `scratch`, also inside the texts of functions and
/// DO blocks, CONCURRENTLY goes, and no query fills a table. Left out are statements that change data only,
/// and those about roles, grants, owners, comments, extensions and the server. Throws UnsupportedError for
/// one that reaches beyond the schema (DROP OWNED), and for one that may do anything (CALL, EXECUTE).
ScratchStatement for_scratch(std::string_view statement, std::string_view schema, std::string_view scratch);

}  // namespace nerve::migrations
