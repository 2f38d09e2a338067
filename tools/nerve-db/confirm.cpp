// SPDX-License-Identifier: Apache-2.0
#include "confirm.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/text.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

namespace nerve::cli {

namespace {

/// Reads with read(2), which a signal ends: the streams of the library would go on waiting.
std::string read_line() {
  std::string line;
  std::array<char, 256> block{};
  while (line.size() < block.size()) {
    const ssize_t count = ::read(STDIN_FILENO, block.data(), block.size());
    throw_if_interrupted();
    if (count <= 0) break;
    line.append(block.data(), static_cast<std::size_t>(count));
    if (line.find('\n') != std::string::npos) break;
  }
  return line.substr(0, line.find('\n'));
}

}  // namespace

bool can_ask(const Output& output) noexcept {
  return !output.wants_json() && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
}

void require_answerable(const Output& output, bool yes, std::string_view hint) {
  if (yes || can_ask(output)) return;
  throw ValidationError(output.wants_json() ? "this must be confirmed, and with --json nobody is asked"
                                            : "this must be confirmed, and there is no terminal to ask on",
                        std::string(hint));
}

bool confirm(Output& output, std::string_view question) {
  require_answerable(output, false);
  std::fprintf(output.talk(), "%s [y/N] ", sanitize_for_terminal(question).c_str());
  std::fflush(output.talk());
  const std::string answer = read_line();
  return answer == "y" || answer == "Y" || answer == "yes" || answer == "Yes" || answer == "YES";
}

}  // namespace nerve::cli
