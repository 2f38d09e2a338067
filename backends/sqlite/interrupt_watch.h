// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace nerve::sqlite {

/// Ends the statement of a session when the user interrupts, from a thread of its own.
///
/// SQLite 3.40 checks a whole b-tree, which may be many gigabytes, without calling the progress handler; but
/// it does look at what sqlite3_interrupt() sets.
class InterruptWatch {
 public:
  explicit InterruptWatch(Session& session);
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

 private:
  void watch(const std::stop_token& stop, ::sqlite3* connection);

  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

}  // namespace nerve::sqlite
