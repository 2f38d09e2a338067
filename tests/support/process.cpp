// SPDX-License-Identifier: Apache-2.0
#include "support/process.h"

#include "support/system_error.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

namespace nerve::test {
namespace {

void close_descriptor(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

/// Both ends are closed on exec: only posix_spawn's own duplicates reach the program.
std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("cannot create a pipe");
  return ends;
}

/// Standard input is a file in memory, so that a program which does not read it cannot stop the test.
int open_stdin(const std::optional<std::string>& text) {
  if (!text) {
    const int null_device = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null_device < 0) throw_errno("cannot open /dev/null");
    return null_device;
  }
  const int file = ::memfd_create("stdin", MFD_CLOEXEC);
  if (file < 0) throw_errno("cannot create a file in memory");
  std::string_view left = *text;
  while (!left.empty()) {
    const ssize_t written = ::write(file, left.data(), left.size());
    if (written < 0) throw_errno("cannot write to a file in memory");
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  ::lseek(file, 0, SEEK_SET);
  return file;
}

std::vector<std::string> make_environment(const std::map<std::string, std::optional<std::string>>& changes) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!changes.contains(std::string(text.substr(0, text.find('='))))) environment.emplace_back(text);
  }
  for (const auto& [name, value] : changes) {
    if (value) environment.push_back(name + "=" + *value);
  }
  return environment;
}

std::vector<char*> as_pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct Streams {
  int in;
  int out;
  int err;
};

/// The program starts with every signal at its default and none blocked, whatever the test has set.
pid_t spawn(std::vector<std::string>& argv, const ProcessOptions& options, const Streams& streams) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, streams.in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, streams.out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, streams.err, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  if (!options.cwd.empty()) posix_spawn_file_actions_addchdir_np(&actions, options.cwd.c_str());

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<std::string> environment = make_environment(options.env);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, argv.front().c_str(), &actions, &attributes,
                                   as_pointers(argv).data(), as_pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw_errno("cannot start " + argv.front(), error);
  return pid;
}

/// Appends what can be read at once. Returns false at the end of the stream.
bool read_available(int descriptor, std::string& text) {
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (count == 0) {
      return false;
    } else if (errno == EAGAIN) {
      return true;
    } else if (errno != EINTR) {
      throw_errno("cannot read from a pipe");
    }
  }
}

}  // namespace

Process::Process(std::vector<std::string> argv, const ProcessOptions& options)
    : name_(argv.at(0)), timeout_(options.timeout) {
  int in = open_stdin(options.stdin_text);
  std::array<int, 2> out = make_pipe();
  std::array<int, 2> err = make_pipe();
  out_descriptor_ = out[0];
  err_descriptor_ = err[0];
  try {
    pid_ = spawn(argv, options, {.in = in, .out = out[1], .err = err[1]});
    // Debian 12's <sys/pidfd.h> declares its functions for C only.
    exit_descriptor_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (exit_descriptor_ < 0) throw_errno("cannot watch " + name_);
  } catch (...) {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    for (int* descriptor : {&in, &out[0], &out[1], &err[0], &err[1]}) close_descriptor(*descriptor);
    throw;
  }
  for (int* descriptor : {&in, &out[1], &err[1]}) close_descriptor(*descriptor);
  ::fcntl(out_descriptor_, F_SETFL, O_NONBLOCK);
  ::fcntl(err_descriptor_, F_SETFL, O_NONBLOCK);
}

Process::~Process() {
  if (!ended_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  for (int* descriptor : {&exit_descriptor_, &out_descriptor_, &err_descriptor_})
    close_descriptor(*descriptor);
}

void Process::send_signal(int signal) const {
  if (!ended_ && ::kill(pid_, signal) != 0) throw_errno("cannot send a signal to " + name_);
}

bool Process::drain_until(Deadline deadline) {
  while (true) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= std::chrono::nanoseconds::zero()) return false;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec limit{.tv_sec = seconds.count(),
                         .tv_nsec = std::chrono::nanoseconds(left - seconds).count()};
    // poll passes over a negative descriptor, which is what a stream at its end has.
    std::array<pollfd, 3> watched{{{.fd = exit_descriptor_, .events = POLLIN, .revents = 0},
                                   {.fd = out_descriptor_, .events = POLLIN, .revents = 0},
                                   {.fd = err_descriptor_, .events = POLLIN, .revents = 0}}};
    if (::ppoll(watched.data(), watched.size(), &limit, nullptr) < 0 && errno != EINTR) {
      throw_errno("cannot wait for " + name_);
    }
    drain_available();
    if (watched[0].revents != 0) return true;
  }
}

void Process::drain_available() {
  if (out_descriptor_ >= 0 && !read_available(out_descriptor_, result_.out))
    close_descriptor(out_descriptor_);
  if (err_descriptor_ >= 0 && !read_available(err_descriptor_, result_.err))
    close_descriptor(err_descriptor_);
}

ProcessResult Process::finish() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) throw_errno("cannot wait for " + name_);
  }
  ended_ = true;
  drain_available();
  if (WIFSIGNALED(status)) {
    result_.signal = WTERMSIG(status);
  } else {
    result_.exit_code = WEXITSTATUS(status);
  }
  return std::move(result_);
}

ProcessResult Process::wait() {
  if (!drain_until(std::chrono::steady_clock::now() + timeout_)) {
    throw std::runtime_error(name_ + " was still running after " + std::to_string(timeout_.count()) + " ms");
  }
  return finish();
}

ProcessResult Process::kill_after(std::chrono::microseconds delay) {
  if (!drain_until(std::chrono::steady_clock::now() + delay)) ::kill(pid_, SIGKILL);
  return finish();
}

ProcessResult run_process(std::vector<std::string> argv, const ProcessOptions& options) {
  return Process(std::move(argv), options).wait();
}

}  // namespace nerve::test
