// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#ifndef NERVE_SOURCE_DIR
#error "link the test to nerve::test_support, which defines NERVE_SOURCE_DIR"
#endif

namespace nerve::test {

/// The path of a file or folder of the real data that some tests read, or nothing where it is not there.
///
/// `relative` is relative to the data folder ("sqlite/chinook.sqlite"). That folder is NERVE_TEST_DATA where
/// the environment sets it, else ../shared/data beside the source tree. The data is not part of the project,
/// so a test that finds nothing says so (`MESSAGE("skipped: ...")`) and returns.
inline std::optional<std::filesystem::path> test_data(std::string_view relative) {
  const char* folder = std::getenv("NERVE_TEST_DATA");
  const std::filesystem::path root = folder != nullptr && *folder != '\0'
                                         ? std::filesystem::path(folder)
                                         : std::filesystem::path(NERVE_SOURCE_DIR) / ".." / "shared" / "data";
  std::error_code absent;
  auto found = std::filesystem::canonical(root / relative, absent);
  if (absent) return std::nullopt;
  return found;
}

}  // namespace nerve::test
