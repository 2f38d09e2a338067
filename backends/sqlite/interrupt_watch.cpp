// SPDX-License-Identifier: Apache-2.0
#include "sqlite/interrupt_watch.h"

#include "nerve/core/interrupt.h"

#include <sqlite3.h>

#include <chrono>

namespace nerve::sqlite {

namespace {

constexpr std::chrono::milliseconds look_interval{50};

}  // namespace

InterruptWatch::InterruptWatch(Session& session)
    : thread_(
          [this, connection = session.handle()](const std::stop_token& stop) { watch(stop, connection); }) {}

void InterruptWatch::watch(const std::stop_token& stop, ::sqlite3* connection) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    // Again and again: an interrupt between two statements is forgotten by SQLite.
    if (interrupted()) ::sqlite3_interrupt(connection);
    stopped_.wait_for(lock, stop, look_interval, [] { return false; });
  }
}

}  // namespace nerve::sqlite
