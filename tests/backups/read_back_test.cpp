// SPDX-License-Identifier: Apache-2.0
// What tells that a file is not what was written to it. That every writer asks is shown by
// tests/fault/flip_test.cpp.
#include "read_back.h"

#include "backups/container_scene.h"
#include "block_checksum.h"
#include "container_backup.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "written_parts.h"

#include "nerve/core/bytes.h"
#include "nerve/core/random.h"
#include "nerve/crypto/hash.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

using namespace nerve;
using namespace nerve::backups;
using test::ContainerScene;
using test::TempFolder;

namespace {

/// The message of the NotKeptError, empty where there is none.
template <class Work>
std::string complaint(Work work) {
  try {
    work();
  } catch (const NotKeptError& error) {
    CHECK(error.kind() == ErrorKind::integrity);
    CHECK_FALSE(error.hint().empty());
    return error.what();
  }
  return {};
}

void flip(const std::filesystem::path& path, std::streamoff place) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(place);
  const int octet = file.get();
  file.seekp(place);
  file.put(static_cast<char>(octet ^ 1));
}

/// A file with a database that Chain::restore() wrote.
struct RestoredFile {
  explicit RestoredFile(const Manifest& manifest, const ContainerScene& scene)
      : keyring(nullptr),
        chain(open_chain(scene.repository, manifest, keyring)),
        state(chain.state(scene.folder.path())),
        path(scene.folder / "staged"),
        file(open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600)) {
    chain.restore(file, path, "restoring", nullptr);
    sync_descriptor(file, path);
  }

  std::string complaint_of_it() const {
    return complaint([&] { compare_with_state(file, path, chain, state, nullptr); });
  }

  Keyring keyring;
  Chain chain;
  PageState state;
  std::filesystem::path path;
  Descriptor file;
};

}  // namespace

TEST_CASE("a checksum tells each flipped bit, each lost byte and exchanged words, at any length") {
  SeededRandom random(20260501);
  for (const std::size_t size : {1U, 7U, 31U, 32U, 33U, 100U, 4096U}) {
    CAPTURE(size);
    Bytes bytes(size);
    random.fill(bytes);
    const BlockChecksum before(bytes);
    CHECK(BlockChecksum(bytes) == before);
    for (std::size_t place = 0; place < size; ++place) {
      for (int bit = 0; bit < 8; ++bit) {
        bytes[place] ^= std::byte{1} << bit;
        CHECK_FALSE(BlockChecksum(bytes) == before);
        bytes[place] ^= std::byte{1} << bit;
      }
    }
    CHECK_FALSE(BlockChecksum(ByteView(bytes).first(size - 1)) == before);
    bytes.push_back(std::byte{0});
    CHECK_FALSE(BlockChecksum(bytes) == before);
  }
  Bytes words(128);
  random.fill(words);
  const BlockChecksum before(words);
  // Within a lane and across lanes.
  for (const std::size_t other : {8U, 32U, 96U}) {
    Bytes exchanged = words;
    std::swap_ranges(exchanged.begin(), exchanged.begin() + 8,
                     exchanged.begin() + static_cast<std::ptrdiff_t>(other));
    CHECK_FALSE(BlockChecksum(exchanged) == before);
  }
}

TEST_CASE("parts that are written are compared one by one, and the one that changed is named") {
  const TempFolder folder;
  const auto path = folder / "file";
  const std::vector<std::string> texts = {"the first part", "the second, longer part", "third"};
  std::ofstream(path) << texts[0] << texts[1] << texts[2];
  const auto complaint_of_parts = [&] {
    WrittenParts parts(path);
    for (const std::string& text : texts) parts.add(as_bytes(text));
    return complaint([&] { parts.compare(); });
  };
  CHECK(complaint_of_parts().empty());
  flip(path, static_cast<std::streamoff>(texts[0].size() + 3));
  CHECK(complaint_of_parts() ==
        path.string() +
            " (from byte 14 on) is not what was written: the device does not keep what it is given");
  std::filesystem::resize_file(path, 20);
  CHECK(complaint_of_parts().find("20 bytes instead of 42") != std::string::npos);
}

