// SPDX-License-Identifier: Apache-2.0
#include "child_program.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

extern char** environ;

namespace nerve::cli {

namespace {

using SteadyClock = std::chrono::steady_clock;

/// From SIGTERM to SIGKILL.
constexpr std::chrono::seconds grace{5};
constexpr int look_every_ms = 20;
/// As of a program that could not be executed.
constexpr int unknown_end = 127 << 8;
constexpr std::size_t tail_bytes_max = 4096;
constexpr std::size_t line_bytes_max = 300;
/// Of its standard error at a time, so that one that writes without an end is stopped when its time is over.
/// As much as a pipe holds, so that nothing of one that has ended is lost.
constexpr std::size_t heard_bytes_max = std::size_t{64} << 10;

class Pipe {
 public:
  explicit Pipe(const std::string& program) {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) {
      throw Error(ErrorKind::unavailable, fmt::format("no pipe can be made for {}", program));
    }
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_reader();
    close_writer();
  }

  int reader() const noexcept { return ends_[0]; }
  int writer() const noexcept { return ends_[1]; }
  void close_reader() noexcept { close_end(ends_[0]); }
  void close_writer() noexcept { close_end(ends_[1]); }

 private:
  static void close_end(int& end) noexcept {
    if (end >= 0) ::close(end);
    end = -1;
  }

  std::array<int, 2> ends_{-1, -1};
};

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

/// A group of its own, and SIGPIPE, which we ignore, as programs expect it.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    ::posix_spawnattr_init(&attributes_);
    ::sigset_t defaults{};
    ::sigemptyset(&defaults);
    ::sigaddset(&defaults, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&attributes_, &defaults);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
  const ::posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  ::posix_spawnattr_t attributes_{};
};

std::vector<std::string> environment_for(const ProgramCall& call) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    const bool is_replaced =
        std::ranges::any_of(call.variables, [&](const auto& variable) { return variable.first == name; });
    const bool is_secret = name == "NERVE_PASSPHRASE" || name == "NERVE_RECOVERY_KEY";
    if (!is_secret && !is_replaced) environment.emplace_back(text);
  }
  for (const auto& [name, value] : call.variables) environment.push_back(fmt::format("{}={}", name, value));
  return environment;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void throw_not_started(const std::string& program, int code) {
  const std::string message =
      fmt::format("the program {} cannot be started: {}", program, std::strerror(code));
  if (code == ENOENT || code == ENOTDIR) throw NotFoundError(message, "Name a program that is there.");
  if (code == EACCES || code == EPERM) throw DeniedError(message, "Make it executable: chmod +x.");
  throw Error(ErrorKind::failure, message,
              "A script begins with the line #!/bin/sh, or names another interpreter.");
}

