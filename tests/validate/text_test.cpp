// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/text.h"

#include "nerve/core/text.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using nerve::ValidationError;
using nerve::validate::escape_html;
using nerve::validate::sanitize_text;
using nerve::validate::TextRules;

namespace {

std::string stripped(std::string_view text) {
  return sanitize_text(text, {.strip_html = true});
}

std::string refusal(std::string_view text) {
  try {
    sanitize_text(text);
    return "accepted";
  } catch (const ValidationError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("plain text in any script passes unchanged") {
  for (const std::string text :
       {"", "plain", "Müller & Söhne", "日本語テキスト", "שלום", "👩‍👩‍👧 family", "a < b > c"}) {
    CAPTURE(text);
    CHECK(sanitize_text(text) == text);
    CHECK(sanitize_text(text, {.strip_html = true}) == text);
  }
}

// Unicode 15 table 3-7 and its examples of ill-formed sequences.
TEST_CASE("malformed UTF-8 is refused at its byte offset, not repaired") {
  const std::vector<std::pair<std::string, int>> vectors = {
      {"\x80", 0},
      {"abc\xFF", 3},
      {"\xC0\xAF", 0},
      {"ab\xE0\x80\x80", 2},
      {"\xED\xA0\x80", 0},
      {"\xF4\x90\x80\x80", 0},
      {"ü\xC3", 2},
      {"\xF0\x9F\x98", 0},
      {"a\xC3(", 1},
      {"\xF5\x80\x80\x80", 0},
      {"\xF0\x80\x80\x80", 0},
      {"日\xE6\x97", 3},
  };
  for (const auto& [text, offset] : vectors) {
    CHECK(refusal(text) == "text is not valid UTF-8 at byte " + std::to_string(offset) + " (rule utf8)");
  }
}

TEST_CASE("a NUL is refused at its byte offset") {
  CHECK(refusal(std::string_view("ab\0c", 4)) == "text has a NUL character at byte 2 (rule nul)");
}

TEST_CASE("control and bidirectional control characters are removed") {
  CHECK(sanitize_text("a\x1B[31mb\x07\x7F") == "a[31mb");
  CHECK(sanitize_text("a\u0080\u009Fb") == "ab");
  CHECK(sanitize_text("user\u202Egpj.exe") == "usergpj.exe");
  CHECK(sanitize_text("\u061C\u200E\u200F\u202A\u202B\u202C\u202D\u2066\u2067\u2068\u2069x") == "x");
}

TEST_CASE("line ends become spaces, or one form where newlines are allowed") {
  CHECK(sanitize_text("a\r\nb\rc\nd\u0085e\u2028f\u2029g") == "a b c d e f g");
  CHECK(sanitize_text("a\r\nb\rc\nd\u0085e\u2028f\u2029g", {.allow_newlines = true}) ==
        "a\nb\nc\nd\ne\nf\ng");
  CHECK(sanitize_text("a\n\nb", {.allow_newlines = true}) == "a\n\nb");
}

TEST_CASE("spaces are trimmed and made single, each by its own rule") {
  CHECK(sanitize_text("  a \t b\u00A0\u3000c  ") == "a b c");
  CHECK(sanitize_text("  a  b ", {.trim = false}) == " a b ");
  CHECK(sanitize_text("  a  b ", {.normalize_spaces = false}) == "a  b");
  CHECK(sanitize_text("\n a\n", {.allow_newlines = true}) == "a");
}

TEST_CASE("length counts code points and a cut falls between them") {
  CHECK(sanitize_text("日本語", {.length_max = 2}) == "日本");
  CHECK(sanitize_text("日本語", {.length_max = 3}) == "日本語");
  CHECK(sanitize_text("abc", {.length_max = 0}) == "");
  CHECK(sanitize_text("ab cd", {.length_max = 3}) == "ab");
}

TEST_CASE("a cut does not part a mark, selector, modifier or joiner from its base") {
  CHECK(sanitize_text("ae\u0301", {.length_max = 2}) == "a");
  CHECK(sanitize_text("ae\u0301\u0323", {.length_max = 3}) == "a");
  CHECK(sanitize_text("a\u2764\uFE0F", {.length_max = 2}) == "a");
  CHECK(sanitize_text("a\U0001F44D\U0001F3FD", {.length_max = 2}) == "a");
  CHECK(sanitize_text("a\U0001F469\u200D\U0001F467", {.length_max = 3}) == "a");
  CHECK(sanitize_text("a\U0001F469\u200D\U0001F467", {.length_max = 2}) == "a");
}

TEST_CASE("a cluster longer than the limit is cut where it must be") {
  std::string marks = "e";
  for (int i = 0; i < 1000; ++i) marks += "\u0301";
  CHECK(sanitize_text(marks, {.length_max = 3}) == "e\u0301\u0301");
}

TEST_CASE("tags, comments and declarations are removed") {
  CHECK(stripped("<b>bold</b> and <i class=x>thin</i>") == "bold and thin");
  CHECK(stripped("a<br/>b<hr />c") == "abc");
  CHECK(stripped("a<!-- b --> c<!DOCTYPE html>d<?xml version='1'?>e<![CDATA[f]]>g") == "a cdeg");
  CHECK(stripped("a</>b</ x>c") == "abc");
}

// HTML standard §13.2.5.43 to 13.2.5.51: "<!-->" and "<!--->" are empty comments and "--!>" ends one.
TEST_CASE("comments end where browsers end them") {
  CHECK(stripped("a<!-->b") == "ab");
  CHECK(stripped("a<!--->b") == "ab");
  CHECK(stripped("a<!-- x --!>b") == "ab");
  CHECK(stripped("a<!-- > <b> -- > -->b") == "ab");
}

TEST_CASE("the content of scripts and styles goes with them") {
  CHECK(stripped("a<script>alert('<b>')</script>b") == "ab");
  CHECK(stripped("a<SCRIPT type=\"x>y\">if (a</b) {}</ScRiPt >b") == "ab");
  CHECK(stripped("a<style>p > a {}</style>b") == "ab");
  CHECK(stripped("a<script>x</scripty>y</script>b") == "ab");
  CHECK(stripped("a<scripty>x</scripty>b") == "axb");
}

TEST_CASE("a > inside a quoted attribute value does not end its tag") {
  CHECK(stripped("a<img alt=\"1 > 0\" title='b>c'>d") == "ad");
  CHECK(stripped("a<img alt = \"1 > 0\">d") == "ad");
  CHECK(stripped("a<img alt=x\"y>d") == "ad");
  CHECK(stripped("a<img \">d\">e") == "ad\">e");
  CHECK(stripped("a<img =\">d") == "ad");
  CHECK(stripped("a<img b/=\">d") == "ad");
}

TEST_CASE("what is unterminated is dropped up to the end") {
  for (const std::string text :
       {"a<b", "a<b href=\"x>y", "a</b", "a<!-- b", "a<!b", "a<script>b", "a<script>b</scrip"}) {
    CAPTURE(text);
    CHECK(stripped(text) == "a");
  }
}

TEST_CASE("a < that opens nothing is text") {
  CHECK(stripped("1 < 2 and a<3 and <") == "1 < 2 and a<3 and <");
  CHECK(stripped("i <3 you") == "i <3 you");
}

TEST_CASE("a removal leaves no new tag behind") {
  CHECK(stripped("<scr<b>ipt>alert(1)</script>") == "ipt>alert(1)");
  CHECK(stripped("<<b>script>alert(1)") == "script>alert(1)");
  CHECK(stripped("<<<b></b>img src=x onerror=y>") == "img src=x onerror=y>");
  CHECK(stripped("<\x01script>x</script>") == "");
  CHECK(stripped("<\u200Escript>x</script>") == "");
}

TEST_CASE("character references are not decoded") {
  CHECK(stripped("&lt;b&gt; &amp; <b>x</b>") == "&lt;b&gt; &amp; x");
}

TEST_CASE("stripping takes linear time on hostile nesting") {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "<<b>";
  text += "x";
  CHECK(stripped(text) == "x");
  std::string ends = "<script>";
  for (int i = 0; i < 200'000; ++i) ends += "</";
  CHECK(stripped(ends) == "");
}

TEST_CASE("sanitising twice changes nothing more") {
  const std::vector<TextRules> all_rules = {{},
                                            {.length_max = 3, .strip_html = true},
                                            {.allow_newlines = true, .strip_html = true},
                                            {.trim = false, .normalize_spaces = false}};
  for (const std::string text : {" a\t<b> c\u202E", "a \n b", "<<i>b>x", "ab\u0301 \u0301", "  \u0301x"}) {
    for (const TextRules& rules : all_rules) {
      CAPTURE(text);
      const std::string once = sanitize_text(text, rules);
      CHECK(sanitize_text(once, rules) == once);
      CHECK(nerve::is_valid_utf8(once));
    }
  }
}

TEST_CASE("escaping makes text safe for element content and quoted attributes") {
  CHECK(escape_html("<a href=\"x\" title='y'>&amp;") ==
        "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;");
  CHECK(escape_html("plain ü") == "plain ü");
}
