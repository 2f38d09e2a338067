// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>

namespace nerve::convert {

/// Runs `work` in so many threads, each with its number, and returns when all have ended. Meanwhile `on_tick`
/// is called about ten times a second, in the caller's thread.
///
/// When one throws, or on_tick does, `is_stopped` is set for the others to see, and what was thrown first is
/// thrown again when all have ended.
void run_workers(std::size_t count, const std::function<void(std::size_t)>& work,
                 std::atomic<bool>& is_stopped, const std::function<void()>& on_tick);

/// The same for so many tasks, each with its number, which are begun in order by whichever thread is free;
/// `work` is given the thread and the task.
void run_tasks(std::size_t workers, std::size_t tasks,
               const std::function<void(std::size_t, std::size_t)>& work, std::atomic<bool>& is_stopped,
               const std::function<void()>& on_tick);

}  // namespace nerve::convert
