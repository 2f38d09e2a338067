// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/update_file.h"

#include "support/file_bytes.h"
#include "support/temp_folder.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace nerve {

namespace {

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

}  // namespace

TEST_CASE("a file that is updated gets its mode whatever the umask, and nothing else is left") {
  const test::TempFolder folder;
  const auto path = folder / "metrics.prom";
  const mode_t before = ::umask(077);
  update_file(path, {.mode = 0644}, [](const std::optional<std::string>& text) {
    CHECK_FALSE(text);
    return std::string("one\n");
  });
  ::umask(before);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0644);
  update_file(path, {.mode = 0644}, [](const std::optional<std::string>& text) { return *text + "two\n"; });
  CHECK(test::bytes_of(path) == "one\ntwo\n");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("updates at once lose nothing of each other") {
  const test::TempFolder folder;
  const auto path = folder / "counter";
  constexpr int threads_max = 6;
  constexpr int rounds = 20;
  std::vector<std::thread> threads;
  threads.reserve(threads_max);
  for (int index = 0; index < threads_max; ++index) {
    threads.emplace_back([&path] {
      for (int round = 0; round < rounds; ++round) {
        update_file(path, {}, [](const std::optional<std::string>& text) {
          return std::to_string((text ? std::stoi(*text) : 0) + 1);
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(test::bytes_of(path) == std::to_string(threads_max * rounds));
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("an update that fails leaves the old file, and one that changes nothing does not write") {
  const test::TempFolder folder;
  const auto path = folder / "kept";
  std::ofstream(path) << "old";
  CHECK_THROWS_AS(
      update_file(path, {},
                  [](const std::optional<std::string>&) -> std::string { throw std::runtime_error("no"); }),
      std::runtime_error);
  CHECK(test::bytes_of(path) == "old");
  struct stat before {};
  REQUIRE(::stat(path.c_str(), &before) == 0);
  update_file(path, {}, [](const std::optional<std::string>& text) { return *text; });
  struct stat after {};
  REQUIRE(::stat(path.c_str(), &after) == 0);
  CHECK(before.st_ino == after.st_ino);
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a missing folder and a file that is too large are errors with the caller's hint") {
  const test::TempFolder folder;
  const auto keep = [](const std::optional<std::string>& text) { return text.value_or("x"); };
  CHECK_THROWS_AS(update_file(folder / "missing" / "file", {}, keep), NotFoundError);
  const auto path = folder / "large";
  std::ofstream(path) << std::string(100, 'x');
  try {
    update_file(path, {.size_bytes_max = 10, .hint = "Take another file."}, keep);
    FAIL("it was not refused");
  } catch (const IntegrityError& error) {
    CHECK(error.hint() == "Take another file.");
  }
}

}  // namespace nerve
