// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace nerve::test {

/// How a program ended and what it wrote.
struct ProcessResult {
  int exit_code = -1;  ///< -1 when a signal ended it
  int signal = 0;      ///< the signal that ended it, or 0
  std::string out;
  std::string err;
};

struct ProcessOptions {
  /// Variables to set, or to remove where the value is nothing; the others are inherited.
  std::map<std::string, std::optional<std::string>> env;
  std::filesystem::path cwd;              ///< empty: the current folder
  std::optional<std::string> stdin_text;  ///< nothing: standard input is /dev/null
  std::chrono::milliseconds timeout{60'000};
};

/// A program that runs beside the test. Its output is kept while wait() or kill_after() drain it, so it never
/// stands still on a full pipe there. One thread.
///
/// A program that is still running at the end of the object's life is killed: no test leaves one behind.
class Process {
 public:
  /// Starts `argv[0]`, which is looked up in PATH where it holds no slash. Throws std::system_error when it
  /// cannot.
  explicit Process(std::vector<std::string> argv, const ProcessOptions& options = {});
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  pid_t pid() const noexcept { return pid_; }
  void send_signal(int signal) const;

  /// Waits for the end. Kills the program and throws std::runtime_error when it lasts longer than the
  /// timeout.
  ProcessResult wait();

  /// Lets it run for `delay`, then sends SIGKILL unless it has ended already, and waits for the end.
  ProcessResult kill_after(std::chrono::microseconds delay);

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  /// Drains the output until the program ends, at most until `deadline`. Returns whether it ended.
  bool drain_until(Deadline deadline);
  void drain_available();
  ProcessResult finish();

  std::string name_;
  std::chrono::milliseconds timeout_;
  pid_t pid_ = -1;
  bool ended_ = false;
  int exit_descriptor_ = -1;  ///< a pidfd, readable once the program has ended
  int out_descriptor_ = -1;
  int err_descriptor_ = -1;
  ProcessResult result_;
};

/// Runs a program to its end.
ProcessResult run_process(std::vector<std::string> argv, const ProcessOptions& options = {});

}  // namespace nerve::test
