// SPDX-License-Identifier: Apache-2.0
#include "support/small_disk.h"

#include "support/temp_folder.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

using nerve::test::SmallDisk;
using nerve::test::TempFolder;

TEST_CASE("a small disk is full when as much is written as was left free, and is gone with its object") {
  if (const std::string reason = SmallDisk::why_impossible(); !reason.empty()) {
    MESSAGE("left out: ", reason);
    return;
  }
  const TempFolder folder;
  const std::filesystem::path file = folder / "file";
  constexpr std::size_t piece = 64 * 1024;
  {
    const SmallDisk disk(folder.path(), 16 * piece);
    disk.leave_free(piece);
    CHECK(!(std::ofstream(file) << std::string(2 * piece, 'a')).flush());
    std::filesystem::remove(file);
    disk.leave_free(4 * piece);
    CHECK((std::ofstream(file) << std::string(2 * piece, 'a')).flush());
  }
  CHECK(!std::filesystem::exists(file));
}
