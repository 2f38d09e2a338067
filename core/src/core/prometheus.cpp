// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/prometheus.h"

#include "nerve/core/text.h"

#include <fmt/format.h>

namespace nerve {

std::string prometheus_label(std::string_view text) {
  const std::string valid = is_valid_utf8(text) ? std::string(text) : sanitize_for_terminal(text);
  std::string quoted = "\"";
  for (const char character : valid) {
    if (character == '\n') {
      quoted += "\\n";
      continue;
    }
    if (character == '\\' || character == '"') quoted += '\\';
    quoted += character;
  }
  return quoted + '"';
}

std::string prometheus_heading(std::string_view name, std::string_view help) {
  return fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", name, help);
}

}  // namespace nerve
