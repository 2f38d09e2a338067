// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/json.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

namespace nerve {

namespace {

std::string json_refusal(std::string_view text) {
  try {
    parse_json(text, "file.json");
  } catch (const ValidationError& error) {
    return error.what();
  }
  return "it was read";
}

std::string nested_arrays(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

}  // namespace

TEST_CASE("a document is read with its types") {
  const Json document = parse_json(R"( {"a": [1, -2, 2.5, true, null, "x\u00e9"], "b": {}} )", "test");
  CHECK(document["a"][0].is_number_unsigned());
  CHECK(document["a"][1] == -2);
  CHECK(document["a"][2] == 2.5);
  CHECK(document["a"][3] == true);
  CHECK(document["a"][4].is_null());
  CHECK(document["a"][5] == "x\xc3\xa9");
  CHECK(document["b"] == Json::object());
  CHECK(parse_json("9223372036854775807", "test") == std::numeric_limits<std::int64_t>::max());
  CHECK(parse_json("\"alone\"", "test") == "alone");
}

TEST_CASE("containers nested side by side keep their places") {
  const Json document = parse_json(R"([[1,[2]],[3],{"a":[4],"b":{"c":5}},[6,7]])", "test");
  CHECK(document.dump() == R"([[1,[2]],[3],{"a":[4],"b":{"c":5}},[6,7]])");
}

TEST_CASE("a syntax error names line and column") {
  CHECK(json_refusal("{\"a\": x}") == "file.json:1:7: not well-formed JSON");
  CHECK(json_refusal("{\n  \"a\": 1,\n  \"b\" 2\n}") == "file.json:3:7: not well-formed JSON");
  CHECK(json_refusal("[1, 2") == "file.json:1:6: not well-formed JSON");
  CHECK(json_refusal("") == "file.json:1:1: not well-formed JSON");
  CHECK(json_refusal("{} {}") == "file.json:1:4: not well-formed JSON");
  CHECK(json_refusal("[1,\n]") == "file.json:2:1: not well-formed JSON");
}

TEST_CASE("what RFC 8259 does not allow is refused") {
  for (const char* text :
       {"{'a': 1}", "[1,]", "{\"a\":1,}", "nul", "01", "+1", ".5", "1.", "NaN", "Infinity", "\"\t\"",
        "\"\\x41\"", "// x\n1", "\"\\ud800\"", "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\""}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_json(text, "test"), ValidationError);
  }
}

TEST_CASE("an object with the same key twice is refused where the second one stands") {
  CHECK(json_refusal("{\"a\": 1,\n \"a\": 2}") == "file.json:2:4: an object has the same key twice");
  CHECK(json_refusal(R"([{"a": 1}, {"a": 2}])") == "it was read");
}

TEST_CASE("a number beyond the range of a double is refused") {
  CHECK(json_refusal("[1e400]") == "file.json:1:6: number beyond the range of a double");
}

TEST_CASE("the refusal shows nothing of the document") {
  CHECK(json_refusal("{\"password\": hunter2}").find("hunter") == std::string::npos);
  CHECK(json_refusal(R"({"secret": 1, "secret": 2})").find("secret") == std::string::npos);
}

TEST_CASE("nesting is allowed to 256 levels, read and written") {
  const Json deepest = parse_json(nested_arrays(256), "test");
  CHECK(to_canonical_text(deepest) == nested_arrays(256));
  CHECK(json_refusal(nested_arrays(257)) == "file.json:1:257: nested deeper than 256 levels");
  Json deeper = Json::array();
  deeper.push_back(deepest);
  CHECK_THROWS_AS(to_canonical_text(deeper), ValidationError);
  // Far deeper than any stack would bear. NOLINTNEXTLINE(bugprone-string-constructor): the length is meant
  CHECK_THROWS_AS(parse_json(std::string(10'000'000, '['), "test"), ValidationError);
}

TEST_CASE("the canonical text of the RFC 8785 examples is theirs") {
  // RFC 8785 §3.2.2 and §3.2.3.
  const std::string_view example = R"({
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  })";
  CHECK(to_canonical_text(parse_json(example, "test")) ==
        R"({"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],)"
        R"("string":"€$\u000f\nA'B\"\\\\\"/"})");
}

TEST_CASE("keys are ordered by their UTF-16 code units, as in the example of RFC 8785") {
  const std::string_view example =
      R"({"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
          "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"})";
  const std::string text = to_canonical_text(parse_json(example, "test"));
  std::size_t last = 0;
  for (const char* value : {"Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis",
                            "Euro Sign", "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh"}) {
    const std::size_t place = text.find(value);
    REQUIRE(place != std::string::npos);
    CHECK(place > last);
    last = place;
  }
}

TEST_CASE("numbers are written as RFC 8785 appendix B lists them") {
  const std::pair<std::uint64_t, std::string_view> samples[] = {
      {0x0000000000000000, "0"},
      {0x8000000000000000, "0"},
      {0x0000000000000001, "5e-324"},
      {0x8000000000000001, "-5e-324"},
      {0x7fefffffffffffff, "1.7976931348623157e+308"},
      {0xffefffffffffffff, "-1.7976931348623157e+308"},
      {0x4340000000000000, "9007199254740992"},
      {0xc340000000000000, "-9007199254740992"},
      {0x4430000000000000, "295147905179352830000"},
      {0x44b52d02c7e14af5, "9.999999999999997e+22"},
      {0x44b52d02c7e14af6, "1e+23"},
      {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
      {0x444b1ae4d6e2ef4e, "999999999999999700000"},
      {0x444b1ae4d6e2ef4f, "999999999999999900000"},
      {0x444b1ae4d6e2ef50, "1e+21"},
      {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
      {0x3eb0c6f7a0b5ed8d, "0.000001"},
      {0x41b3de4355555553, "333333333.3333332"},
      {0x41b3de4355555554, "333333333.33333325"},
      {0x41b3de4355555555, "333333333.3333333"},
      {0x41b3de4355555556, "333333333.3333334"},
      {0x41b3de4355555557, "333333333.33333343"},
      {0xbecbf647612f3696, "-0.0000033333333333333333"},
      {0x43143ff3c1cb0959, "1424953923781206.2"},
  };
  for (const auto& [bits, text] : samples) CHECK(to_canonical_text(std::bit_cast<double>(bits)) == text);
}

TEST_CASE("integers of 64 bits are written with all their digits") {
  CHECK(to_canonical_text(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(to_canonical_text(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  CHECK(to_canonical_text(parse_json("[1, 1.0, 10e0]", "test")) == "[1,1,10]");
}

TEST_CASE("a value that has no canonical text is refused") {
  CHECK_THROWS_AS(to_canonical_text(std::numeric_limits<double>::infinity()), ValidationError);
  CHECK_THROWS_AS(to_canonical_text(std::nan("")), ValidationError);
  CHECK_THROWS_AS(to_canonical_text("\xff"), ValidationError);
  CHECK_THROWS_AS(to_canonical_text(Json{{"\xff", 1}}), ValidationError);
  CHECK_THROWS_AS(to_canonical_text(Json::binary({1, 2})), ValidationError);
}

}  // namespace nerve
