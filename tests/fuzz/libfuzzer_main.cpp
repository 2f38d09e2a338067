// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz_target.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

/// What clang's -fsanitize=fuzzer calls first; its library brings main(). Puts the corpus into the first
/// folder that is an argument: no search makes a whole container of nothing.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  for (int i = 1; i < *argc; ++i) {
    const std::filesystem::path folder = (*argv)[i];
    if (!std::filesystem::is_directory(folder)) continue;
    const std::vector<std::string> corpus = nerve::fuzz::fuzz_corpus();
    for (std::size_t number = 0; number < corpus.size(); ++number) {
      std::ofstream(folder / ("corpus-" + std::to_string(number)), std::ios::binary) << corpus[number];
    }
    break;
  }
  return 0;
}

/// What it calls with each input.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size_bytes) {
  nerve::fuzz::fuzz_one({reinterpret_cast<const char*>(input), size_bytes});
  return 0;
}
