// SPDX-License-Identifier: Apache-2.0
// Spans as options have them.
#include "nerve/core/text.h"

#include <doctest/doctest.h>

#include <chrono>

namespace nerve {

TEST_CASE("a span is a number with its unit, or a name") {
  using namespace std::chrono_literals;
  CHECK(parse_duration("90s") == 90s);
  CHECK(parse_duration("15m") == 15min);
  CHECK(parse_duration("12h") == 12h);
  CHECK(parse_duration("1d") == 24h);
  CHECK(parse_duration("2w") == 336h);
  CHECK(parse_duration("hourly") == 1h);
  CHECK(parse_duration("daily") == 24h);
  CHECK(parse_duration("weekly") == 168h);
  CHECK(parse_duration("3660d") == duration_max);
}

TEST_CASE("what is no span, nothing or too long is absent") {
  for (const char* text : {"",
                           "0",
                           "0m",
                           "1",
                           "1x",
                           "-1m",
                           "+1m",
                           " 1m",
                           "1m ",
                           "1 m",
                           "1mm",
                           "m",
                           "1.5h",
                           "1M",
                           "monthly",
                           "3661d",
                           "523w",
                           "9223372036854775807s",
                           "9223372036854775808s",
                           "99999999999999999999w"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("a span is written so that it is read back") {
  using namespace std::chrono_literals;
  CHECK(duration_word(45s) == "45s");
  CHECK(duration_word(90min) == "90m");
  CHECK(duration_word(6h) == "6h");
  CHECK(duration_word(168h) == "7d");
  for (const std::chrono::seconds span :
       {std::chrono::seconds(61s), std::chrono::seconds(60min), duration_max}) {
    CHECK(parse_duration(duration_word(span)) == span);
  }
}

}  // namespace nerve
