// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nerve {
class ProgressSink;
}

namespace nerve::sqlite {

/// What a check found wrong with the structure of a database.
struct Damage {
  /// Beside these, the error that ended the check early is kept.
  static constexpr std::size_t messages_max = 100;

  std::vector<std::string> messages;  ///< SQLite's words, one defect each
  bool is_truncated = false;          ///< more was found than is kept
  std::vector<std::string> tables;    ///< damaged themselves, ordered; "sqlite_schema" where it is the schema
  std::vector<std::string>
      indexes;  ///< likewise; an index being damaged does not put its table into `tables`
  /// Whether there is damage that belongs to no table and no index: the free list, pages that nothing uses.
  bool is_elsewhere = false;
  /// "TABLE: why": tables that the check cannot be made of, for a collation or a function that only the
  /// application has. Of these their pages and rows and those of their indexes were checked, and neither the
  /// order of their rows nor whether their indexes hold them.
  std::vector<std::string> unchecked;

  bool is_found() const noexcept { return !messages.empty(); }
  /// Whether only indexes are damaged, so that REINDEX mends it and no row is lost.
  bool is_only_in_indexes() const noexcept { return !indexes.empty() && tables.empty() && !is_elsewhere; }
  /// One line: what is damaged and the first message.
  std::string describe() const;
};

/// Checks every page and row, but not that indexes hold what their tables hold. Damage that makes SQLite give
/// up is damage found, not an error. Interruptible; `progress` is told the phase only, since SQLite does not
/// say how far it is.
Damage quick_check(Session& session, ProgressSink* progress = nullptr);

/// Also compares each index with its table; several times slower.
Damage integrity_check(Session& session, ProgressSink* progress = nullptr);

/// The same for who reads the rows and judges them by himself: rows that break NOT NULL, CHECK or the types
/// of a STRICT table are no damage. Where SQLite cannot compile the check, for a collation or a function that
/// only another program has, each table is checked by itself; of those that cannot be, which are named in
/// `unchecked`, the pages are checked as the other two do it.
Damage lenient_integrity_check(Session& session, ProgressSink* progress = nullptr);

/// A row whose parent is missing.
struct ForeignKeyViolation {
  std::string table;
  std::optional<std::int64_t> rowid;  ///< absent for a table without rowid
  std::string parent;
};

/// The rows that break the foreign keys of one table.
struct ForeignKeyCount {
  std::string table;
  std::string parent;
  std::int64_t violations = 0;
};

struct ForeignKeyCheck {
  static constexpr std::size_t violations_max = 100;

  std::vector<ForeignKeyViolation> violations;  ///< the first ones
  std::vector<ForeignKeyCount> counts;          ///< all, by table and parent
  std::vector<std::string>
      unchecked;  ///< "TABLE: why", such as a key that fits no unique index of the parent

  std::int64_t total() const noexcept;
};

/// Looks for rows without parent in every table, whether or not the keys are enforced.
ForeignKeyCheck check_foreign_keys(Session& session, ProgressSink* progress = nullptr);

}  // namespace nerve::sqlite
