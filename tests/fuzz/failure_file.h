// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace nerve::fuzz {

inline constexpr const char* failure_file = "fuzz-failure.bin";

/// From now on the input last given to keep_for_failure() is written to failure_file when the program dies of
/// a signal or of a sanitizer's finding.
void write_input_on_failure();

/// The input that is being tried. Borrowed until the next call.
void keep_for_failure(std::string_view input);

}  // namespace nerve::fuzz
