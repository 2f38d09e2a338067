// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/progress.h"

#include "environment_variable.h"
#include "memory_stream.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace nerve {

namespace {

using namespace std::chrono_literals;
using SteadyTime = Progress::SteadyTime;

SteadyTime test_time;
SteadyTime now_of_test() {
  return test_time;
}

Progress::Options options_of(Progress::Unit unit, bool terminal) {
  test_time = SteadyTime() + 1h;
  return {.unit = unit, .enabled = true, .terminal = terminal, .now = &now_of_test};
}

}  // namespace

TEST_CASE("on a terminal one line shows percent, rate and time left") {
  const test::MemoryStream stream;
  Progress progress(stream.stream(), options_of(Progress::Unit::bytes, true));
  progress.update("copying", 0, 4 * 1024 * 1024);
  CHECK(stream.text().empty());
  test_time += 1s;
  progress.update("copying", 1024 * 1024, 4 * 1024 * 1024);
  CHECK(stream.text() == "\r\x1b[Kcopying: 25.0 % of 4.0 MiB, 1.0 MiB/s, 3 s left");
}

TEST_CASE("what else is done stands behind the amount, until another phase begins") {
  const test::MemoryStream stream;
  Progress progress(stream.stream(), options_of(Progress::Unit::items, true));
  progress.update("loading", 0, 40);
  progress.detail("3 of 12 indexes");
  test_time += 1s;
  progress.update("loading", 10, 40);
  CHECK(stream.text() == "\r\x1b[Kloading: 25.0 % of 40, 3 of 12 indexes, 10/s, 3 s left");
  test_time += 1s;
  progress.update("comparing", 0, 40);
  CHECK(stream.text().ends_with("\r\x1b[Kcomparing: 0.0 % of 40"));
}

TEST_CASE("on a terminal the line is redrawn ten times a second at most and cleared at the end") {
  const test::MemoryStream stream;
  {
    Progress progress(stream.stream(), options_of(Progress::Unit::items, true));
    for (std::uint64_t done = 1; done <= 1000; ++done) {
      test_time += 1ms;
      progress.update(done % 2 == 0 ? "even" : "odd", done, 1000);
    }
  }
  const std::string shown = stream.text();
  // Ten draws and the clearing.
  CHECK(std::count(shown.begin(), shown.end(), '\r') == 11);
  CHECK(std::count(shown.begin(), shown.end(), '\n') == 0);
  CHECK(shown.ends_with("\r\x1b[K"));
}

TEST_CASE("elsewhere there is one line in five seconds and nothing to clear") {
  const test::MemoryStream stream;
  {
    Progress progress(stream.stream(), options_of(Progress::Unit::items, false));
    for (std::uint64_t done = 1; done <= 120; ++done) {
      test_time += 100ms;
      progress.update("checking", done, 0);
    }
  }
  CHECK(stream.text() == "checking: 50, 10/s\nchecking: 100, 10/s\n");
}

TEST_CASE("all is done only when it is") {
  const test::MemoryStream stream;
  Progress progress(stream.stream(), options_of(Progress::Unit::items, false));
  test_time += 5s;
  progress.update("checking", 999'999, 1'000'000);
  CHECK(stream.text() == "checking: 99.9 % of 1,000,000\n");
  test_time += 5s;
  progress.update("checking", 1'000'000, 1'000'000);
  CHECK(stream.text().ends_with("checking: 100.0 % of 1,000,000, 0/s\n"));
}

TEST_CASE("the rate of a phase does not count what an earlier one did") {
  const test::MemoryStream stream;
  Progress progress(stream.stream(), options_of(Progress::Unit::items, false));
  progress.update("first", 1'000'000, 0);
  progress.update("second", 1000, 2000);
  test_time += 5s;
  progress.update("second", 1500, 2000);
  CHECK(stream.text() == "second: 75.0 % of 2,000, 100/s, 5 s left\n");
}

TEST_CASE("when it is not enabled nothing is shown") {
  const test::MemoryStream stream;
  Progress::Options options = options_of(Progress::Unit::items, true);
  options.enabled = false;
  {
    Progress progress(stream.stream(), options);
    for (std::uint64_t done = 0; done < 100; ++done) {
      test_time += 1s;
      progress.update("checking", done, 100);
    }
  }
  CHECK(stream.text().empty());
}

TEST_CASE("a line is never wider than the terminal, whatever its phase is called") {
  const test::EnvironmentVariable columns("COLUMNS", "20");
  const test::MemoryStream stream;
  Progress progress(stream.stream(), options_of(Progress::Unit::items, true));
  test_time += 1s;
  progress.update("a phase\x1b[31m with a very long name", 1, 2);
  CHECK(stream.text() == "\r\x1b[Ka phase\\x1b[31m wi\xe2\x80\xa6");
}

TEST_CASE("counts that go backwards or beyond the total do no harm") {
  const test::MemoryStream stream;
  Progress progress(stream.stream(), options_of(Progress::Unit::items, false));
  progress.update("checking", 100, 200);
  test_time += 5s;
  progress.update("checking", 50, 200);
  test_time += 5s;
  progress.update("checking", 300, 200);
  CHECK(stream.text() == "checking: 25.0 % of 200\nchecking: 100.0 % of 200, 20/s\n");
}

}  // namespace nerve
