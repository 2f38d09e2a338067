// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/bytes.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>

namespace nerve {

namespace {

Bytes bytes_of(std::string_view text) {
  return {as_bytes(text).begin(), as_bytes(text).end()};
}

}  // namespace

TEST_CASE("hexadecimal text of the RFC 4648 vectors is theirs in lower case") {
  // RFC 4648 §10, base16.
  CHECK(to_hex(as_bytes("")) == "");
  CHECK(to_hex(as_bytes("f")) == "66");
  CHECK(to_hex(as_bytes("foobar")) == "666f6f626172");
  CHECK(to_hex(std::array{std::byte{0xAB}, std::byte{0x0F}}) == "ab0f");
}

TEST_CASE("hexadecimal text is read in either case") {
  CHECK(from_hex("666f6F626172") == bytes_of("foobar"));
  CHECK(from_hex("") == Bytes{});
  CHECK(from_hex("FFfe00") == Bytes{std::byte{0xff}, std::byte{0xfe}, std::byte{0x00}});
}

TEST_CASE("hexadecimal text of an odd length or with a foreign character is refused") {
  for (const char* wrong : {"a", "abc", "0g", "g0", " 00", "0x", "a b0", "-1", "\xc3\xa4"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(from_hex(wrong), ValidationError);
  }
}

TEST_CASE("base64url is that of RFC 4648 without padding, both ways") {
  // RFC 4648 §10, base64, with its padding taken away.
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [bytes, text] : vectors) {
    CHECK(to_base64url(as_bytes(bytes)) == text);
    CHECK(from_base64url(text) == bytes_of(bytes));
  }
  // RFC 7515 appendix C shows an octet sequence whose text holds both characters of the URL alphabet.
  const std::array octets{std::byte{3}, std::byte{236}, std::byte{255}, std::byte{224}, std::byte{193}};
  CHECK(to_base64url(octets) == "A-z_4ME");
  CHECK(from_base64url("A-z_4ME") == Bytes(octets.begin(), octets.end()));
}

TEST_CASE("base64url refuses padding, white space, the other alphabet and left-over bits") {
  for (const char* wrong : {"Zg==", "Zm8=", "Zm9v\n", " Zm9v", "Z", "Zm9vY", "A+z/4ME", "Zh", "Zm9"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(from_base64url(wrong), ValidationError);
  }
}

TEST_CASE("constant-time comparison finds a difference at any place and in length") {
  const Bytes left = bytes_of("0123456789abcdef");
  CHECK(equal_constant_time(left, left));
  CHECK(equal_constant_time({}, {}));
  for (std::size_t place = 0; place < left.size(); ++place) {
    Bytes right = left;
    right[place] ^= std::byte{1};
    CHECK_FALSE(equal_constant_time(left, right));
  }
  CHECK_FALSE(equal_constant_time(left, ByteView(left).first(15)));
}

}  // namespace nerve
