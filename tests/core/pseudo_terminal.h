// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

namespace nerve::test {

/// A terminal of its own: what is written to stream() can be read as a terminal would get it.
class PseudoTerminal {
 public:
  explicit PseudoTerminal(unsigned short columns) {
    winsize size{};
    size.ws_row = 24;
    size.ws_col = columns;
    int inner = -1;
    if (openpty(&outer_, &inner, nullptr, nullptr, &size) != 0) {
      throw std::system_error(errno, std::generic_category(), "cannot open a pseudo-terminal");
    }
    // Without output processing, so that a newline stays one character.
    termios settings{};
    tcgetattr(inner, &settings);
    cfmakeraw(&settings);
    tcsetattr(inner, TCSANOW, &settings);
    stream_ = fdopen(inner, "w");
  }
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;
  ~PseudoTerminal() {
    if (stream_ != nullptr) std::fclose(stream_);
    close(outer_);
  }

  std::FILE* stream() const noexcept { return stream_; }

  /// Closes stream() and returns everything that was written to it, up to the few KiB that a terminal holds.
  std::string close_and_read() {
    std::fclose(stream_);
    stream_ = nullptr;
    std::string text;
    std::array<char, 4096> block{};
    while (true) {
      // Once all is read and the other side is closed, Linux answers EIO.
      const ssize_t count = read(outer_, block.data(), block.size());
      if (count <= 0) return text;
      text.append(block.data(), static_cast<std::size_t>(count));
    }
  }

 private:
  int outer_ = -1;
  std::FILE* stream_ = nullptr;
};

}  // namespace nerve::test
