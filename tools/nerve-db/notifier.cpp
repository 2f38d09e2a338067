// SPDX-License-Identifier: Apache-2.0
#include "notifier.h"

#include "nerve/core/error.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

extern char** environ;

namespace nerve::cli {

namespace {

constexpr std::chrono::seconds patience{30};

class SpawnActions {
 public:
  SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  ::posix_spawn_file_actions_t* get() noexcept { return &actions_; }

 private:
  ::posix_spawn_file_actions_t actions_{};
};

[[noreturn]] void fail(const std::string& program, const std::string& what) {
  throw Error(
      ErrorKind::failure, fmt::format("the notifier {} {}", program, what),
      "Correct maintenance.notify in nerve.toml; try the program by hand with JSON on its standard input.");
}

::pid_t start(const std::vector<std::string>& command, int input) {
  SpawnActions actions;
  ::posix_spawn_file_actions_adddup2(actions.get(), input, STDIN_FILENO);
  ::posix_spawn_file_actions_addopen(actions.get(), STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(actions.get(), STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::pid_t child = -1;
  const int error = ::posix_spawnp(&child, words[0], actions.get(), nullptr, words.data(), environ);
  if (error != 0) fail(command.front(), std::string("cannot be started: ") + std::strerror(error));
  return child;
}

/// The message is small enough for the pipe, so writing it never waits for the reader.
void write_message(int descriptor, const std::string& text) {
  ::fcntl(descriptor, F_SETFL, O_NONBLOCK);
  [[maybe_unused]] const ssize_t written = ::write(descriptor, text.data(), text.size());
  ::close(descriptor);
}

int wait_for(::pid_t child) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() >= deadline) {
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      return -1;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return status;
}

}  // namespace

void notify(const std::vector<std::string>& command, const Json& message) {
  if (command.empty()) return;
  std::array<int, 2> pipe_ends{};
  if (::pipe2(pipe_ends.data(), O_CLOEXEC) != 0) fail(command.front(), "cannot be given its input");
  ::pid_t child = -1;
  try {
    child = start(command, pipe_ends[0]);
  } catch (...) {
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
    throw;
  }
  ::close(pipe_ends[0]);
  write_message(pipe_ends[1], message.dump() + "\n");
  const int status = wait_for(child);
  if (status == -1) fail(command.front(), fmt::format("did not end within {} s", patience.count()));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail(command.front(), "failed");
}

}  // namespace nerve::cli
