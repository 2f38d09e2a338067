// SPDX-License-Identifier: Apache-2.0
#include "fuzz/scratch_folder.h"

#include "fuzz/fuzz_target.h"
#include "support/temp_folder.h"

#include <unistd.h>

#include <fstream>

namespace nerve::fuzz {
namespace {

namespace fs = std::filesystem;

fs::path place_for_files() {
  const fs::path in_memory = "/dev/shm";
  return ::access(in_memory.c_str(), W_OK) == 0 ? in_memory : fs::temp_directory_path();
}

}  // namespace

const fs::path& scratch_folder() {
  static const test::TempFolder folder(place_for_files());
  return folder.path();
}

fs::path make_folder(std::string_view name) {
  fs::path folder = scratch_folder() / name;
  fs::create_directory(folder);
  return folder;
}

void put_file(const fs::path& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content << std::flush;
  require(file.good(), "the input can be written to a file");
}

}  // namespace nerve::fuzz
