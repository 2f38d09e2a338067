// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/text.h"

#include <doctest/doctest.h>
#include <locale.h>
#include <wchar.h>

#include <array>
#include <string>
#include <utility>

namespace nerve {

namespace {

std::string utf8_of(char32_t point) {
  std::string text;
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xc0 | point >> 6);
    text += static_cast<char>(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    text += static_cast<char>(0xe0 | point >> 12);
    text += static_cast<char>(0x80 | (point >> 6 & 0x3f));
    text += static_cast<char>(0x80 | (point & 0x3f));
  } else {
    text += static_cast<char>(0xf0 | point >> 18);
    text += static_cast<char>(0x80 | (point >> 12 & 0x3f));
    text += static_cast<char>(0x80 | (point >> 6 & 0x3f));
    text += static_cast<char>(0x80 | (point & 0x3f));
  }
  return text;
}

}  // namespace

TEST_CASE("every code point but the surrogates is valid UTF-8 and is read as itself") {
  for (char32_t point = 0; point <= 0x10ffff; ++point) {
    const std::string text = utf8_of(point);
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    REQUIRE(is_valid_utf8(text) == !surrogate);
    if (surrogate) continue;
    const CodePoint read = first_code_point(text + "x");
    REQUIRE(read.valid);
    REQUIRE(read.value == point);
    REQUIRE(read.size_bytes == text.size());
  }
}

TEST_CASE("what Unicode table 3-7 leaves out is not valid UTF-8") {
  for (const std::string_view text : {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2\x41",
                                      "\xc2\xc2",
                                      "\xe0\x80\x80",
                                      "\xe0\x9f\xbf",
                                      "\xe1\x80",
                                      "\xe1\x80\x41",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x80\x80\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf1\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xfe",
                                      "\xff",
                                      "ok\xff",
                                      "\xe2\x82"}) {
    CAPTURE(text);
    CHECK_FALSE(is_valid_utf8(text));
  }
}

TEST_CASE("a terminal is never given a control, a direction or an invalid byte") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"plain text", "plain text"},
      {"\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07"},
      {"two\nlines\tand\rmore", "two\\nlines\\tand\\rmore"},
      {std::string_view("a\0b", 3), "a\\x00b"},
      {"\x7f", "\\x7f"},
      {"\xc2\x9b"
       "31m",
       "\\u009b31m"},  // CSI as one C1 character
      {"\x9b"
       "31m",
       "\\x9b31m"},  // and as one byte
      // NOLINTBEGIN(misc-misleading-bidirectional): that is what is tested
      {"\xe2\x80\xae"
       "gpj.exe",
       "\\u202egpj.exe"},  // right-to-left override
      {"\xe2\x81\xa6x\xe2\x81\xa9", "\\u2066x\\u2069"},
      // NOLINTEND(misc-misleading-bidirectional)
      {"a\xe2\x80\xa8z", "a\\u2028z"},
      {"\xef\xbb\xbfx", "\\ufeffx"},
      {"a\xe2\x80\x8bz", "a\\u200bz"},
      {"\xf3\xa0\x81\x81", "\\U000e0041"},
      {"caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80",
       "caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80"},
      {"cut\xe2\x82", "cut\\xe2\\x82"},
      {"C:\\temp", "C:\\temp"},
  };
  for (const auto& [text, shown] : cases) CHECK(sanitize_for_terminal(text) == shown);
}

TEST_CASE("no byte sequence gets a control character past sanitising, and the result is valid UTF-8") {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const std::array text{static_cast<char>(first), static_cast<char>(second), 'm'};
      const std::string shown = sanitize_for_terminal({text.data(), text.size()});
      REQUIRE(is_valid_utf8(shown));
      for (const char character : shown)
        REQUIRE((static_cast<unsigned char>(character) >= 0x20 && character != 0x7f));
      REQUIRE(shown.find("\xc2\x9b") == std::string::npos);
    }
  }
}

TEST_CASE("widths follow East Asian Width and combining marks") {
  CHECK(display_width("") == 0);
  CHECK(display_width("plain") == 5);
  CHECK(display_width("caf\xc3\xa9") == 4);
  CHECK(display_width("e\xcc\x81") == 1);  // e and combining acute accent
  CHECK(display_width("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e") ==
        6);                                       // three ideographs, Wide in EastAsianWidth.txt
  CHECK(display_width("\xef\xbc\xa1") == 2);      // fullwidth A
  CHECK(display_width("\xf0\x9f\x98\x80") == 2);  // emoji
  CHECK(display_width("\xe2\x80\xa6") == 1);      // ellipsis
}

TEST_CASE("what is shown without asking the C library is as wide as it says") {
  const locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  REQUIRE(unicode != nullptr);
  const locale_t before = uselocale(unicode);
  for (char32_t point = 0x20; point < 0x370; ++point) {
    const std::string text = utf8_of(point);
    if (sanitize_for_terminal(text) != text) continue;
    CAPTURE(static_cast<unsigned>(point));
    CHECK(display_width(text) == static_cast<std::size_t>(wcwidth(static_cast<wchar_t>(point))));
  }
  uselocale(before);
  freelocale(unicode);
}

TEST_CASE("a shortened text fits its width and never cuts a character in two") {
  CHECK(ellipsize("short", 5) == "short");
  CHECK(ellipsize("longer", 5) == "long\xe2\x80\xa6");
  CHECK(ellipsize("longer", 1) == "\xe2\x80\xa6");
  CHECK(ellipsize("longer", 0) == "");
  CHECK(ellipsize("", 0) == "");
  // A wide character that would reach over the edge is left out.
  CHECK(ellipsize("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 4) == "\xe6\x97\xa5\xe2\x80\xa6");
  CHECK(ellipsize("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 6) == "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e");
  // A combining mark stays with the character that it marks.
  CHECK(ellipsize("ae\xcc\x81zz", 3) == "ae\xcc\x81\xe2\x80\xa6");
}

TEST_CASE("edit distance counts insertions, deletions, replacements and exchanges of neighbours") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);  // the classical example
  CHECK(edit_distance("ca", "abc") == 3);          // optimal string alignment; unrestricted it would be 2
  CHECK(edit_distance("backup", "bakcup") == 1);
  CHECK(edit_distance("restore", "restore") == 0);
}

TEST_CASE("the closest candidate is offered only where it is near enough") {
  constexpr std::array<std::string_view, 4> commands = {"backup", "restore", "health", "stats"};
  CHECK(closest_match("bakcup", commands) == "backup");
  CHECK(closest_match("helth", commands) == "health");
  CHECK(closest_match("stat", commands) == "stats");
  CHECK_FALSE(closest_match("frobnicate", commands).has_value());
  CHECK_FALSE(closest_match("xy", commands).has_value());
  CHECK_FALSE(closest_match("backup", {}).has_value());
  constexpr std::array<std::string_view, 2> equals = {"aab", "aac"};
  CHECK(closest_match("aaa", equals) == "aab");
}

}  // namespace nerve
