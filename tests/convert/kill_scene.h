// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/postgres_server.h"
#include "support/process.h"
#include "support/temp_folder.h"

#include "nerve/convert/plan.h"

#include <chrono>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace nerve::test {

/// How a conversion of the scene ends: something has no equal, and rows are rejected (docs/exit_codes.md).
inline constexpr int exit_partial = 10;
/// How one ends that finds another one's work.
inline constexpr int exit_conflict = 4;

/// How a conversion of the scene is run.
enum class Way : std::uint8_t {
  command,       ///< nerve-db convert, for which each table is one range
  small_ranges,  ///< a program that makes ranges of a few hundred rows
  atomic,        ///< nerve-db convert --atomic
};

/// A source with what conversions are made of (several tables, foreign keys, indexes, a generated column, a
/// view, a table without rowids, rows that are rejected), a target, and what an undisturbed run leaves there.
class KillScene {
 public:
  /// Makes the source and a database of the server, and converts three times without a disturbance.
  KillScene(PostgresServer& server, const std::string& name, Way way, const std::string& journal_mode);

  const std::string& database() const noexcept { return database_; }
  std::vector<std::string> command() const;
  ProcessOptions options() const;
  /// Of the shortest of the undisturbed runs.
  std::chrono::microseconds duration() const noexcept { return duration_; }

  /// Takes the target as it is now for what is expected: the test has made something beside the conversion.
  void relearn_target();
  /// Takes away what was converted, and the file of rejects.
  void clear();

  /// Whether the conversion is there as a whole, as the run would say that was killed thereafter.
  bool is_ended() const;
  /// The whole database as pg_dump writes it.
  std::string dump() const;
  /// Runs the command, and checks that it ends as an undisturbed one does, unless the one before had ended.
  void finish() const;
  /// That schema, rows and rejects are those of an undisturbed run, and nothing else is left.
  void check_result() const;
  /// That the server has none of the converter's sessions and locks after at most `limit`.
  void check_no_session(std::chrono::milliseconds limit) const;

 private:
  struct Target {
    std::string schema;
    std::vector<std::vector<std::string>> rows;  ///< by table
  };

  Target read_target() const;
  std::string numbers() const;
  std::set<std::string> files() const;
  std::multiset<std::string> reject_lines() const;
  ProcessResult run() const;
  void learn(const ProcessResult& result);
  void check_report(const ProcessResult& result) const;

  PostgresServer& server_;
  std::string database_;
  Way way_;
  TempFolder folder_;     ///< of the source
  TempFolder rejects_;    ///< of the rejects file
  TempFolder temporary_;  ///< for temporary files
  std::filesystem::path source_ = folder_ / "source.db";
  std::string url_;
  convert::Plan plan_;
  std::chrono::microseconds duration_{0};
  // What an undisturbed run leaves.
  std::string report_;
  Target target_;
  std::set<std::string> files_;
  std::multiset<std::string> reject_lines_;
};

}  // namespace nerve::test
