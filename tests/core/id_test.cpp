// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/id.h"

#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/random.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <type_traits>
#include <unordered_set>
#include <vector>

namespace nerve {

namespace {

using UserId = Id<struct UserTag>;
using TenantId = Id<struct TenantTag>;
static_assert(!std::is_convertible_v<UserId, TenantId>);
static_assert(!std::is_convertible_v<Uuid, UserId>);

// RFC 9562 appendix A.6: a version 7 of Tuesday, February 22, 2022 2:22:22.00 PM GMT-05:00.
constexpr std::string_view rfc_version_7 = "017F22E2-79B0-7CC3-98C4-DC0C0C07398F";
constexpr std::string_view rfc_version_7_lower = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
// RFC 9562 appendix A.3.
constexpr std::string_view rfc_version_4 = "919108f7-52d1-4320-9bac-f847db4148a8";

class ConstantRandom final : public Random {
 public:
  explicit ConstantRandom(std::byte byte) : byte_(byte) {}
  void fill(std::span<std::byte> bytes) override { std::fill(bytes.begin(), bytes.end(), byte_); }

 private:
  std::byte byte_;
};

}  // namespace

TEST_CASE("the version 7 example of RFC 9562 is read in either case and written in lower case") {
  const Uuid uuid = Uuid::parse(rfc_version_7);
  CHECK(uuid.to_string() == rfc_version_7_lower);
  CHECK(uuid == Uuid::parse(rfc_version_7_lower));
  CHECK(uuid.version() == 7);
  CHECK(uuid.timestamp() == Timestamp::parse("2022-02-22T14:22:22.00-05:00"));
}

TEST_CASE("only a version 7 tells when it was made") {
  CHECK(Uuid::parse(rfc_version_4).version() == 4);
  CHECK_FALSE(Uuid::parse(rfc_version_4).timestamp().has_value());
  CHECK_FALSE(Uuid().timestamp().has_value());
  // 48 bits of milliseconds reach beyond the year 9999.
  CHECK_FALSE(Uuid::parse("ffffffff-ffff-7000-8000-000000000000").timestamp().has_value());
}

TEST_CASE("what is not 8-4-4-4-12 hexadecimal digits is refused and does not show in the error") {
  for (const char* text :
       {"", "017f22e2", "017f22e279b07cc398c4dc0c0c07398f", "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
        "urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "017f22e27-9b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4_dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4--c0c0c07398f", " 17f22e2-79b0-7cc3-98c4-dc0c0c07398f"}) {
    CAPTURE(text);
    try {
      Uuid::parse(text);
      FAIL("it was read");
    } catch (const ValidationError& error) {
      CHECK(std::string(error.what()).find("017f") == std::string::npos);
    }
  }
}

TEST_CASE("ids are ordered by their bytes, as their texts are") {
  const std::vector<std::string> texts = {
      "00000000-0000-0000-0000-000000000000", "00000000-0000-7000-8000-0000000000ff",
      "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "7fffffff-0000-7000-8000-000000000000",
      "80000000-0000-7000-8000-000000000000"};
  for (std::size_t i = 1; i < texts.size(); ++i) CHECK(Uuid::parse(texts[i - 1]) < Uuid::parse(texts[i]));
  CHECK(Uuid().is_nil());
  CHECK_FALSE(Uuid::parse(texts[1]).is_nil());
}

TEST_CASE("an id's short text is the last 8 characters of its text") {
  CHECK(UserId::parse(rfc_version_7).short_text() == "0c07398f");
  CHECK(UserId::parse(rfc_version_7).to_string() == rfc_version_7_lower);
}

TEST_CASE("ids can be kept in hashed sets") {
  std::unordered_set<UserId> ids{UserId::parse(rfc_version_7), UserId::parse(rfc_version_7_lower),
                                 UserId::parse(rfc_version_4)};
  CHECK(ids.size() == 2);
}

TEST_CASE("a generated id holds version, variant and the clock's millisecond") {
  const ManualClock clock(Timestamp::parse("2022-02-22T19:22:22.000999Z"));
  ConstantRandom random{std::byte{0}};
  IdGenerator generator(clock, random);
  // By RFC 9562 §5.7 with all random bits zero; the time is that of appendix A.6.
  CHECK(generator.next().to_string() == "017f22e2-79b0-7000-8000-000000000000");
  // The step is 1 more than what was drawn.
  CHECK(generator.next().to_string() == "017f22e2-79b0-7000-8000-000000000001");
}

TEST_CASE("the count carries over from the low random bits into the high ones") {
  const ManualClock clock(Timestamp::parse("2022-02-22T19:22:22Z"));
  ConstantRandom random{std::byte{0xff}};
  IdGenerator generator(clock, random);
  // All random bits one, but the highest, which is kept free for counting.
  CHECK(generator.next().to_string() == "017f22e2-79b0-77ff-bfff-ffffffffffff");
  CHECK(generator.next().to_string() == "017f22e2-79b0-7800-8000-0000ffffffff");
}

TEST_CASE("ids grow while the clock stands still and while it is set back") {
  ManualClock clock(Timestamp::parse("2026-01-01T00:00:00Z"));
  SeededRandom random(7);
  IdGenerator generator(clock, random);
  Uuid last = generator.next();
  for (int i = 0; i < 10'000; ++i) {
    if (i % 1000 == 0) clock.advance(std::chrono::hours(-1));
    const Uuid next = generator.next();
    REQUIRE(last < next);
    last = next;
  }
  CHECK(last.timestamp() == Timestamp::parse("2026-01-01T00:00:00Z"));
  clock.set(Timestamp::parse("2026-01-01T00:00:01Z"));
  CHECK(generator.next().timestamp() == clock.now());
}

TEST_CASE("a clock before 1970 is an error, not a wrong id") {
  const ManualClock clock(Timestamp::parse("1969-12-31T23:59:59Z"));
  SeededRandom random(7);
  IdGenerator generator(clock, random);
  CHECK_THROWS_AS(generator.next(), ValidationError);
}

TEST_CASE("eight threads get ids that are all different, each thread's in rising order") {
  constexpr std::size_t threads_count = 8;
  constexpr std::size_t ids_each = 20'000;
  std::vector<std::vector<UserId>> made(threads_count);
  std::vector<std::thread> threads;
  for (auto& ids : made) {
    threads.emplace_back([&ids] {
      for (std::size_t i = 0; i < ids_each; ++i) ids.push_back(new_id<UserTag>());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::unordered_set<UserId> distinct;
  for (const auto& ids : made) {
    CHECK(std::is_sorted(ids.begin(), ids.end()));
    distinct.insert(ids.begin(), ids.end());
  }
  CHECK(distinct.size() == threads_count * ids_each);
}

TEST_CASE("a new id was made now") {
  const Timestamp before = system_clock().now();
  const auto made = new_uuid().timestamp();
  REQUIRE(made.has_value());
  CHECK(*made >= before - std::chrono::milliseconds(1));
  CHECK(*made <= system_clock().now());
}

}  // namespace nerve
