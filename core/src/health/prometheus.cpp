// SPDX-License-Identifier: Apache-2.0
#include "nerve/health/prometheus.h"

#include "nerve/core/text.h"

#include <fmt/format.h>

#include <string_view>

namespace nerve::health {

namespace {

/// A label's value: UTF-8 in double quotes, with backslash, quote and line feed escaped.
std::string label(std::string_view text) {
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

std::string heading(std::string_view name, std::string_view help) {
  return fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", name, help);
}

}  // namespace

std::string to_prometheus(const Report& report) {
  const std::string target = label(report.target);
  std::string text =
      heading("nerve_health_status", "Outcome of a check: 0 ok, 1 warning, 2 critical, 3 unknown.");
  for (const Check& check : report.checks) {
    text += fmt::format("nerve_health_status{{check={},target={}}} {}\n", label(check.id), target,
                        monitoring_code(check.status));
  }
  text += heading("nerve_health_value", "What a check measured, in its unit.");
  for (const Check& check : report.checks) {
    if (!check.number) continue;
    text += fmt::format("nerve_health_value{{check={},unit={},target={}}} {}\n", label(check.id),
                        label(check.unit), target, *check.number);
  }
  text += heading("nerve_health_overall", "The worst outcome of all checks.");
  return text + fmt::format("nerve_health_overall{{target={}}} {}\n", target, report.exit_code());
}

}  // namespace nerve::health
