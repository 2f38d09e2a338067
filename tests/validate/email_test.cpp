// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/email.h"

#include <doctest/doctest.h>

#include <string>

using nerve::ValidationError;
using nerve::validate::check_email;
using nerve::validate::EmailOptions;
using nerve::validate::is_valid_email;
using nerve::validate::parse_email;

namespace {

std::string broken_email_rule(std::string_view text, EmailOptions options = {}) {
  const auto found = check_email(text, options);
  return found ? found->rule : "none";
}

}  // namespace

// RFC 3696 section 3 with its erratum 246, which corrects the quoting.
TEST_CASE("the unusual addresses of RFC 3696 are valid") {
  for (const char* text :
       {R"("Abc@def"@example.com)", R"("Fred Bloggs"@example.com)", R"("Joe\\Blow"@example.com)",
        "user+mailbox@example.com", "customer/department=shipping@example.com", "$A12345@example.com",
        "!def!xyz%abc@example.com", "_somename@example.com"}) {
    CAPTURE(std::string(text));
    CHECK(broken_email_rule(text) == "none");
    CHECK(parse_email(text).canonical() == text);
  }
}

TEST_CASE("a quoted local part may be empty and may hold any printable character") {
  CHECK(is_valid_email(R"(""@example.org)"));
  CHECK(is_valid_email(R"("a..b ()<>,;:"@example.org)"));
  CHECK(is_valid_email(R"("\"\@"@example.org)"));
}

TEST_CASE("the canonical form keeps the local part and brings the domain to lower-case A-labels") {
  const auto address = parse_email("Jürgen.Not@EXAMPLE.org", {.allow_utf8_local = true});
  CHECK(address.local == "Jürgen.Not");
  CHECK(address.domain_ascii == "example.org");
  CHECK(parse_email("John.Doe@BÜCHER.de").canonical() == "John.Doe@xn--bcher-kva.de");
}

TEST_CASE("what is no dot-atom and has no quotes is refused, each with its rule") {
  CHECK(broken_email_rule("") == "empty");
  CHECK(broken_email_rule("example.org") == "at_sign");
  CHECK(broken_email_rule("@example.org") == "local_empty");
  CHECK(broken_email_rule("john@") == "domain_empty");
  CHECK(broken_email_rule(".john@example.org") == "dot_atom");
  CHECK(broken_email_rule("john.@example.org") == "dot_atom");
  CHECK(broken_email_rule("john..doe@example.org") == "dot_atom");
  CHECK(broken_email_rule("john doe@example.org") == "white_space");
  CHECK(broken_email_rule(" john@example.org") == "white_space");
  CHECK(broken_email_rule("john@example.org ") == "white_space");
  CHECK(broken_email_rule("john(comment)@example.org") == "comment");
  CHECK(broken_email_rule("john@(comment)example.org") == "comment");
  CHECK(broken_email_rule("<john@example.org>") == "display_name");
  CHECK(broken_email_rule("John <john@example.org>") == "white_space");
  CHECK(broken_email_rule("a@b@example.org") == "at_sign");
  CHECK(broken_email_rule("a,b@example.org") == "local_characters");
  CHECK(broken_email_rule(R"(a"b"@example.org)") == "local_characters");
  CHECK(broken_email_rule(R"("a"b@example.org)") == "quoted_string");
  CHECK(broken_email_rule(R"("a@example.org)") == "at_sign");
  CHECK(broken_email_rule(R"("a\"@example.org)") == "at_sign");
  CHECK(broken_email_rule("john@example.org.") == "domain_trailing_dot");
}

TEST_CASE("the domain keeps the rules of domains") {
  CHECK(broken_email_rule("john@localhost") == "domain");
  CHECK(broken_email_rule("john@-example.org") == "domain");
  CHECK(broken_email_rule("john@exam_ple.org") == "domain");
  CHECK(broken_email_rule("john@192.0.2.1") == "domain");
}

TEST_CASE("a local part has at most 64 octets and an address at most 254") {
  CHECK(is_valid_email(std::string(64, 'a') + "@example.org"));
  CHECK(broken_email_rule(std::string(65, 'a') + "@example.org") == "local_length");
  CHECK(broken_email_rule('"' + std::string(63, 'a') + "\"@example.org") == "local_length");
  const std::string label = std::string(62, 'b') + ".";
  const std::string longest = std::string(62, 'a') + "@" + label + label + label + "de";
  REQUIRE(longest.size() == 254);
  CHECK(is_valid_email(longest));
  CHECK(broken_email_rule("a" + longest) == "length");
  CHECK(broken_email_rule(std::string(1'000'000, 'a')) == "length");
}

TEST_CASE("octets are counted, not letters, in a UTF-8 local part") {
  std::string local;
  for (int i = 0; i < 32; ++i) local += "ü";
  CHECK(is_valid_email(local + "@example.org", {.allow_utf8_local = true}));
  CHECK(broken_email_rule(local + "a@example.org", {.allow_utf8_local = true}) == "local_length");
}

TEST_CASE("a UTF-8 local part is accepted only by option") {
  CHECK(broken_email_rule("jürgen@example.org") == "local_ascii");
  CHECK(is_valid_email("jürgen@example.org", {.allow_utf8_local = true}));
  CHECK(is_valid_email("\"jürgen m\"@example.org", {.allow_utf8_local = true}));
  CHECK(broken_email_rule("\"\\ü\"@example.org", {.allow_utf8_local = true}) == "quoted_string");
  CHECK(broken_email_rule("j\xFCrgen@example.org", {.allow_utf8_local = true}) == "utf8");
}

TEST_CASE("control characters are refused everywhere, because they inject header lines") {
  const EmailOptions all{.allow_address_literal = true, .allow_utf8_local = true};
  for (const std::string_view text :
       {std::string_view("john\r\nBcc: all@example.org"), std::string_view("john@example.org\n"),
        std::string_view("\"john\r\n doe\"@example.org"), std::string_view("\"a\\\nb\"@example.org"),
        std::string_view("jo\0hn@example.org", 17), std::string_view("\"jo\\\0hn\"@example.org", 20),
        std::string_view("john@example.org\0", 17), std::string_view("jo\xC2\x85hn@example.org"),
        std::string_view("john\t@example.org"), std::string_view("jo\x7Fhn@example.org")}) {
    CHECK(broken_email_rule(text) == "control_character");
    CHECK(broken_email_rule(text, all) == "control_character");
  }
  // NOLINTNEXTLINE(misc-misleading-bidirectional): that is what is tested
  CHECK(broken_email_rule("jo\u202Ehn@example.org", all) == "bidi_control");
}

TEST_CASE("an address literal is accepted only by option, in its two registered forms") {
  const EmailOptions literal{.allow_address_literal = true};
  CHECK(broken_email_rule("john@[192.0.2.1]") == "address_literal");
  CHECK(parse_email("john@[192.0.2.1]", literal).canonical() == "john@[192.0.2.1]");
  CHECK(parse_email("john@[ipv6:2001:DB8:0::1]", literal).canonical() == "john@[IPv6:2001:db8::1]");
  for (const char* text :
       {"john@[2001:db8::1]", "john@[IPv6:192.0.2.1]", "john@[192.0.2.1", "john@[192.0.2.256]", "john@[]",
        "john@[", "john@[IPv6:]", "john@[IPv6", "john@[x400:a]", "john@[192.0.2.1].org"}) {
    CAPTURE(std::string(text));
    CHECK(broken_email_rule(text, literal) == "address_literal");
  }
}

TEST_CASE("the error names the rule and holds nothing of the address") {
  try {
    parse_email("john.secret@exam_ple.org");
    FAIL("accepted");
  } catch (const ValidationError& error) {
    const std::string said = error.what() + error.hint() + error.violations().at(0).message;
    CHECK(said.find("(rule domain)") != std::string::npos);
    CHECK(said.find("secret") == std::string::npos);
    CHECK(said.find("exam_ple") == std::string::npos);
  }
}
