// SPDX-License-Identifier: Apache-2.0
#include "support/program_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace nerve::bench {
namespace {

/// In a process group of its own, so that what it starts can be killed with it. -1 when it cannot.
pid_t start(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t pid = -1;
  const int failed = ::posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? pid : -1;
}

/// Whether the program ended in time.
bool wait_until_ended(pid_t pid, std::chrono::seconds timeout) {
  const auto descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  pollfd ended{descriptor, POLLIN, 0};
  const int count = ::poll(&ended, 1, static_cast<int>(std::chrono::milliseconds(timeout).count()));
  ::close(descriptor);
  return count != 0;
}

double ms_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

}  // namespace

ProgramRun run_program(const std::vector<std::string>& words, const ProgramOptions& options) {
  ProgramRun run;
  const auto begin = std::chrono::steady_clock::now();
  const pid_t pid = start(words);
  if (pid > 0 && options.timeout && !wait_until_ended(pid, *options.timeout)) {
    run.is_ended = false;
    ::kill(-pid, SIGKILL);
  }
  int status = 0;
  rusage usage{};
  const bool is_reaped = pid > 0 && ::wait4(pid, &status, 0, &usage) == pid;
  const bool is_good = is_reaped && WIFEXITED(status) && WEXITSTATUS(status) <= options.exit_code_max;
  if (run.is_ended && !is_good) {
    throw std::runtime_error(fmt::format("{} did not run to its end", fmt::join(words, " ")));
  }
  run.ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  run.cpu_ms = ms_of(usage.ru_utime) + ms_of(usage.ru_stime);
  run.rss_kib = usage.ru_maxrss;
  return run;
}

double run_ms(const std::vector<std::string>& words, int exit_code_max) {
  return run_program(words, {.exit_code_max = exit_code_max, .timeout = std::nullopt}).ms;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace nerve::bench
