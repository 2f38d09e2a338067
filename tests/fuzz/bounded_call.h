// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>

namespace nerve::fuzz {

/// Calls what reads a file that somebody else may have written. It returns, or throws a nerve::Error; it
/// takes at most a second of processor time, and memory that does not depend on what the file says of itself:
/// `memory_bytes` at once. Anything else ends the program. Returns whether it returned.
bool bounded_call(std::size_t memory_bytes, const std::function<void()>& call);

}  // namespace nerve::fuzz
