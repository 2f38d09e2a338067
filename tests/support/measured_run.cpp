// SPDX-License-Identifier: Apache-2.0
// measured_run FILE PROGRAM [ARGUMENT...] runs a program, ends as it ended, and writes to FILE how many
// processor seconds it took together with all processes that it started, those that it left behind included.
// tools/test compares them with what a test may take.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>

namespace {

constexpr int usage_exit_code = 2;
constexpr int not_started_exit_code = 127;

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// Returns when the program has ended, with its status. What it leaves becomes our child, and is waited for
/// as far as it has ended too: a daemon is no reason to wait.
std::optional<int> wait_for(pid_t program) {
  std::optional<int> of_program;
  while (true) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, of_program ? WNOHANG : 0);
    if (ended == program) {
      of_program = status;
    } else if (ended == 0 || (ended < 0 && errno != EINTR)) {
      return of_program;
    }
  }
}

bool write_processor_seconds(const char* path) {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  std::FILE* file = std::fopen(path, "w");
  if (file == nullptr) return false;
  const bool is_written = std::fprintf(file, "%.2f\n", seconds(usage.ru_utime) + seconds(usage.ru_stime)) > 0;
  return std::fclose(file) == 0 && is_written;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: measured_run FILE PROGRAM [ARGUMENT...]\n");
    return usage_exit_code;
  }
  // Without it, what outlives its parent would be waited for by the first process, and its time be lost to
  // us.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  const pid_t program = ::fork();
  if (program == 0) {
    ::execvp(argv[2], argv + 2);
    std::perror(argv[2]);
    ::_exit(not_started_exit_code);
  }
  if (program < 0) {
    std::perror("fork");
    return EXIT_FAILURE;
  }
  const std::optional<int> status = wait_for(program);
  if (!write_processor_seconds(argv[1])) {
    std::perror(argv[1]);
    return EXIT_FAILURE;
  }
  if (!status) return EXIT_FAILURE;
  if (WIFEXITED(*status)) return WEXITSTATUS(*status);
  // CTest tells a crash from a failure by the signal.
  std::signal(WTERMSIG(*status), SIG_DFL);
  ::raise(WTERMSIG(*status));
  return EXIT_FAILURE;
}
