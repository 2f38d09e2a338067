// SPDX-License-Identifier: Apache-2.0
// What an encrypted container shows to who has no key: docs/backup_format.md says that it does, so it must.
#include "backups/hostile_hand.h"
#include "backups/scratch_database.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/repository.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

using namespace nerve;
using namespace nerve::backups;

namespace {

std::uint32_t number_at(const std::string& bytes, std::size_t place) {
  std::uint32_t number = 0;
  for (std::size_t index = 4; index-- > 0;) {
    number = (number << 8U) | static_cast<std::uint8_t>(bytes[place + index]);
  }
  return number;
}

/// The sizes of the sealed data records, read as docs/backup_format.md has them: after the header of 256
/// octets a list and a data record for each group, each behind its magic number and size; the trailer has
/// 128.
std::vector<std::uint32_t> data_sizes(const std::filesystem::path& container) {
  constexpr std::size_t header_bytes = 256;
  constexpr std::size_t trailer_bytes = 128;
  constexpr std::size_t head_bytes = 8;
  const std::string bytes = test::bytes_of(container);
  std::vector<std::uint32_t> sizes;
  bool is_data = false;
  for (std::size_t place = header_bytes; place + trailer_bytes < bytes.size(); is_data = !is_data) {
    const std::uint32_t size = number_at(bytes, place + 4);
    if (is_data) sizes.push_back(size);
    place += head_bytes + size;
  }
  return sizes;
}

std::vector<std::uint32_t> sizes_of_full(const test::TempFolder& folder, const std::string& name,
                                         std::byte octet) {
  const BackupKey key = test::key_of_file(octet);
  const Repository repository = Repository::open_or_create(folder / name);
  const Manifest full = create_backup(folder / "app.db", repository, {.key = &key}, system_clock());
  return data_sizes(repository.folder_of(full.id) / full.file.name);
}

}  // namespace

TEST_CASE(
    "the sizes of sealed records show where two fulls differ, and that two are alike, though the keys "
    "differ") {
  const test::TempFolder folder;
  test::make_database(folder / "app.db", 4000, "delete", 400);
  const std::vector<std::uint32_t> before = sizes_of_full(folder, "one", std::byte{1});
  const std::vector<std::uint32_t> alike = sizes_of_full(folder, "two", std::byte{2});
  test::PlainSqlite(folder / "app.db").run("UPDATE events SET body = 'salary raised' WHERE id = 3000");
  const std::vector<std::uint32_t> after = sizes_of_full(folder, "three", std::byte{3});
  REQUIRE(before.size() >= 8);
  CHECK(alike == before);
  REQUIRE(after.size() == before.size());
  std::size_t differing = 0;
  for (std::size_t index = 0; index < before.size(); ++index)
    differing += before[index] != after[index] ? 1U : 0U;
  // The page of the row, and the first one of the file, which counts the changes.
  CHECK(differing >= 1);
  CHECK(differing <= 2);
}
