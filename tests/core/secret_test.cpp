// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/secret.h"

#include "environment_variable.h"
#include "support/temp_folder.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <ostream>
#include <sstream>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

namespace nerve {

namespace {

template <class T>
concept Printable = requires(std::ostream& stream, const T& value) {
  stream << value;
};

static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret>);
static_assert(!Printable<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);

std::filesystem::path file_with(const test::TempFolder& folder, const std::string& content,
                                mode_t mode = 0600) {
  auto path = folder / "secret";
  // A file of another mode may not be writable.
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << content;
  REQUIRE(chmod(path.c_str(), mode) == 0);
  return path;
}

/// Writes `content` into a pipe from another thread and reads it as a secret.
Secret through_pipe(const std::string& content) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  std::thread writer([&content, end = ends[1]] {
    std::size_t written = 0;
    while (written < content.size()) {
      const ssize_t count = write(end, content.data() + written, content.size() - written);
      if (count <= 0) break;
      written += static_cast<std::size_t>(count);
    }
    close(end);
  });
  struct Join {
    std::thread& thread;
    int end;
    ~Join() {
      close(end);
      thread.join();
    }
  } join{writer, ends[0]};
  return Secret::from_descriptor(ends[0]);
}

/// The VmFlags of the mapping that holds `address`, as proc(5) describes them.
std::string flags_of_mapping(const void* address) {
  std::ifstream smaps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    std::istringstream words(line);
    std::uintptr_t first = 0;
    std::uintptr_t last = 0;
    char dash = 0;
    if (words >> std::hex >> first >> dash >> last && dash == '-') {
      const auto wanted = reinterpret_cast<std::uintptr_t>(address);
      inside = wanted >= first && wanted < last;
    } else if (inside && line.starts_with("VmFlags:")) {
      return line + " ";
    }
  }
  return {};
}

}  // namespace

TEST_CASE("a secret holds a copy of the bytes") {
  const Secret secret = Secret::copy_of(as_bytes("hunter2"));
  CHECK(secret.reveal_text() == "hunter2");
  CHECK(secret.size() == 7);
  CHECK(std::ranges::equal(secret.reveal(), as_bytes("hunter2")));
}

TEST_CASE("a moved-from secret is empty") {
  Secret first = Secret::copy_of(as_bytes("one"));
  Secret second = std::move(first);
  CHECK(first.empty());  // NOLINT(bugprone-use-after-move)
  CHECK(first.reveal().data() == nullptr);
  CHECK_FALSE(first.locked());
  CHECK(second.reveal_text() == "one");
  Secret third = Secret::copy_of(as_bytes("two"));
  third = std::move(second);
  CHECK(second.empty());  // NOLINT(bugprone-use-after-move)
  CHECK(third.reveal_text() == "one");
  Secret& itself = third;
  third = std::move(itself);
  CHECK(third.reveal_text() == "one");
}

TEST_CASE("a secret made to be filled begins as zeros and can be written") {
  Secret secret(3);
  CHECK(std::ranges::all_of(secret.reveal(), [](std::byte byte) { return byte == std::byte{0}; }));
  secret.writable()[0] = std::byte{'x'};
  CHECK(secret.reveal_text() == std::string_view("x\0\0", 3));
  CHECK(Secret().empty());
  CHECK(Secret(0).empty());
}

TEST_CASE("its pages stay out of core dumps, and are locked when locked() says so") {
  const Secret secret = Secret::copy_of(as_bytes("hunter2"));
  const std::string flags = flags_of_mapping(secret.reveal().data());
  REQUIRE_FALSE(flags.empty());
  CHECK(flags.find(" dd ") != std::string::npos);
#ifndef __SANITIZE_ADDRESS__  // AddressSanitizer replaces mlock(2) by a function that does nothing and
                              // reports success.
  CHECK((flags.find(" lo ") != std::string::npos) == secret.locked());
#endif
}

TEST_CASE("a destroyed secret gives its pages back") {
  const void* address = nullptr;
  {
    const Secret secret = Secret::copy_of(as_bytes("hunter2"));
    address = secret.reveal().data();
    REQUIRE_FALSE(flags_of_mapping(address).empty());
  }
  CHECK(flags_of_mapping(address).find(" dd ") == std::string::npos);
}

