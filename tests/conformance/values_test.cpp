// SPDX-License-Identifier: Apache-2.0
// Goal: what is bound comes back unchanged on both engines, and what cannot come back unchanged is refused.
#include "support/engine.h"

#include "nerve/core/error.h"

#include <nlohmann/json.hpp>

#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

using namespace nerve;

namespace {

enum class Severity : std::uint8_t { info, low, high };
struct Note;

}  // namespace

template <>
inline constexpr std::string_view nerve::db::enum_texts<Severity>[] = {"info", "low", "high"};

namespace {

void create_values(db::Database& database) {
  database.write([](db::Transaction& transaction) {
    transaction.execute(
        test::with_types("CREATE TABLE vals (id {{id}}, n {{num}}, d {{real}}, b {{bool}}, t {{text}}, "
                         "at {{ts}}, j {{json}}, raw {{bytes}}) {{strict}}",
                         transaction.dialect()));
  });
}

/// Writes one value into one column and reads it back as `T`.
template <class T, class Bound = T>
T round_trip(db::Database& database, const std::string& column, const Bound& value) {
  return database.write([&](db::Transaction& transaction) {
    transaction.execute("DELETE FROM vals");
    transaction.execute("INSERT INTO vals(" + column + ") VALUES (:v)", {{"v", value}});
    return transaction.one<T>("SELECT " + column + " FROM vals");
  });
}

}  // namespace

CONFORMANCE_TEST("integers keep all 64 bits") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_values(*database);
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 31, (std::int64_t{1} << 40) + 7,
        std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    CHECK(round_trip<std::int64_t>(*database, "n", value) == value);
  }
}

CONFORMANCE_TEST("an integer too large for the type asked for is refused, not cut") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_values(*database);
  CHECK(round_trip<std::int32_t>(*database, "n", std::int64_t{2147483647}) == 2147483647);
  CHECK_THROWS_AS(round_trip<std::int32_t>(*database, "n", std::int64_t{2147483648}), DatabaseError);
  CHECK_THROWS_AS(round_trip<std::uint8_t>(*database, "n", std::int64_t{-1}), DatabaseError);
  CHECK_THROWS_AS(round_trip<std::int64_t>(*database, "n", std::numeric_limits<std::uint64_t>::max()),
                  DatabaseError);
}

CONFORMANCE_TEST("reals keep every bit, infinities included") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_values(*database);
  for (const double value :
       {0.1, -1.5, std::numbers::pi, 1e308, 5e-324, std::numeric_limits<double>::infinity()}) {
    const double back = round_trip<double>(*database, "d", value);
    CHECK(std::bit_cast<std::uint64_t>(back) == std::bit_cast<std::uint64_t>(value));
  }
}

CONFORMANCE_TEST("negative zero is zero on both engines") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_values(*database);
  CHECK_FALSE(std::signbit(round_trip<double>(*database, "d", -0.0)));
}

CONFORMANCE_TEST("a real that is not a number is refused") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_values(*database);
  CHECK_THROWS_AS(round_trip<double>(*database, "d", std::numeric_limits<double>::quiet_NaN()),
                  ValidationError);
}

CONFORMANCE_TEST("booleans are booleans") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_values(*database);
  CHECK(round_trip<bool>(*database, "b", true));
  CHECK_FALSE(round_trip<bool>(*database, "b", false));
  CHECK(round_trip<std::optional<bool>>(*database, "b", std::optional<bool>()) == std::nullopt);
}

CONFORMANCE_TEST("NULL is an absent optional, and an error for any other type") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_values(*database);
  for (const std::string column : {"n", "d", "b", "t", "at", "j", "raw", "id"}) {
    INFO(column);
    CHECK(round_trip<std::optional<std::string>>(*database, column == "raw" ? "t" : column, nullptr) ==
          std::nullopt);
  }
  CHECK(round_trip<std::optional<Bytes>>(*database, "raw", nullptr) == std::nullopt);
  CHECK_THROWS_AS(round_trip<std::int64_t>(*database, "n", nullptr), DatabaseError);
  CHECK_THROWS_AS(round_trip<std::string>(*database, "t", nullptr), DatabaseError);
}

CONFORMANCE_TEST("an empty text is not NULL, nor are empty bytes") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_values(*database);
  CHECK(round_trip<std::optional<std::string>>(*database, "t", std::string_view()) == "");
  CHECK(round_trip<std::optional<Bytes>>(*database, "raw", Bytes()) == Bytes());
}

CONFORMANCE_TEST("text keeps quotes, backslashes, newlines and every script") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_values(*database);
  for (const std::string text :
       {"O'Brien", R"(back\slash \N \x41)", "tab\tnew\nline\r", "Ωmega ✓ 漢字 🎉", "'; DROP TABLE vals; --"}) {
    CHECK(round_trip<std::string>(*database, "t", text) == text);
  }
}

