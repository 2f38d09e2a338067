// SPDX-License-Identifier: Apache-2.0
#include "nerve/health/prometheus.h"

#include "nerve/core/prometheus.h"

#include <fmt/format.h>

namespace nerve::health {

namespace {

/// What tells a sample from the others of its metric.
std::string labels_of(const Check& check) {
  std::string labels = "check=" + prometheus_label(check.id);
  if (!check.store.empty()) labels += ",store=" + prometheus_label(check.store);
  return labels;
}

}  // namespace

std::string to_prometheus(const Report& report) {
  const std::string target = prometheus_label(report.target);
  std::string text = prometheus_heading("nerve_health_status",
                                        "Outcome of a check: 0 ok, 1 warning, 2 critical, 3 unknown.");
  for (const Check& check : report.checks) {
    text += fmt::format("nerve_health_status{{{},target={}}} {}\n", labels_of(check), target,
                        monitoring_code(check.status));
  }
  text += prometheus_heading("nerve_health_value", "What a check measured, in its unit.");
  for (const Check& check : report.checks) {
    if (!check.number) continue;
    text += fmt::format("nerve_health_value{{{},unit={},target={}}} {}\n", labels_of(check),
                        prometheus_label(check.unit), target, *check.number);
  }
  text += prometheus_heading("nerve_health_overall", "The worst outcome of all checks.");
  return text + fmt::format("nerve_health_overall{{target={}}} {}\n", target, report.exit_code());
}

}  // namespace nerve::health