::pid_t start(const ProgramCall& call, const Pipe& input, const Pipe& errors) {
  SpawnActions actions;
  const SpawnAttributes attributes;
  ::posix_spawn_file_actions_adddup2(actions.get(), input.reader(), STDIN_FILENO);
  if (call.is_heard) {
    ::posix_spawn_file_actions_adddup2(actions.get(), STDERR_FILENO, STDOUT_FILENO);
  } else {
    ::posix_spawn_file_actions_addopen(actions.get(), STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  }
  ::posix_spawn_file_actions_adddup2(actions.get(), errors.writer(), STDERR_FILENO);
  std::vector<std::string> words = call.command;
  std::vector<std::string> environment = environment_for(call);
  ::pid_t child = -1;
  const int error = ::posix_spawnp(&child, words.front().c_str(), actions.get(), attributes.get(),
                                   pointers_to(words).data(), pointers_to(environment).data());
  if (error != 0) throw_not_started(call.command.front(), error);
  return child;
}

/// The last line of what was said, as far as it was kept.
std::string last_line_of(std::string_view text) {
  const std::size_t end = text.find_last_not_of("\r\n\t ");
  if (end == std::string_view::npos) return {};
  text = text.substr(0, end + 1);
  const std::size_t line_break = text.rfind('\n');
  if (line_break != std::string_view::npos) text.remove_prefix(line_break + 1);
  return sanitize_for_terminal(cut_text(text, line_bytes_max));
}

/// A program that was started, until its end.
class RunningProgram {
 public:
  RunningProgram(const ProgramCall& call, ::pid_t child, Pipe& input, Pipe& errors)
      : call_(call),
        child_(child),
        input_(input),
        errors_(errors),
        deadline_(SteadyClock::now() + call.time_limit) {
    ::fcntl(input.writer(), F_SETFL, O_NONBLOCK);
    ::fcntl(errors.reader(), F_SETFL, O_NONBLOCK);
  }

  ProgramEnd wait() {
    int status = 0;
    ::pid_t ended = 0;
    while ((ended = ::waitpid(child_, &status, WNOHANG)) == 0) {
      exchange();
      keep_time();
    }
    // Where SIGCHLD is ignored, nobody knows how it ended.
    if (ended < 0) status = unknown_end;
    hear(Waiting::allowed);
    end_.last_line = last_line_of(tail_);
    if (WIFSIGNALED(status)) {
      if (end_.how == ProgramEnd::How::exited) end_.how = ProgramEnd::How::killed;
      end_.code = WTERMSIG(status);
    } else {
      end_.code = WEXITSTATUS(status);
    }
    return end_;
  }

 private:
  /// Waits a moment for something to read or write.
  void exchange() {
    const bool has_input = input_.writer() >= 0;
    const ::pollfd heard =
        may_pass_on() ? ::pollfd{errors_.reader(), POLLIN, 0} : ::pollfd{STDERR_FILENO, POLLOUT, 0};
    std::array<::pollfd, 2> files{{heard, {input_.writer(), POLLOUT, 0}}};
    // A closed end would be ready at once, again and again.
    if (!is_heard_) files[0].fd = -1;
    if (!has_input) files[1].fd = -1;
    ::poll(files.data(), files.size(), look_every_ms);
    if (is_heard_) hear(Waiting::never);
    if (has_input) tell();
  }

  void tell() {
    const std::string_view rest = std::string_view(call_.input).substr(told_);
    const ssize_t count = rest.empty() ? 0 : ::write(input_.writer(), rest.data(), rest.size());
    if (count > 0) told_ += static_cast<std::size_t>(count);
    const bool is_gone = count < 0 && errno != EAGAIN && errno != EINTR;
    if (is_gone || told_ == call_.input.size()) input_.close_writer();
  }

  /// Whether what it says can be passed on without waiting for who reads our standard error.
  bool may_pass_on() const {
    ::pollfd own{STDERR_FILENO, POLLOUT, 0};
    return !call_.is_heard || ::poll(&own, 1, 0) > 0;
  }

  enum class Waiting : std::uint8_t {
    never,    ///< its time is to be kept
    allowed,  ///< it has ended
  };

  void hear(Waiting waiting) {
    std::array<char, 4096> block{};  // so much a pipe takes at once when it takes anything
    std::size_t heard = 0;
    while (heard < heard_bytes_max && (waiting == Waiting::allowed || may_pass_on())) {
      const ssize_t count = ::read(errors_.reader(), block.data(), block.size());
      if (count == 0) is_heard_ = false;
      if (count <= 0) return;
      const std::string_view text(block.data(), static_cast<std::size_t>(count));
      heard += text.size();
      if (call_.is_heard) {
        // Who closed our standard error does not want to hear it.
        [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
      }
      tail_ += text;
      if (tail_.size() > tail_bytes_max) tail_.erase(0, tail_.size() - tail_bytes_max);
    }
  }

  void keep_time() {
    if (end_.how == ProgramEnd::How::exited && interrupted() && !was_interrupted_) {
      stop(ProgramEnd::How::interrupted, interrupting_signal());
    } else if (SteadyClock::now() >= deadline_) {
      // The second time it did not follow.
      stop(end_.how == ProgramEnd::How::exited ? ProgramEnd::How::timed_out : end_.how,
           end_.how == ProgramEnd::How::exited ? SIGTERM : SIGKILL);
    }
  }

  void stop(ProgramEnd::How how, int signal) {
    end_.how = how;
    ::kill(-child_, signal);
    deadline_ = SteadyClock::now() + grace;
  }

  const ProgramCall& call_;
  ::pid_t child_;
  Pipe& input_;
  Pipe& errors_;
  SteadyClock::time_point deadline_;
  bool was_interrupted_ = interrupted();
  bool is_heard_ = true;  ///< its standard error may still say something
  std::size_t told_ = 0;
  std::string tail_;
  ProgramEnd end_;
};

}  // namespace

std::string ProgramEnd::text(std::chrono::seconds time_limit) const {
  std::string said = last_line.empty() ? "" : ": " + last_line;
  switch (how) {
    case How::exited:
      return fmt::format("ended with exit status {}{}", code, said);
    case How::killed:
      return fmt::format("was ended by signal {}{}", code, said);
    case How::timed_out:
      return fmt::format("did not end within {}{}", format_duration(time_limit), said);
    case How::interrupted:
      return fmt::format("was interrupted{}", said);
  }
  return said;
}

ProgramEnd run_program(const ProgramCall& call) {
  Pipe input(call.command.front());
  Pipe errors(call.command.front());
  const ::pid_t child = start(call, input, errors);
  input.close_reader();
  errors.close_writer();
  return RunningProgram(call, child, input, errors).wait();
}

}  // namespace nerve::cli
