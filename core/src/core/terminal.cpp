// SPDX-License-Identifier: Apache-2.0
#include "terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace nerve {

bool is_terminal(std::FILE* stream) noexcept {
  const int descriptor = fileno(stream);
  return descriptor >= 0 && isatty(descriptor) == 1;
}

std::size_t terminal_columns(std::FILE* stream) noexcept {
  constexpr std::size_t columns_default = 80;
  if (const char* preferred = std::getenv("COLUMNS")) {
    const std::string_view text(preferred);
    std::size_t columns = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), columns);
    if (read.ec == std::errc() && read.ptr == text.data() + text.size() && columns > 0) return columns;
  }
  winsize size{};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return columns_default;
}

}  // namespace nerve
