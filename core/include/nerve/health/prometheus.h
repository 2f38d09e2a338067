// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/health/report.h"

#include <string>

namespace nerve::health {

/// The report in Prometheus' text exposition format 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/), each line ended by a newline:
///
///   nerve_health_status{check="…",target="…"}             0 ok, 1 warning, 2 critical, 3 unknown
///   nerve_health_value{check="…",unit="…",target="…"}     of the checks whose value is a number
///   nerve_health_overall{target="…"}                      the worst of all, as nerve_health_status
std::string to_prometheus(const Report& report);

}  // namespace nerve::health
