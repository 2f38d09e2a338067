// SPDX-License-Identifier: Apache-2.0
// Secret::from_prompt(): a line from the terminal without echo.
#include "nerve/core/error.h"
#include "nerve/core/secret.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string>
#include <system_error>

namespace nerve {

namespace {

constexpr std::array<int, 5> trapped_signals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

// A handler can reach nothing but a global; only one prompt is open at a time.
volatile std::sig_atomic_t trapped_signal = 0;

void remember_signal(int signal_number) {
  trapped_signal = signal_number;
}

/// Catches the signals that would end or stop the process while the terminal has no echo. They stay blocked
/// except in wait_readable(), so none slips in between a look at `trapped_signal` and the wait.
class SignalTrap {
 public:
  SignalTrap() {
    trapped_signal = 0;
    sigset_t blocked;
    sigemptyset(&blocked);
    for (const int number : trapped_signals) sigaddset(&blocked, number);
    pthread_sigmask(SIG_BLOCK, &blocked, &mask_before_);
    struct sigaction action {};
    action.sa_handler = &remember_signal;
    for (std::size_t i = 0; i < trapped_signals.size(); ++i) {
      sigaction(trapped_signals[i], nullptr, &before_[i]);
      // What the process was told to ignore (nohup) stays ignored.
      if (before_[i].sa_handler != SIG_IGN) sigaction(trapped_signals[i], &action, nullptr);
    }
  }
  SignalTrap(const SignalTrap&) = delete;
  SignalTrap& operator=(const SignalTrap&) = delete;
  ~SignalTrap() {
    for (std::size_t i = 0; i < trapped_signals.size(); ++i)
      sigaction(trapped_signals[i], &before_[i], nullptr);
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  }

  /// Waits for input; false when a trapped signal arrived.
  bool wait_readable(int descriptor) const {
    struct pollfd waited {
      descriptor, POLLIN, 0
    };
    while (trapped_signal == 0) {
      if (ppoll(&waited, 1, nullptr, &mask_before_) > 0 && trapped_signal == 0) return true;
    }
    return false;
  }

 private:
  sigset_t mask_before_{};
  std::array<struct sigaction, trapped_signals.size()> before_{};
};

/// The terminal of the process, without echo while this lives.
class SilentTerminal {
 public:
  SilentTerminal() : descriptor_(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
    if (descriptor_ < 0 || tcgetattr(descriptor_, &before_) != 0) {
      if (descriptor_ >= 0) close(descriptor_);
      throw UnsupportedError("there is no terminal to ask for a secret",
                             "Give it in a file, by a descriptor or in the environment.");
    }
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= ICANON | ECHONL | ISIG;
    tcsetattr(descriptor_, TCSAFLUSH, &silent);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;
  ~SilentTerminal() {
    tcsetattr(descriptor_, TCSAFLUSH, &before_);
    close(descriptor_);
  }

  int descriptor() const noexcept { return descriptor_; }

  void show(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t count = write(descriptor_, text.data(), text.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }

 private:
  int descriptor_;
  termios before_{};
};

/// Fills `line` up to a newline, which is dropped, or the end of input. Returns its length; nothing when a
/// signal came.
std::optional<std::size_t> read_line(const SilentTerminal& terminal, const SignalTrap& trap,
                                     std::span<std::byte> line) {
  std::size_t filled = 0;
  while (filled < line.size()) {
    if (!trap.wait_readable(terminal.descriptor())) return std::nullopt;
    const ssize_t count = read(terminal.descriptor(), line.data() + filled, line.size() - filled);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) {
      throw Error(ErrorKind::failure,
                  "cannot read from the terminal: " + std::generic_category().message(errno));
    }
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
    if (line[filled - 1] == std::byte{'\n'}) return filled - 1;
  }
  return filled;
}

}  // namespace

Secret Secret::from_prompt(std::string_view text) {
  // A terminal hands over at most 4096 bytes of one line.
  constexpr std::size_t line_max = 4096;
  Secret secret(line_max);
  std::optional<std::size_t> length;
  while (!length) {
    {
      // In this order, so that the terminal is as it was before a signal can act.
      const SignalTrap trap;
      const SilentTerminal terminal;
      terminal.show(text);
      length = read_line(terminal, trap, secret.writable());
    }
    if (length) break;
    // Now it takes its usual course: the process ends or stops, or an InterruptGuard takes note.
    const int signal_number = trapped_signal;
    raise(signal_number);
    if (signal_number != SIGTSTP) throw CancelledError("interrupted while asking for a secret");
  }
  secret.shorten(*length);
  if (secret.empty()) throw ValidationError("the secret from the terminal is empty");
  return secret;
}

}  // namespace nerve
