// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/text.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace nerve {

using std::chrono::nanoseconds;

TEST_CASE("sizes are shown in binary units with one decimal") {
  CHECK(format_size(0) == "0 B");
  CHECK(format_size(1023) == "1023 B");
  CHECK(format_size(1024) == "1.0 KiB");
  CHECK(format_size(1'572'864) == "1.5 MiB");
  CHECK(format_size(std::numeric_limits<std::uint64_t>::max()) == "16.0 EiB");
}

TEST_CASE("a size that rounds up to 1024 is shown in the next unit") {
  CHECK(format_size(1'048'575) == "1.0 MiB");
  CHECK(format_size(1'048'000) == "1023.4 KiB");
}

TEST_CASE("counts have a comma before each group of three digits") {
  CHECK(format_count(0) == "0");
  CHECK(format_count(999) == "999");
  CHECK(format_count(1000) == "1,000");
  CHECK(format_count(1'234'567) == "1,234,567");
  CHECK(format_count(-999) == "-999");
  CHECK(format_count(-100'000) == "-100,000");
  CHECK(format_count(std::numeric_limits<std::int64_t>::min()) == "-9,223,372,036,854,775,808");
}

TEST_CASE("durations are shown in the unit that fits them") {
  using namespace std::chrono_literals;
  CHECK(format_duration(0ns) == "0 ns");
  CHECK(format_duration(850ns) == "850 ns");
  CHECK(format_duration(3400ns) == "3.4 \xc2\xb5s");
  CHECK(format_duration(12us) == "12 \xc2\xb5s");
  CHECK(format_duration(3400us) == "3.4 ms");
  CHECK(format_duration(120ms) == "120 ms");
  CHECK(format_duration(1500ms) == "1.5 s");
  CHECK(format_duration(125s) == "2 min 5 s");
  CHECK(format_duration(1h + 3min) == "1 h 3 min");
  CHECK(format_duration(52h) == "2 d 4 h");
  CHECK(format_duration(24h) == "1 d");
  CHECK(format_duration(-1500ms) == "-1.5 s");
  CHECK(format_duration(nanoseconds::min()) == "-106752 d");
}

TEST_CASE("a duration that rounds up to the next unit is shown in it") {
  using namespace std::chrono_literals;
  CHECK(format_duration(999'999us) == "1.0 s");
  CHECK(format_duration(59'990ms) == "1 min");
  CHECK(format_duration(3599s + 700ms) == "1 h");
  CHECK(format_duration(24h - 1s) == "1 d");
}

TEST_CASE("a list of names ends with the number of those that are not named") {
  const std::vector<std::string> names = {"a", "b", "c"};
  CHECK(list_names(names) == "a, b, c");
  CHECK(list_names(names, 3) == "a, b, c");
  CHECK(list_names(names, 1) == "a and 2 more");
  CHECK(list_names({}).empty());
}

}  // namespace nerve
