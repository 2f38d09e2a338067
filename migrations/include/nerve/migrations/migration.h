// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/dialect.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::migrations {

enum class Direction : std::uint8_t { up, down };

/// "up" or "down".
std::string_view to_string(Direction direction) noexcept;

/// A migration of some module, as `requires: module@number` and the command line name it.
struct Reference {
  static constexpr int number_max = 9999;

  std::string module;
  int number = 0;

  /// "tenancy@0001".
  std::string to_string() const;
  /// Reads "tenancy@0001", "tenancy@1" or "tenancy/0001"; without a module, `default_module`. Throws
  /// ValidationError.
  static Reference parse(std::string_view text, std::string_view default_module = {});

  friend auto operator<=>(const Reference&, const Reference&) = default;
};

/// One statement of a migration as an engine runs it: logical types replaced, other dialects' blocks left
/// out.
struct MigrationStatement {
  std::string sql;
  std::size_t line = 0;  ///< of the file
};

/// What the headers of a file say to people; reports show it, nothing else reads it.
struct Description {
  std::string summary;     ///< `description`
  std::string impact;      ///< what stops or slows down meanwhile
  std::string security;    ///< what it protects
  std::string compliance;  ///< which requirements it serves
  std::string retention;   ///< how long its data is kept
};

/// A finding of lint that the author permits, and why.
struct Permission {
  std::string rule;
  std::string reason;
};

/// One migration file (docs/migrations.md). A value; cheap to move, and never changed once parsed.
struct Migration {
  static constexpr std::size_t size_bytes_max = std::size_t{16} * 1024 * 1024;

  Reference reference;
  std::string name;      ///< "create_tenants" of 0001_create_tenants.sql
  std::string file;      ///< for messages
  std::string checksum;  ///< of the normalised text, in hexadecimal
  Description description;
  std::string irreversible;               ///< why there is no way back; empty where there is one
  bool runs_outside_transaction = false;  ///< `no-transaction`
  std::vector<std::string> rebuilt_tables;
  std::string row_change;  ///< why a rebuild may change the number of rows; empty: it may not
  std::vector<Reference> requirements;
  std::vector<Permission> permissions;
  std::string text;  ///< normalised

  /// The statements of one direction for one engine; there may be none. Throws ValidationError that names
  /// file and line where they cannot be told apart or hold an unknown logical type.
  std::vector<MigrationStatement> statements(Direction direction, db::Dialect dialect) const;

  /// "tenancy/0001_create_tenants".
  std::string title() const;
};

/// How `Migration::checksum` is made: SHA-256 of the text without byte order mark and with LF line ends.
inline constexpr std::string_view checksum_algorithm = "sha256-lf";

/// The engines whose reading of a file is checked when it is parsed.
using Dialects = std::span<const db::Dialect>;
inline constexpr std::array every_dialect{db::Dialect::sqlite, db::Dialect::postgresql};

/// Reads one file. `file_name` is NNNN_name.sql, `file` what messages call it. Its statements are checked as
/// the named engines read them: a user's own file may be meant for one only.
///
/// Throws ValidationError that names file and line for whatever docs/migrations.md does not permit: a name of
/// another form, an unknown header, a missing way back, a transaction statement, ATTACH or PRAGMA, a
/// statement that cannot run inside a transaction without `no-transaction`, an unknown logical type.
Migration parse_migration(std::string_view module, std::string_view file_name, std::string_view file,
                          std::string_view content, Dialects dialects = every_dialect);

}  // namespace nerve::migrations
