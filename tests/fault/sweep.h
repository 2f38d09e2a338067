// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fault/scene.h"
#include "support/process.h"

#include <functional>
#include <string>
#include <vector>

namespace nerve::test {

/// How much of a command is tried.
enum class SweepExtent : std::uint8_t {
  every_call,  ///< each call that changes files, with each kind of fault
  /// Each kind of fault meets each kind of call, which is an operation on a file. Where such calls are many,
  /// the program is killed at eight of them and meets each other fault at one, spread over them all.
  every_kind_of_call,
  /// The same with one kill, but each call on the catalogue is where the program is killed and where it
  /// fails: each of its lines is a promise of its own.
  every_line_of_catalogue,
};

struct SweepChecks {
  /// What a run left that met a fault of this kind, or survived it.
  std::function<void(const ProcessResult&, const std::string& kind)> after_fault;
  /// What the run after it left, which met none.
  std::function<void(const ProcessResult&)> after_next_run;
};

/// Runs `command` from the beginning of `scene` once for each fault, and once more after each.
///
/// Outside of a long run (effort.h) two faults meet the calls of each name. Checks that it ends with exit
/// code 0, 1 or by the fault, that a kill was met, that a short write is no reason to fail, and that the run
/// after it succeeds. Says how many calls of which kind met a fault.
void sweep(const Scene& scene, const std::vector<std::string>& command, SweepExtent extent,
           const SweepChecks& checks);

/// Runs `command` from the beginning of `scene` once for each call of this operation, which is not made and
/// says that it was, and looks at what each run left.
void lie_about(const Scene& scene, const std::vector<std::string>& command, const std::string& operation,
               const std::function<void(const ProcessResult&)>& look);

/// Runs `command` from the beginning of `scene` once for each write, of which one bit is changed silently,
/// and looks at what each run left; `file` is the name of the file that the write was to. Of writes to files
/// of one name not more than a few are tried, spread over them all.
///
/// What SQLite writes to a database and its -wal, -journal and -shm is left out: it is no work of backups,
/// and a database that its device damages is found by its own check.
void flip_writes(const Scene& scene, const std::vector<std::string>& command,
                 const std::function<void(const ProcessResult&, const std::string& file)>& look);

/// sweep() for a restore in place: it leaves the old content or the new one and is never a false success,
/// and the run after it ends the job and has kept what was there.
void sweep_restore(const FaultScene& scene, SweepExtent extent);

}  // namespace nerve::test
