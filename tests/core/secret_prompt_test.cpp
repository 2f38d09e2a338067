// SPDX-License-Identifier: Apache-2.0
// Goal: a prompt never shows what is typed and always leaves the terminal as it was, however it ends.
// Method: a child process gets a pseudo-terminal as its own and asks for a secret there; the test types,
// sends signals and looks at the terminal's settings from outside. The child reports by its exit code.
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/secret.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <string>

namespace nerve {

namespace {

using std::chrono::milliseconds;

constexpr int exit_secret_is_right = 10;
constexpr int exit_secret_is_wrong = 11;
constexpr int exit_cancelled = 12;
constexpr int exit_unsupported = 13;
constexpr int exit_other_error = 14;

int ask() {
  try {
    return Secret::from_prompt("Passphrase: ").reveal_text() == "hunter2" ? exit_secret_is_right
                                                                          : exit_secret_is_wrong;
  } catch (const CancelledError&) {
    return exit_cancelled;
  } catch (const UnsupportedError&) {
    return exit_unsupported;
  } catch (const Error&) {
    return exit_other_error;
  }
}

/// A child on a terminal of its own.
class Child {
 public:
  explicit Child(const std::function<int()>& work) {
    pid_ = forkpty(&terminal_, nullptr, nullptr, nullptr);
    REQUIRE(pid_ >= 0);
    if (pid_ != 0) return;
    // Without the handlers by which doctest reports a crash.
    for (const int signal_number : {SIGINT, SIGTERM, SIGHUP}) signal(signal_number, SIG_DFL);
    _exit(work());
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (!ended_) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(terminal_);
  }

  /// Reads what the terminal shows until `text` is in it. Returns false after ten seconds without.
  bool wait_for(const std::string& text) {
    for (int round = 0; round < 100; ++round) {
      if (shown_.find(text) != std::string::npos) return true;
      read_some(milliseconds(100));
    }
    return false;
  }
  void type(const std::string& text) const { REQUIRE(write(terminal_, text.data(), text.size()) > 0); }
  void send(int signal_number) const { kill(pid_, signal_number); }
  bool echoes() const {
    termios settings{};
    REQUIRE(tcgetattr(terminal_, &settings) == 0);
    return (settings.c_lflag & ECHO) != 0;
  }
  /// Waits for its end: the exit code, or the negative number of the signal that ended it.
  int end() {
    int status = 0;
    waitpid(pid_, &status, 0);
    ended_ = true;
    read_some(milliseconds(50));
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }
  const std::string& shown() const { return shown_; }
  void forget_shown() { shown_.clear(); }

 private:
  void read_some(milliseconds patience) {
    pollfd waited{terminal_, POLLIN, 0};
    if (poll(&waited, 1, static_cast<int>(patience.count())) <= 0) return;
    std::array<char, 512> block{};
    const ssize_t count = read(terminal_, block.data(), block.size());
    if (count > 0) shown_.append(block.data(), static_cast<std::size_t>(count));
  }

  int terminal_ = -1;
  pid_t pid_ = -1;
  bool ended_ = false;
  std::string shown_;
};

}  // namespace

TEST_CASE("a prompt reads a line that is never shown and restores the echo") {
  Child child([] { return ask(); });
  REQUIRE(child.wait_for("Passphrase: "));
  CHECK_FALSE(child.echoes());
  child.type("hunter2\n");
  CHECK(child.end() == exit_secret_is_right);
  CHECK(child.shown().find("hunter2") == std::string::npos);
  CHECK(child.echoes());
}

TEST_CASE("a prompt corrects what is erased and refuses an empty line") {
  Child correcting([] { return ask(); });
  REQUIRE(correcting.wait_for("Passphrase: "));
  correcting.type(
      "hunter3\x7f"
      "2\n");
  CHECK(correcting.end() == exit_secret_is_right);

  Child empty([] { return ask(); });
  REQUIRE(empty.wait_for("Passphrase: "));
  empty.type("\n");
  CHECK(empty.end() == exit_other_error);
  CHECK(empty.echoes());
}

TEST_CASE("the end of input without a newline ends the line") {
  Child child([] { return ask(); });
  REQUIRE(child.wait_for("Passphrase: "));
  child.type("hunter2\x04\x04");
  CHECK(child.end() == exit_secret_is_right);
}

TEST_CASE("a signal ends the process as usual, after the echo is restored") {
  for (const int signal_number : {SIGINT, SIGTERM, SIGHUP}) {
    CAPTURE(signal_number);
    Child child([] { return ask(); });
    REQUIRE(child.wait_for("Passphrase: "));
    child.type("hun");
    child.send(signal_number);
    CHECK(child.end() == -signal_number);
    CHECK(child.echoes());
  }
}

TEST_CASE("Ctrl-C at a prompt is an interrupt") {
  Child child([] { return ask(); });
  REQUIRE(child.wait_for("Passphrase: "));
  child.type("\x03");
  CHECK(child.end() == -SIGINT);
  CHECK(child.echoes());
}

TEST_CASE("under an interrupt guard a signal at a prompt is a cancellation") {
  Child child([] {
    const InterruptGuard guard;
    const int result = ask();
    return interrupted() ? result : exit_other_error;
  });
  REQUIRE(child.wait_for("Passphrase: "));
  child.send(SIGTERM);
  CHECK(child.end() == exit_cancelled);
  CHECK(child.echoes());
}

TEST_CASE("a process that is stopped at a prompt leaves the echo on and asks again when it goes on") {
  // Orphaned process groups are not stopped by SIGTSTP, so the asking process has a parent in the same
  // session.
  Child child([] {
    const pid_t asking = fork();
    if (asking == 0) {
      setpgid(0, 0);
      signal(SIGTTOU, SIG_IGN);
      tcsetpgrp(STDIN_FILENO, getpid());
      signal(SIGTTOU, SIG_DFL);
      _exit(ask());
    }
    int status = 0;
    waitpid(asking, &status, WUNTRACED);
    if (!WIFSTOPPED(status)) return exit_other_error;
    termios settings{};
    tcgetattr(STDIN_FILENO, &settings);
    if ((settings.c_lflag & ECHO) == 0) return exit_other_error;
    kill(asking, SIGCONT);
    waitpid(asking, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : exit_other_error;
  });
  REQUIRE(child.wait_for("Passphrase: "));
  child.forget_shown();
  child.type("\x1a");
  REQUIRE(child.wait_for("Passphrase: "));
  child.type("hunter2\n");
  CHECK(child.end() == exit_secret_is_right);
}

TEST_CASE("without a terminal a prompt is an error that names other ways") {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    setsid();
    _exit(ask());
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == exit_unsupported);
}

}  // namespace nerve
