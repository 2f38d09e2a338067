// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/time.h"
#include "nerve/db/codec.h"
#include "nerve/job.h"
#include "nerve/record.h"
#include "nerve/store.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nerve::jobs {

/// How a run ended. A job that is `running` while nobody runs jobs was cut off; it is due at once.
enum class Outcome : std::uint8_t { running, succeeded, partial, failed };

/// The last run of a job.
struct JobState {
  std::string job = {};
  Timestamp started_at = {};
  std::optional<Timestamp> finished_at = {};
  Outcome outcome = Outcome::running;
  std::string counts = "{}";  ///< JSON: {"delivered": 3}
  std::optional<std::string> problem = {};
};

extern const Record<JobState> job_states;

struct JobStatus {
  Job job;
  std::optional<JobState> last;  ///< absent: it never ran

  bool is_due(Timestamp now) const;
  Timestamp due_at(Timestamp now) const;
};

struct JobRun {
  std::string_view job;
  Outcome outcome = Outcome::succeeded;
  JobReport report;  ///< empty for a failed job
  std::chrono::microseconds duration{0};
};

/// Every job of the modules, in their order, with its last run.
std::vector<JobStatus> list_jobs(Stores& stores);

struct RunOptions {
  std::optional<std::string> job = std::nullopt;  ///< only this one
  bool all = false;                               ///< also those that are not due; implied by a name
  bool is_dry_run = false;                        ///< counts, changes nothing and is not recorded
  std::function<void(const JobRun&)> on_run = {};
};

/// Runs what is due, one after the other, while nobody else does in this workspace. A job that fails does not
/// keep the others from running; its message becomes the only problem of its run.
///
/// Throws NotFoundError for a name that no job has, Error of the kind unavailable where another runner is at
/// work, CancelledError when interrupted between two steps.
std::vector<JobRun> run_jobs(Stores& stores, const RunOptions& options = {});

}  // namespace nerve::jobs

namespace nerve::db {

template <>
inline constexpr std::string_view enum_texts<jobs::Outcome>[] = {"running", "succeeded", "partial", "failed"};

}  // namespace nerve::db
