// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz_target.h"

#include <cstddef>
#include <cstdint>

/// What clang's -fsanitize=fuzzer calls; its library brings main().
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size_bytes) {
  nerve::fuzz::fuzz_one({reinterpret_cast<const char*>(input), size_bytes});
  return 0;
}
