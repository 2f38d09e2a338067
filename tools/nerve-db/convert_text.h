// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/convert/convert.h"
#include "nerve/core/output.h"

#include <chrono>
#include <vector>

namespace nerve::cli {

/// Plans and reports of conversions, for people.
void show(Output& output, const convert::PlannedConversion& planned);
void show(Output& output, const convert::ConvertReport& report, std::chrono::nanoseconds duration);
void show(Output& output, const std::vector<convert::TableReport>& tables);

}  // namespace nerve::cli
