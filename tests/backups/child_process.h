// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>

namespace nerve::test {

/// A child of this process that runs `work` and then ends without cleaning up, as one that was killed:
/// connections stay unclosed, -wal and journal stay behind. The destructor kills and awaits it.
class ChildProcess {
 public:
  explicit ChildProcess(const std::function<void()>& work);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  ::pid_t pid() const noexcept { return pid_; }
  void kill_and_wait();
  /// Waits for its end; whether `work` returned.
  bool wait();

 private:
  ::pid_t pid_ = -1;
};

/// Runs SQL in a child process that dies with the connection open: its -wal or journal stays behind. Throws
/// when the SQL fails.
void run_sql_and_die(const std::filesystem::path& database, const std::string& sql);

/// Another process that has a file open and does nothing with it, as an idle connection in rollback mode
/// does.
class IdleHolder {
 public:
  explicit IdleHolder(const std::filesystem::path& path);

 private:
  ChildProcess child_;
};

/// Lowers the rights of this process to those of user 65534 until the end of its life. Only root can.
class WithoutRights {
 public:
  static bool is_possible() noexcept;
  WithoutRights();
  WithoutRights(const WithoutRights&) = delete;
  WithoutRights& operator=(const WithoutRights&) = delete;
  ~WithoutRights();
};

}  // namespace nerve::test
