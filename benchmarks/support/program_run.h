// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nerve::bench {

/// Runs a program to its end with its output thrown away, and returns the milliseconds it took. Throws
/// std::runtime_error when it cannot be started or ends with a code above `exit_code_max`.
double run_ms(const std::vector<std::string>& words, int exit_code_max = 0);

/// The middle one of the sorted values.
double median(std::vector<double> values);

}  // namespace nerve::bench
