// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/time.h"

#include "nerve/core/clock.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>
#include <string>

namespace nerve {

namespace {

std::int64_t parsed_us(std::string_view text) {
  return Timestamp::parse(text).microseconds();
}

/// Sets the zone of the process for one test.
class Zone {
 public:
  explicit Zone(const char* zone) {
    setenv("TZ", zone, 1);
    tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;
  ~Zone() {
    unsetenv("TZ");
    tzset();
  }
};

}  // namespace

TEST_CASE("the examples of RFC 3339 are read as the moments they name") {
  // RFC 3339 §5.8; the seconds are what `date -u -d TEXT +%s` says.
  CHECK(parsed_us("1985-04-12T23:20:50.52Z") == 482'196'050'520'000);
  CHECK(parsed_us("1996-12-19T16:39:57-08:00") == 851'042'397'000'000);
  CHECK(parsed_us("1937-01-01T12:00:27.87+00:20") == -1'041'337'172'130'000);
}

TEST_CASE("separators, zones and fractions of every permitted form are read") {
  constexpr std::int64_t noon_us = 1'772'366'400'000'000;  // date -u -d 2026-03-01T12:00:00Z +%s
  for (const char* text :
       {"2026-03-01T12:00:00Z", "2026-03-01 12:00:00Z", "2026-03-01t12:00:00z", "2026-03-01 12:00:00+00",
        "2026-03-01T12:00:00+00:00", "2026-03-01T12:00:00-00:00", "2026-03-01T13:00:00+01",
        "2026-03-01T17:30:00+05:30", "2026-03-01T02:15:00-09:45", "2026-03-02T11:59:00+23:59",
        "2026-03-01T12:00:00.0Z", "2026-03-01T12:00:00.000000+00"}) {
    CAPTURE(text);
    CHECK(parsed_us(text) == noon_us);
  }
  CHECK(parsed_us("2026-03-01T12:00:00.1Z") == noon_us + 100'000);
  CHECK(parsed_us("2026-03-01T12:00:00.000001Z") == noon_us + 1);
  CHECK(parsed_us("2026-03-01T12:00:00.120034Z") == noon_us + 120'034);
}

TEST_CASE("what is not RFC 3339 or not in the calendar is refused") {
  for (const char* text : {"",
                           "2026",
                           "2026-03-01",
                           "2026-03-01T12:00:00",
                           "2026-03-01T12:00Z",
                           "2026-3-01T12:00:00Z",
                           "2026-03-01_12:00:00Z",
                           "2026-03-01T12:00:00.Z",
                           "2026-03-01T12:00:00.1234567Z",
                           "2026-03-01T12:00:00,5Z",
                           "2026-03-01T12:00:00Z ",
                           " 2026-03-01T12:00:00Z",
                           "2026-03-01T12:00:00+1",
                           "2026-03-01T12:00:00+01:",
                           "2026-03-01T12:00:00+0100",
                           "2026-03-01T12:00:00+24:00",
                           "2026-03-01T12:00:00+01:60",
                           "2026-03-01T24:00:00Z",
                           "2026-03-01T12:60:00Z",
                           "1990-12-31T23:59:60Z",
                           "2026-00-01T12:00:00Z",
                           "2026-13-01T12:00:00Z",
                           "2026-04-31T12:00:00Z",
                           "2026-01-00T12:00:00Z",
                           "2026-02-29T12:00:00Z",
                           "1900-02-29T12:00:00Z",
                           "+2026-03-01T12:00:00Z",
                           "-001-03-01T12:00:00Z",
                           "2026-03-01T12:00:00 Z",
                           "0044-03-15 12:00:00+00 BC"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(Timestamp::parse(text), ValidationError);
  }
}

TEST_CASE("leap days exist where the Gregorian calendar has them") {
  CHECK(parsed_us("2024-02-29T00:00:00Z") == 1'709'164'800'000'000);  // date -u -d 2024-02-29 +%s
  CHECK(parsed_us("2000-02-29T00:00:00Z") == 951'782'400'000'000);
}

TEST_CASE("a refused timestamp does not show in its error") {
  try {
    Timestamp::parse("geheim-2026");
    FAIL("it was read");
  } catch (const ValidationError& error) {
    CHECK(std::string(error.what()).find("geheim") == std::string::npos);
    CHECK(error.hint().find("geheim") == std::string::npos);
  }
}

TEST_CASE("the text has 27 characters in every year from 0000 to 9999") {
  CHECK(Timestamp().to_text() == "1970-01-01T00:00:00.000000Z");
  CHECK(Timestamp::from_microseconds(Timestamp::min_us).to_text() == "0000-01-01T00:00:00.000000Z");
  CHECK(Timestamp::from_microseconds(Timestamp::max_us).to_text() == "9999-12-31T23:59:59.999999Z");
  CHECK(Timestamp::from_microseconds(-1).to_text() == "1969-12-31T23:59:59.999999Z");
  CHECK(Timestamp::from_microseconds(482'196'050'520'000).to_text() == "1985-04-12T23:20:50.520000Z");
}

TEST_CASE("every text reads back as the moment it came from") {
  // Steps of a prime number of microseconds go through all parts of a date.
  constexpr std::int64_t step_us = 86'028'121'000'000'003;
  for (std::int64_t us = Timestamp::min_us; us <= Timestamp::max_us; us += step_us / 97) {
    const std::string text = Timestamp::from_microseconds(us).to_text();
    REQUIRE(text.size() == 27);
    REQUIRE(parsed_us(text) == us);
  }
}

TEST_CASE("a moment outside the years 0000 to 9999 cannot be made") {
  const auto first = Timestamp::from_microseconds(Timestamp::min_us);
  const auto last = Timestamp::from_microseconds(Timestamp::max_us);
  CHECK_THROWS_AS(Timestamp::from_microseconds(Timestamp::max_us + 1), ValidationError);
  CHECK_THROWS_AS(Timestamp::from_microseconds(Timestamp::min_us - 1), ValidationError);
  CHECK_THROWS_AS(last + std::chrono::microseconds(1), ValidationError);
  CHECK_THROWS_AS(first - std::chrono::microseconds(1), ValidationError);
  CHECK_THROWS_AS(last + std::chrono::microseconds::max(), ValidationError);
  CHECK_THROWS_AS(first - std::chrono::microseconds::max(), ValidationError);
  CHECK_THROWS_AS(first - std::chrono::microseconds::min(), ValidationError);
  CHECK_THROWS_AS(Timestamp::parse("0000-01-01T00:00:00+00:01"), ValidationError);
  CHECK_THROWS_AS(Timestamp::parse("9999-12-31T23:59:59-00:01"), ValidationError);
}

TEST_CASE("spans are added, taken away and measured") {
  const auto start = Timestamp::parse("2024-02-28T23:59:59.999999Z");
  CHECK((start + std::chrono::microseconds(1)).to_text() == "2024-02-29T00:00:00.000000Z");
  CHECK((start - std::chrono::hours(24)).to_text() == "2024-02-27T23:59:59.999999Z");
  CHECK((start + std::chrono::seconds(2)) - start == std::chrono::seconds(2));
  CHECK(start < start + std::chrono::microseconds(1));
}

TEST_CASE("the text for people is in the zone of the process unless UTC is asked for") {
  const auto summer = Timestamp::parse("2026-07-01T22:30:15.999999Z");
  const Zone zone("<+0530>-5:30");
  CHECK(summer.to_local_text(false) == "2026-07-02 04:00:15+05:30");
  CHECK(summer.to_local_text(true) == "2026-07-01 22:30:15Z");
  CHECK(Timestamp::parse(summer.to_local_text(false)) == Timestamp::parse("2026-07-01T22:30:15Z"));
}

TEST_CASE("the text for people knows summer time and zones west of Greenwich") {
  const Zone zone("EST5EDT,M3.2.0,M11.1.0");
  CHECK(Timestamp::parse("2026-07-01T12:00:00Z").to_local_text(false) == "2026-07-01 08:00:00-04:00");
  CHECK(Timestamp::parse("2026-12-01T12:00:00Z").to_local_text(false) == "2026-12-01 07:00:00-05:00");
}

TEST_CASE("the text for people stays within four digits of a year at both ends") {
  const Zone zone("<+01>-1");
  CHECK(Timestamp::from_microseconds(Timestamp::max_us).to_local_text(false) == "9999-12-31 23:59:59Z");
}

TEST_CASE("a manual clock says what it was told, backwards too") {
  ManualClock clock(Timestamp::parse("2026-01-01T00:00:00Z"));
  clock.advance(std::chrono::seconds(5));
  CHECK(clock.now() == Timestamp::parse("2026-01-01T00:00:05Z"));
  clock.advance(std::chrono::seconds(-10));
  CHECK(clock.now() == Timestamp::parse("2025-12-31T23:59:55Z"));
}

TEST_CASE("the system clock agrees with time(2)") {
  const std::int64_t before = std::time(nullptr);
  const std::int64_t now = system_clock().now().microseconds() / 1'000'000;
  CHECK(now >= before - 1);
  CHECK(now <= std::time(nullptr) + 1);
}

}  // namespace nerve
