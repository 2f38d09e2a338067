// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"
#include "nerve/core/json.h"

#include <cstdint>
#include <string>
#include <vector>

namespace nerve {
class ProgressSink;
}

namespace nerve::sqlite {

/// A piece of maintenance.
enum class Task : std::uint8_t {
  reindex,             ///< rebuild indexes that do not hold what their tables hold
  analyze,             ///< measure tables again for the query planner
  checkpoint,          ///< move the write-ahead log into the database and cut it
  vacuum,              ///< rebuild the file without its free pages
  incremental_vacuum,  ///< give free pages back, where the file is prepared for it
  redundant_index,     ///< an index that another one makes superfluous: advice, never dropped
};

/// "reindex", "analyze", … as JSON output spells it.
std::string_view to_string(Task task) noexcept;

/// What would do the database good.
struct Proposal {
  Task task = Task::analyze;
  std::string reason = {};            ///< why, with the table or index it is about
  std::string value = {};             ///< what was seen ("61 % free")
  std::string statement = {};         ///< the SQL that does it; for redundant_index what its owner could run
  std::string gain = {};              ///< what is to be expected
  std::uint64_t gain_bytes = 0;       ///< 0 where it is not about space
  bool needs_exclusive_lock = false;  ///< other connections wait meanwhile
  std::string obstacle = {};          ///< why apply() would not do it now; empty where it would

  /// Whether apply() never does it, whatever the state of things: somebody has to decide.
  bool is_advice() const noexcept { return task == Task::redundant_index; }

  Json to_json() const;
};

struct MaintenanceOptions {
  static constexpr double free_list_max_percent_default = 25.0;
  static constexpr std::uint64_t free_list_ignored_bytes_default = 1024 * 1024;
  static constexpr std::uint64_t wal_bytes_max_default = 16 * 1024 * 1024;
  static constexpr double row_drift_max_percent_default = 25.0;

  /// Compare each index with its table, which takes the longest of all, to find those that need REINDEX.
  bool is_deep = false;
  double free_list_max_percent = free_list_max_percent_default;
  std::uint64_t free_list_ignored_bytes = free_list_ignored_bytes_default;
  std::uint64_t wal_bytes_max = wal_bytes_max_default;
  /// How far the number of rows may be from the one that ANALYZE noted last.
  double row_drift_max_percent = row_drift_max_percent_default;
};

/// Tables of which ANALYZE cannot be made here, for an index with a collation or a function that only the
/// application has: propose() leaves them out.
std::vector<std::string> tables_not_analysed(Session& session);

/// Looks and changes nothing; a read_only session will do. In the order in which they are best applied.
std::vector<Proposal> propose(Session& session, const MaintenanceOptions& options = {},
                              ProgressSink* progress = nullptr);

enum class Outcome : std::uint8_t { done, failed, skipped };

/// "done", "failed" or "skipped".
std::string_view to_string(Outcome outcome) noexcept;

/// What became of a proposal.
struct Applied {
  Task task = Task::analyze;
  std::string statement = {};
  Outcome outcome = Outcome::skipped;
  std::string message = {};             ///< why it failed or was skipped, or what remains
  std::uint64_t size_bytes_before = 0;  ///< the file and its -wal together
  std::uint64_t size_bytes_after = 0;

  Json to_json() const;
};

/// Does what is proposed, one after the other, on a read_write session; a failure of one does not stop the
/// next. Each is a transaction of SQLite's own: an abort at any point leaves it done or not begun. No value
/// is ever changed; VACUUM may number rows anew in tables that have neither a primary key nor an index.
/// Throws CancelledError when interrupted, and IntegrityError, before anything is done, where more than
/// indexes is damaged: VACUUM and ANALYZE could carry damage on.
std::vector<Applied> apply(Session& session, const std::vector<Proposal>& proposals,
                           ProgressSink* progress = nullptr);

}  // namespace nerve::sqlite
