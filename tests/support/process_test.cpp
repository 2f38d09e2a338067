// SPDX-License-Identifier: Apache-2.0
#include "support/process.h"

#include "support/temp_folder.h"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

using namespace std::chrono_literals;
using nerve::test::Process;
using nerve::test::ProcessResult;
using nerve::test::run_process;
using nerve::test::TempFolder;

TEST_CASE("a process's output, errors and exit code are told apart") {
  const ProcessResult result = run_process({"/bin/sh", "-c", "printf out; printf err >&2; exit 7"});
  CHECK(result.exit_code == 7);
  CHECK(result.signal == 0);
  CHECK(result.out == "out");
  CHECK(result.err == "err");
}

TEST_CASE("a process that writes more than a pipe holds to both streams does not stand still") {
  const ProcessResult result =
      run_process({"/bin/sh", "-c", "head -c 1000000 /dev/zero >&2; head -c 2000000 /dev/zero"});
  CHECK(result.out.size() == 2'000'000);
  CHECK(result.err.size() == 1'000'000);
}

TEST_CASE("a process gets its input, folder and environment") {
  const TempFolder folder;
  const ProcessResult result = run_process(
      {"/bin/sh", "-c", "cat; pwd; echo \"$SET ${HOME-unset}\""},
      {.env = {{"SET", "value"}, {"HOME", std::nullopt}}, .cwd = folder.path(), .stdin_text = "input\n"});
  CHECK(result.out == "input\n" + std::filesystem::canonical(folder.path()).string() + "\nvalue unset\n");
}

TEST_CASE("a process can be killed in the middle of its work") {
  Process process({"/bin/sh", "-c", "echo begun; sleep 60"});
  const ProcessResult result = process.kill_after(500ms);
  CHECK(result.signal == SIGKILL);
  CHECK(result.exit_code == -1);
  CHECK(result.out == "begun\n");
}

TEST_CASE("a process that ends before it would be killed ends by itself") {
  Process process({"/bin/true"});
  const ProcessResult result = process.kill_after(30s);
  CHECK(result.signal == 0);
  CHECK(result.exit_code == 0);
}

TEST_CASE("a process that lasts longer than its timeout fails the test") {
  CHECK_THROWS_AS(
      run_process({"/bin/sleep", "60"}, {.env = {}, .cwd = {}, .stdin_text = {}, .timeout = 100ms}),
      std::runtime_error);
}

TEST_CASE("a program that does not exist is an error of the start") {
  CHECK_THROWS_AS(run_process({"/nonexistent/program"}), std::system_error);
}

TEST_CASE("a temporary folder is private and removed with what it holds") {
  std::filesystem::path path;
  {
    const TempFolder folder;
    path = folder.path();
    CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms(0077)) ==
          std::filesystem::perms::none);
    std::filesystem::create_directories(folder / "inner");
  }
  CHECK_FALSE(std::filesystem::exists(path));
}
