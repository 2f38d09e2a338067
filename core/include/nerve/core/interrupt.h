// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <csignal>

namespace nerve {

/// Whether SIGINT, SIGTERM or SIGHUP arrived since the last InterruptGuard was made. Cheap: engines ask it in
/// their loops.
bool interrupted() noexcept;

/// Which of these signals it was, to be passed on to a program that works for us; 0 where none arrived.
int interrupting_signal() noexcept;

/// Throws CancelledError when interrupted() is true.
void throw_if_interrupted();

/// While it lives, the first SIGINT, SIGTERM or SIGHUP (the terminal is gone) only sets the flag of
/// interrupted(), so that the work in hand can stop in good order and clean up. The second one of a kind ends
/// the process at once, as it would without a guard: an abort at any point leaves usable data. A SIGHUP that
/// is ignored, as nohup(1) has it, stays ignored. Destruction restores what the signals did before. One at a
/// time in a process, because signals belong to the process.
class InterruptGuard {
 public:
  InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  ~InterruptGuard();

 private:
  static constexpr std::array<int, 3> signals = {SIGINT, SIGTERM, SIGHUP};
  std::array<struct sigaction, signals.size()> before_{};
};

}  // namespace nerve
