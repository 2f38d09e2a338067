// SPDX-License-Identifier: Apache-2.0
#include "load/load_schedule.h"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace nerve::convert {

LoadSchedule::LoadSchedule(const Plan& plan, const std::function<bool(const Range&)>& is_range_done,
                           const std::function<bool(const TableStep&)>& is_step_done)
    : plan_(plan),
      ranges_left_(plan.tables.size()),
      steps_left_(plan.tables.size()),
      steps_at_work_(plan.tables.size()),
      is_locked_(plan.tables.size()) {
  std::vector<std::size_t> order(plan.tables.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater(),
                           [&](std::size_t table) { return plan_.tables[table].bytes; });
  for (const std::size_t table : order) {
    for (const Range& range : ranges_of(plan.tables[table], table)) {
      if (is_range_done(range)) continue;
      waiting_.push_back(range);
      ++ranges_left_[table];
    }
  }
  release_ranges();
  for (const std::size_t table : order) {
    for (std::size_t step = 0; step < plan.tables[table].after_load.size(); ++step) {
      if (!is_step_done({table, step})) steps_left_[table].push_back(step);
    }
    if (ranges_left_[table] == 0) release_steps(table);
  }
}

void LoadSchedule::release_ranges() {
  const auto is_ready = [&](const Range& range) {
    return std::ranges::all_of(plan_.tables[range.table].previous,
                               [&](std::size_t table) { return ranges_left_[table] == 0; });
  };
  std::ranges::copy_if(waiting_, std::back_inserter(ready_), is_ready);
  std::erase_if(waiting_, is_ready);
}

void LoadSchedule::release_steps(std::size_t table) {
  // Before the ranges that wait: what a table still has in memory on the server is cheap to index now.
  std::vector<std::size_t> waiting;
  std::size_t front = 0;
  for (const std::size_t step : steps_left_[table]) {
    const bool is_previous_left = std::ranges::binary_search(steps_left_[table], step - 1);
    if (plan_.tables[table].after_load[step].needs_previous && is_previous_left) {
      waiting.push_back(step);
    } else {
      ready_.emplace(ready_.begin() + static_cast<std::ptrdiff_t>(front++), TableStep{table, step});
    }
  }
  steps_left_[table] = std::move(waiting);
}

void LoadSchedule::release_follower(const TableStep& step) {
  std::vector<std::size_t>& left = steps_left_[step.table];
  const auto follower = std::ranges::find(left, step.step + 1);
  if (follower == left.end() || !plan_.tables[step.table].after_load[*follower].needs_previous) return;
  ready_.emplace_front(TableStep{step.table, *follower});
  left.erase(follower);
}

std::deque<LoadTask>::iterator LoadSchedule::find_free() {
  return std::ranges::find_if(ready_, [&](const LoadTask& task) {
    const auto* step = std::get_if<TableStep>(&task);
    if (step == nullptr) return true;
    const bool locks = plan_.tables[step->table].after_load[step->step].locks_table;
    return !is_locked_[step->table] && (!locks || steps_at_work_[step->table] == 0);
  });
}

std::optional<LoadTask> LoadSchedule::next() {
  std::unique_lock lock(mutex_);
  auto free = ready_.end();
  changed_.wait(lock, [&] {
    free = find_free();
    return is_stopped_ || free != ready_.end() || at_work_ == 0;
  });
  if (is_stopped_ || free == ready_.end()) return std::nullopt;
  const LoadTask task = *free;
  ready_.erase(free);
  ++at_work_;
  if (const auto* step = std::get_if<TableStep>(&task)) {
    ++steps_at_work_[step->table];
    is_locked_[step->table] = plan_.tables[step->table].after_load[step->step].locks_table;
  }
  return task;
}

bool LoadSchedule::is_last_task() {
  const std::scoped_lock lock(mutex_);
  return at_work_ == 1 && ready_.empty() && waiting_.empty();
}

void LoadSchedule::finish(const LoadTask& task, bool is_refused) {
  const std::scoped_lock lock(mutex_);
  --at_work_;
  if (const auto* range = std::get_if<Range>(&task)) {
    if (--ranges_left_[range->table] == 0) {
      release_ranges();
      release_steps(range->table);
    }
  } else {
    const auto& step = std::get<TableStep>(task);
    --steps_at_work_[step.table];
    is_locked_[step.table] = false;
    if (!is_refused) release_follower(step);
  }
  changed_.notify_all();
}

void LoadSchedule::stop() {
  const std::scoped_lock lock(mutex_);
  is_stopped_ = true;
  changed_.notify_all();
}

}  // namespace nerve::convert
