// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/interrupt.h"

#include "nerve/core/error.h"

#include <atomic>

namespace nerve {

namespace {

// Signals belong to the process, so their flag does too. Lock-free, as a signal handler needs.
std::atomic<int> signal_seen{0};
static_assert(std::atomic<int>::is_always_lock_free);

void keep_signal(int signal) {
  signal_seen.store(signal, std::memory_order_relaxed);
}

}  // namespace

bool interrupted() noexcept {
  return interrupting_signal() != 0;
}

int interrupting_signal() noexcept {
  return signal_seen.load(std::memory_order_relaxed);
}

void throw_if_interrupted() {
  if (interrupted())
    throw CancelledError("interrupted", "What was there before still stands; run the command again.");
}

InterruptGuard::InterruptGuard() {
  signal_seen = 0;
  struct sigaction action {};
  action.sa_handler = &keep_signal;
  // No SA_RESTART: a blocking read or a prompt ends, and its caller asks interrupted(). SA_RESETHAND: the
  // second one kills.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &action, &before_[i]);
  for (std::size_t i = 0; i < signals.size(); ++i) {
    const bool is_unwanted = signals[i] == SIGHUP && before_[i].sa_handler == SIG_IGN;
    if (is_unwanted) sigaction(signals[i], &before_[i], nullptr);
  }
}

InterruptGuard::~InterruptGuard() {
  for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &before_[i], nullptr);
}

}  // namespace nerve
