// SPDX-License-Identifier: Apache-2.0
#include "fuzz/failure_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

// There when the program is linked with a sanitizer, which ends it without a signal.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace nerve::fuzz {
namespace {

// Global because a signal handler reaches nothing else.
std::string_view current_input;

/// Calls nothing but what a signal handler may call. A file that cannot be written must not hide the failure
/// itself.
void write_current_input() {
  const int file = open(failure_file, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return;
  std::string_view rest = current_input;
  while (!rest.empty()) {
    const ssize_t written = write(file, rest.data(), rest.size());
    if (written <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  close(file);
}

extern "C" void on_fatal_signal(int signal_number) {
  write_current_input();
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
}

}  // namespace

void write_input_on_failure() {
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(write_current_input);
  for (const int signal_number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    std::signal(signal_number, on_fatal_signal);
  }
}

void keep_for_failure(std::string_view input) {
  current_input = input;
}

}  // namespace nerve::fuzz
