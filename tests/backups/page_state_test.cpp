// SPDX-License-Identifier: Apache-2.0
// The hashes of all pages, written to a file and read again: the file proves itself or does not count.
#include "container/page_state.h"

#include "support/file_bytes.h"
#include "support/temp_folder.h"

#include "nerve/core/bytes.h"
#include "nerve/core/random.h"
#include "nerve/crypto/hash.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

namespace {

using nerve::as_bytes;
using nerve::backups::PageHash;
using nerve::backups::PageState;
using nerve::test::bytes_of;
using nerve::test::TempFolder;

/// More than are read in one step.
constexpr std::uint32_t pages = 10'000;

/// A state of random hashes and the octets of these.
struct PageStateScene {
  PageStateScene() {
    std::vector<PageHash> hashes(pages);
    nerve::SeededRandom random(20);
    for (PageHash& hash : hashes) random.fill(hash);
    std::vector<std::uint32_t> numbers(pages);
    std::iota(numbers.begin(), numbers.end(), 1);
    state.resize(pages);
    state.set(numbers, hashes);
    for (const PageHash& hash : hashes) octets += nerve::as_text(hash);
  }
  nerve::crypto::Sha256Digest digest() const { return nerve::crypto::sha256(as_bytes(octets)); }
  std::optional<PageState> load(std::uint32_t page_count = pages) const {
    return PageState::load(cache, page_count, digest(), folder.path());
  }

  TempFolder folder;
  std::filesystem::path cache = folder / "hashes";
  PageState state{folder.path()};
  std::string octets;
};

}  // namespace

TEST_CASE("a page state is saved as its hashes one after the other, for its owner alone, and loaded again") {
  const PageStateScene scene;
  scene.state.save(scene.cache);
  CHECK(bytes_of(scene.cache) == scene.octets);
  struct stat status {};
  REQUIRE(::stat(scene.cache.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0600);
  const std::optional<PageState> loaded = scene.load();
  REQUIRE(loaded);
  CHECK(loaded->page_count() == pages);
  CHECK(loaded->digest() == scene.digest());
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(scene.folder.path())) ++files;
  CHECK(files == 1);
}

TEST_CASE("a page state takes the place of the one that was saved before, also of a link to elsewhere") {
  const PageStateScene scene;
  std::ofstream(scene.folder / "other") << "of somebody else";
  std::filesystem::create_symlink(scene.folder / "other", scene.cache);
  scene.state.save(scene.cache);
  CHECK(bytes_of(scene.folder / "other") == "of somebody else");
  CHECK_FALSE(std::filesystem::is_symlink(scene.cache));
  CHECK(scene.load());
}

TEST_CASE("a saved page state that is not the one expected is as good as none") {
  const PageStateScene scene;
  scene.state.save(scene.cache);
  REQUIRE(scene.load());
  std::uint32_t page_count = pages;
  SUBCASE("it is gone") {
    std::filesystem::remove(scene.cache);
  }
  SUBCASE("one bit of it was changed") {
    std::fstream file(scene.cache, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(scene.octets.size() / 2));
    file.put(static_cast<char>(scene.octets[scene.octets.size() / 2] ^ 1));
  }
  SUBCASE("it was cut off") {
    std::filesystem::resize_file(scene.cache, scene.octets.size() - 16);
  }
  SUBCASE("it is longer") {
    std::filesystem::resize_file(scene.cache, scene.octets.size() + 1);
  }
  SUBCASE("the database has another size") {
    page_count = pages - 1;
  }
  SUBCASE("a link leads to it") {
    std::filesystem::rename(scene.cache, scene.folder / "elsewhere");
    std::filesystem::create_symlink(scene.folder / "elsewhere", scene.cache);
  }
  SUBCASE("a FIFO stands in its place, for which nobody waits") {
    std::filesystem::remove(scene.cache);
    REQUIRE(::mkfifo(scene.cache.c_str(), 0600) == 0);
  }
  SUBCASE("a folder stands in its place") {
    std::filesystem::remove(scene.cache);
    std::filesystem::create_directory(scene.cache);
  }
  CHECK_FALSE(scene.load(page_count));
}

TEST_CASE("a loaded page state does not follow what is done to its file, and a copy is one of its own") {
  const PageStateScene scene;
  scene.state.save(scene.cache);
  std::optional<PageState> loaded = scene.load();
  REQUIRE(loaded);
  std::ofstream(scene.cache, std::ios::trunc) << "gone";
  const PageState copied = loaded->copy();
  loaded->resize(1);
  CHECK(loaded->digest() == nerve::crypto::sha256(as_bytes(scene.octets.substr(0, 16))));
  CHECK(copied.digest() == scene.digest());
}

TEST_CASE("the state of a database without pages is a file without bytes") {
  const TempFolder folder;
  const PageState state(folder.path());
  state.save(folder / "hashes");
  CHECK(std::filesystem::file_size(folder / "hashes") == 0);
  CHECK(PageState::load(folder / "hashes", 0, nerve::crypto::sha256({}), folder.path()));
}