CONFORMANCE_TEST("text with a NUL or that is not UTF-8 is refused before it reaches the engine") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_values(*database);
  using namespace std::string_literals;
  CHECK_THROWS_AS(round_trip<std::string>(*database, "t", "abc\0def"s), ValidationError);
  CHECK_THROWS_AS(round_trip<std::string>(*database, "t", "0123456\0"s), ValidationError);
  CHECK_THROWS_AS(round_trip<std::string>(*database, "t", "caf\xe9"s), ValidationError);
  CHECK_THROWS_AS(round_trip<std::string>(*database, "t", "overlong \xc0\xaf"s), ValidationError);
}

CONFORMANCE_TEST("bytes carry every octet, NUL included") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_values(*database);
  Bytes all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::byte>(i);
  CHECK(round_trip<Bytes>(*database, "raw", all) == all);
  const Bytes large(3'000'000, std::byte{0xab});
  CHECK(round_trip<Bytes>(*database, "raw", large) == large);
}

CONFORMANCE_TEST("timestamps keep microseconds and mean UTC") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_values(*database);
  for (const std::string text :
       {"2024-02-29T23:59:59.999999Z", "1969-12-31T23:59:59.000001Z", "2024-01-02T03:04:05.120000Z",
        "0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"}) {
    CHECK(round_trip<Timestamp>(*database, "at", Timestamp::parse(text)).to_text() == text);
  }
}

CONFORMANCE_TEST("timestamps compare and sort as time") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_values(*database);
  const Timestamp noon = Timestamp::parse("2024-06-01T12:00:00Z");
  const auto found = database->write([&](db::Transaction& transaction) {
    for (const int offset_us : {5, -5, 0}) {
      transaction.execute("INSERT INTO vals(at, n) VALUES (:at, :n)",
                          {{"at", noon + std::chrono::microseconds(offset_us)}, {"n", offset_us}});
    }
    std::vector<int> order;
    transaction.each<int>("SELECT n FROM vals WHERE at >= :from ORDER BY at", {{"from", noon}},
                          [&](int n) { order.push_back(n); });
    return order;
  });
  CHECK(found == std::vector<int>{0, 5});
}

CONFORMANCE_TEST("the engine's clock gives a timestamp near the program's") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const auto engine_now = database->read([](db::Transaction& transaction) {
    return transaction.one<Timestamp>("SELECT " + std::string(db::now_expression(transaction.dialect())));
  });
  const auto program_now = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  CHECK(std::abs(engine_now.microseconds() - program_now.count()) < 60'000'000);
}

CONFORMANCE_TEST("JSON comes back equal in value and can be searched") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_values(*database);
  const Json value = {{"list", {1, 2.5, "three", nullptr, true}}, {"nested", {{"key", "wert 'x'"}}}};
  CHECK(round_trip<Json>(*database, "j", value) == value);
  CHECK(database->read([](db::Transaction& transaction) {
    return transaction.one<std::string>("SELECT j -> 'nested' ->> 'key' FROM vals");
  }) == "wert 'x'");
}

CONFORMANCE_TEST("a table whose CHECK calls json_valid can be written and read") {
  START_ENGINE(engine);
  const auto database = engine.open();
  database->write([](db::Transaction& transaction) {
    const bool is_sqlite = transaction.dialect() == db::Dialect::sqlite;
    transaction.execute(is_sqlite ? "CREATE TABLE documents (j TEXT CHECK (json_valid(j))) STRICT"
                                  : "CREATE TABLE documents (j jsonb)");
    transaction.execute("INSERT INTO documents(j) VALUES (:j)", {{"j", Json({{"a", 1}})}});
  });
  CHECK(database->read([](db::Transaction& transaction) {
    return transaction.one<Json>("SELECT j FROM documents");
  }) == Json({{"a", 1}}));
}

CONFORMANCE_TEST("ids and enums are bound and read as themselves") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_values(*database);
  const auto id = Id<Note>::parse("018f4e5c-1111-7abc-8def-0123456789ab");
  CHECK(round_trip<Id<Note>>(*database, "id", id) == id);
  CHECK(round_trip<std::string>(*database, "t", Severity::high) == "high");
  CHECK(round_trip<Severity>(*database, "t", "low") == Severity::low);
  CHECK_THROWS_AS(round_trip<Severity>(*database, "t", "catastrophic"), DatabaseError);
}

CONFORMANCE_TEST("a value of another type than asked for is an error, never a conversion") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_values(*database);
  CHECK_THROWS_AS(round_trip<std::int64_t>(*database, "t", "abc"), DatabaseError);
  CHECK_THROWS_AS(round_trip<double>(*database, "t", "abc"), DatabaseError);
  CHECK_THROWS_AS(round_trip<bool>(*database, "t", "abc"), DatabaseError);
  CHECK_THROWS_AS(round_trip<Bytes>(*database, "t", "abc"), DatabaseError);
  CHECK_THROWS_AS(round_trip<std::int64_t>(*database, "d", 1.5), DatabaseError);
}
