// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/range.h"

#include "nerve/convert/plan.h"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

namespace nerve::convert {

/// A key or an index of a table whose rows are all there.
struct TableStep {
  std::size_t table = 0;
  std::size_t step = 0;
};

using LoadTask = std::variant<Range, TableStep>;

/// Hands out the work of a load: ranges of the largest table first, but behind those of the tables that it
/// names as previous, and a table's steps as soon as its last range is there, while the next table loads.
/// Used by all workers at once.
class LoadSchedule {
 public:
  /// What `is_done` says was done by an earlier run is left out.
  LoadSchedule(const Plan& plan, const std::function<bool(const Range&)>& is_range_done,
               const std::function<bool(const TableStep&)>& is_step_done);

  /// The next task; of a step that locks its table no other step of it is handed out beside. Waits where all
  /// that is left depends on what others are at; nothing when all is done or stopped.
  std::optional<LoadTask> next();
  /// A step that needs the one before it follows when that is done, and never where it was refused.
  void finish(const LoadTask& task, bool is_refused = false);
  /// Whether nobody else is at work, and nothing waits.
  bool is_last_task();
  /// Lets all who wait go home.
  void stop();

 private:
  std::deque<LoadTask>::iterator find_free();
  void release_ranges();
  void release_steps(std::size_t table);
  void release_follower(const TableStep& step);

  const Plan& plan_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<LoadTask> ready_;
  std::vector<std::size_t> ranges_left_;  ///< by table
  std::deque<Range> waiting_;             ///< of tables that come behind others; the largest first
  std::vector<std::vector<std::size_t>> steps_left_;  ///< by table, until they are released; ascending
  std::vector<std::size_t> steps_at_work_;            ///< by table
  std::vector<bool> is_locked_;  ///< by table: a step that no other goes beside is at work
  std::size_t at_work_ = 0;
  bool is_stopped_ = false;
};

}  // namespace nerve::convert
