// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

/// How much memory this program holds. memory_count.cpp takes the place of `operator new` for it.
namespace nerve::fuzz {

/// The most that was held at once since the last start_memory_count(), above what was held then.
std::size_t memory_peak_bytes() noexcept;

void start_memory_count() noexcept;

}  // namespace nerve::fuzz