TEST_CASE("a file's content is the secret, less one newline") {
  const test::TempFolder folder;
  CHECK(Secret::from_file(file_with(folder, "hunter2")).reveal_text() == "hunter2");
  CHECK(Secret::from_file(file_with(folder, "hunter2\n")).reveal_text() == "hunter2");
  CHECK(Secret::from_file(file_with(folder, "hunter2\n\n")).reveal_text() == "hunter2\n");
  CHECK(Secret::from_file(file_with(folder, "hunter2\r\n")).reveal_text() == "hunter2\r");
  CHECK(Secret::from_file(file_with(folder, " two\nlines ", 0400)).reveal_text() == " two\nlines ");
  CHECK(Secret::from_file(file_with(folder, std::string("\0\xff", 2))).reveal_text() ==
        std::string_view("\0\xff", 2));
}

TEST_CASE("a file that group or others may touch is refused with the command that mends it") {
  const test::TempFolder folder;
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0644U, 0777U}) {
    const auto path = file_with(folder, "hunter2", mode);
    try {
      static_cast<void>(Secret::from_file(path));
      FAIL("it was read");
    } catch (const DeniedError& error) {
      CHECK(error.hint() == "Run: chmod 600 '" + path.string() + "'");
      CHECK(std::string(error.what()).find("hunter2") == std::string::npos);
    }
  }
}

TEST_CASE("a file that is missing, empty, too long or no regular file is refused") {
  const test::TempFolder folder;
  CHECK_THROWS_AS(Secret::from_file(folder / "missing"), NotFoundError);
  CHECK_THROWS_AS(Secret::from_file(folder.path()), ValidationError);
  CHECK_THROWS_AS(Secret::from_file(file_with(folder, "")), ValidationError);
  CHECK_THROWS_AS(Secret::from_file(file_with(folder, "\n")), ValidationError);
  const auto pipe = folder / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_THROWS_AS(Secret::from_file(pipe), ValidationError);
}

TEST_CASE("a secret of 64 KiB is read whole and one byte more is refused") {
  const test::TempFolder folder;
  const std::string longest(std::size_t{64} * 1024, 's');
  CHECK(Secret::from_file(file_with(folder, longest)).reveal_text() == longest);
  CHECK(Secret::from_file(file_with(folder, longest + "\n")).reveal_text() == longest);
  CHECK_THROWS_AS(Secret::from_file(file_with(folder, longest + "s")), ValidationError);
  CHECK_THROWS_AS(Secret::from_file(file_with(folder, longest + "s\n")), ValidationError);
  CHECK_THROWS_AS(Secret::copy_of(as_bytes(longest + "s")), ValidationError);
  CHECK_THROWS_AS(Secret::copy_of({}), ValidationError);
}

TEST_CASE("what a descriptor gives up to its end is the secret") {
  CHECK(through_pipe("hunter2\n").reveal_text() == "hunter2");
  const std::string longest(std::size_t{64} * 1024, 's');
  CHECK(through_pipe(longest).reveal_text() == longest);
  CHECK_THROWS_AS(through_pipe(""), ValidationError);
  CHECK_THROWS_AS(Secret::from_descriptor(-1), Error);
}

TEST_CASE("a secret in the environment is taken out of it") {
  const test::EnvironmentVariable variable("NERVE_TEST_SECRET", "hunter2");
  const char* const place = std::getenv("NERVE_TEST_SECRET");
  const auto secret = Secret::from_environment("NERVE_TEST_SECRET");
  REQUIRE(secret.has_value());
  CHECK(secret->reveal_text() == "hunter2");
  CHECK(std::getenv("NERVE_TEST_SECRET") == nullptr);
  // The C library does not give back what setenv() made, so the place can still be looked at.
  CHECK(std::all_of(place, place + 7, [](char character) { return character == '\0'; }));
}

TEST_CASE("a variable that is not set is no secret, and an empty one is an error") {
  const test::EnvironmentVariable unset("NERVE_TEST_SECRET", std::nullopt);
  CHECK_FALSE(Secret::from_environment("NERVE_TEST_SECRET").has_value());
  const test::EnvironmentVariable empty("NERVE_TEST_SECRET", "");
  CHECK_THROWS_AS(Secret::from_environment("NERVE_TEST_SECRET"), ValidationError);
}

}  // namespace nerve
