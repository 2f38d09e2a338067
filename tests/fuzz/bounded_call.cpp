// SPDX-License-Identifier: Apache-2.0
#include "fuzz/bounded_call.h"

#include "fuzz/fuzz_target.h"
#include "fuzz/memory_count.h"

#include "nerve/core/error.h"

#include <cstdio>
#include <ctime>
#include <exception>

namespace nerve::fuzz {
namespace {

constexpr double seconds_max = 1;

/// Of all threads. The time that passes says more of the machine than of the input.
double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

bool returns(const std::function<void()>& call) {
  try {
    call();
    return true;
  } catch (const Error& error) {
    require(*error.what() != '\0', "an error says what is wrong");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    require(false, "only a nerve::Error is thrown");
  }
  return false;
}

}  // namespace

bool bounded_call(std::size_t memory_bytes, const std::function<void()>& call) {
  start_memory_count();
  const double before = processor_seconds();
  const bool has_returned = returns(call);
  const double taken = processor_seconds() - before;
  require(taken <= seconds_max, "an input takes at most a second");
  require(memory_peak_bytes() <= memory_bytes, "memory does not depend on what an input says of itself");
  return has_returned;
}

}  // namespace nerve::fuzz
