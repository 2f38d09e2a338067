// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"

#include <cstdint>
#include <string>
#include <vector>

namespace nerve {
class ProgressSink;
}

namespace nerve::sqlite {

struct TableCount {
  std::string name;
  std::int64_t rows = 0;

  friend bool operator==(const TableCount&, const TableCount&) = default;
};

/// The number of rows of each ordinary and shadow table, ordered by name.
std::vector<TableCount> count_rows(Session& session, ProgressSink* progress = nullptr);

/// What a table holds: equal for two tables with the same rows, however the pages are laid out.
struct TableDigest {
  std::string name;
  std::int64_t rows = 0;
  std::string sha256;  ///< lower-case hexadecimal

  friend bool operator==(const TableDigest&, const TableDigest&) = default;
};

/// The digest of each ordinary and shadow table, ordered by name, and before them one for the schema, named
/// `schema_digest_name`, whose rows are the entries of sqlite_schema. docs/content_digest.md says what is
/// hashed, byte by byte. All of it is read in one snapshot.
std::vector<TableDigest> digest_content(Session& session, ProgressSink* progress = nullptr);

/// No table can have this name: SQLite reserves the prefix.
inline constexpr const char* schema_digest_name = "sqlite_schema";

/// One digest of a whole database: that of its tables' digests.
std::string combine_digests(const std::vector<TableDigest>& digests);

}  // namespace nerve::sqlite
