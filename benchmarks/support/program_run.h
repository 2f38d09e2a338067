// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace nerve::bench {

struct ProgramOptions {
  int exit_code_max = 0;
  std::optional<std::chrono::seconds> timeout;  ///< nothing: for as long as it takes
};

/// What a program took.
struct ProgramRun {
  bool is_ended = true;  ///< false where it was killed at the timeout
  double ms = 0;
  double cpu_ms = 0;  ///< of all processors, in the program and in the kernel for it
  /// The largest resident set of the program and of what it started. At least that of the process that
  /// starts it, as Linux counts, which therefore has to stay small.
  long rss_kib = 0;
};

/// Runs a program to its end with its output thrown away. Throws std::runtime_error when it cannot be started
/// or ends with a code above the one that is allowed.
ProgramRun run_program(const std::vector<std::string>& words, const ProgramOptions& options = {});

/// The milliseconds that a program took; throws as run_program() does.
double run_ms(const std::vector<std::string>& words, int exit_code_max = 0);

/// The middle one of the sorted values.
double median(std::vector<double> values);

}  // namespace nerve::bench