TEST_CASE("of a large file the parts are compared while it is written, on a disk and in memory") {
  constexpr std::size_t part_bytes = 700'001;
  constexpr int part_count = 70;
  constexpr int none = -1;
  for (const char* const place : {"/var/tmp", "/dev/shm"}) {
    CAPTURE(place);
    if (!std::filesystem::is_directory(place)) continue;
    const TempFolder folder{place};
    for (const int changed : {none, 0, 13, part_count - 1}) {
      CAPTURE(changed);
      const auto path = folder / "file";
      const Descriptor file = open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
      SeededRandom random(11);
      WrittenParts parts(path);
      for (int number = 0; number < part_count; ++number) {
        Bytes part(part_bytes);
        random.fill(part);
        write_bytes(file, part, path);
        parts.add(part);
        if (number == changed)
          flip(path, static_cast<std::streamoff>(static_cast<std::size_t>(number) * part_bytes + 5));
      }
      sync_descriptor(file, path);
      const std::string found = complaint([&] { parts.compare(); });
      if (changed == none) {
        CHECK(found.empty());
      } else {
        CHECK(found.find(fmt::format("(from byte {} on)", static_cast<std::size_t>(changed) * part_bytes)) !=
              std::string::npos);
      }
      std::filesystem::remove(path);
    }
    // Who gives up in the middle does not wait for the rest.
    const auto path = folder / "given up";
    const Descriptor file = open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    WrittenParts parts(path);
    for (int number = 0; number < part_count; ++number) {
      const Bytes part(part_bytes);
      write_bytes(file, part, path);
      parts.add(part);
    }
  }
}

TEST_CASE("a restored page that is not what the backup holds is named, also one that was left as a hole") {
  ContainerScene scene;
  test::PlainSqlite(scene.database)
      .run(
          "CREATE TABLE gone(a); INSERT INTO gone VALUES(randomblob(40960)); PRAGMA secure_delete = ON; "
          "DROP TABLE gone; PRAGMA wal_checkpoint(TRUNCATE)");
  scene.back_up();
  scene.change(3);
  const Manifest delta = scene.back_up();
  REQUIRE(delta.container->parent);
  const RestoredFile restored(delta, scene);
  CHECK(restored.complaint_of_it().empty());
  const std::string bytes = test::bytes_of(restored.path);
  constexpr std::size_t page_bytes = 4096;
  std::size_t holes = 0;
  for (std::size_t page = 0; page < bytes.size() / page_bytes; ++page) {
    CAPTURE(page);
    if (bytes.find_first_not_of('\0', page * page_bytes) >= (page + 1) * page_bytes) ++holes;
    const auto place = static_cast<std::streamoff>(page * page_bytes + page * 37 % page_bytes);
    flip(restored.path, place);
    CHECK(restored.complaint_of_it() ==
          fmt::format("page {} of {} is not what was written: the device does not keep what it is given",
                      page + 1, restored.path.string()));
    flip(restored.path, place);
  }
  CHECK(holes > 5);
  CHECK(restored.complaint_of_it().empty());
  std::filesystem::resize_file(restored.path, bytes.size() - page_bytes);
  CHECK_FALSE(restored.complaint_of_it().empty());
}

TEST_CASE("a restored plain copy is compared by its SHA-256") {
  const TempFolder folder;
  const auto path = folder / "file";
  std::ofstream(path) << std::string(3'000'000, 'x');
  const std::string digest = to_hex(crypto::sha256_file(path));
  const Descriptor file = open_file(path, O_RDWR);
  CHECK(complaint([&] { compare_with_sha256(file, path, digest, nullptr); }).empty());
  flip(path, 2'999'999);
  CHECK_FALSE(complaint([&] { compare_with_sha256(file, path, digest, nullptr); }).empty());
}
