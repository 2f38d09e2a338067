// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nerve::cli {

/// A program of the user's that is to be run; no shell is involved.
struct ProgramCall {
  std::vector<std::string>
      command;  ///< the program and its arguments; a name without "/" is looked up in PATH
  std::vector<std::pair<std::string, std::string>> variables = {};  ///< added to the environment
  std::string input = {};                                           ///< its standard input
  std::chrono::seconds time_limit{30};
  bool is_heard = false;  ///< what it writes goes to our standard error, and nowhere otherwise
};

/// How such a program ended.
struct ProgramEnd {
  enum class How : std::uint8_t {
    exited,
    killed,       ///< by a signal that was not ours
    timed_out,    ///< it was stopped
    interrupted,  ///< SIGINT, SIGTERM or SIGHUP came for us, and was passed on to it
  };

  How how = How::exited;
  int code = 0;           ///< its exit status, or the signal
  std::string last_line;  ///< of its standard error, made harmless for a terminal; empty where there is none

  bool is_good() const noexcept { return how == How::exited && code == 0; }
  /// "ended with exit status 3: disk is full", "did not end within 30 s".
  std::string text(std::chrono::seconds time_limit) const;
};

/// Runs a program and waits for its end. It has a process group of its own: when the time is over, all of the
/// group get SIGTERM and soon after SIGKILL. A signal for us is passed on; one that came before the call is
/// not.
///
/// Its environment is ours with `variables`, without NERVE_PASSPHRASE, NERVE_RECOVERY_KEY and other variables
/// of the names in `variables`. Throws NotFoundError, DeniedError or Error when it cannot be started.
ProgramEnd run_program(const ProgramCall& call);

}  // namespace nerve::cli
