// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

// Parts of Prometheus' text exposition format 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
namespace nerve {

/// The value of a label: UTF-8 in double quotes, with backslash, quote and line feed escaped. Bytes that are
/// not UTF-8 are shown as escapes.
std::string prometheus_label(std::string_view text);

/// The two comment lines before the samples of a gauge. `help` holds neither backslash nor line feed.
std::string prometheus_heading(std::string_view name, std::string_view help);

}  // namespace nerve
