// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/domain.h"

#include "support/test_data.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

using nerve::ValidationError;
using nerve::validate::check_domain;
using nerve::validate::is_valid_domain;
using nerve::validate::parse_domain;

namespace {

std::string broken_domain_rule(std::string_view text, nerve::validate::DomainOptions options = {}) {
  const auto found = check_domain(text, options);
  return found ? found->rule : "none";
}

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::string repeat(std::string_view text, std::size_t times) {
  std::string repeated;
  while (times-- > 0) repeated += text;
  return repeated;
}

}  // namespace

TEST_CASE("a domain is brought to lower case and loses one trailing dot") {
  CHECK(parse_domain("Example.ORG").ascii == "example.org");
  CHECK(parse_domain("example.org.").ascii == "example.org");
  CHECK(broken_domain_rule("example.org..") == "label_empty");
}

TEST_CASE("digits may begin a label, as RFC 1123 section 2.1 allows") {
  CHECK(is_valid_domain("3com.com"));
}

// The names are those of RFC 3492 section 7.1, of the IANA test domains, and of UTS 46 section 4.
TEST_CASE("internationalised names become the A-labels that the standards print") {
  const std::vector<std::pair<std::string, std::string>> vectors = {
      {"他们为什么不说中文.example", "xn--ihqwcrb4cv8a8dqg056pqjye.example"},
      {"Pročprostěnemluvíčesky.example", "xn--proprostnemluvesky-uyb24dma41a.example"},
      {"3年B組金八先生.example", "xn--3b-ww4c5e180e575a65lsy2b.example"},
      {"例え.テスト", "xn--r8jz45g.xn--zckzah"},
      {"пример.испытание", "xn--e1afmkfd.xn--80akhbyknj4f"},
      {"παράδειγμα.δοκιμή", "xn--hxajbheg2az3al.xn--jxalpdlp"},
      {"Bücher.de", "xn--bcher-kva.de"},
      {"faß.de", "xn--fa-hia.de"},
      {"ÖBB.at", "xn--bb-eka.at"},
  };
  for (const auto& [unicode, ascii] : vectors) {
    const std::string_view domain = unicode;
    CAPTURE(domain);
    CHECK(parse_domain(unicode).ascii == ascii);
    CHECK(parse_domain(ascii).ascii == ascii);
    CHECK(parse_domain(ascii).unicode == parse_domain(unicode).unicode);
  }
  CHECK(parse_domain("xn--bcher-kva.de").unicode == "bücher.de");
}

TEST_CASE("full-width and ideographic full stops separate labels") {
  CHECK(parse_domain("例え。テスト").ascii == "xn--r8jz45g.xn--zckzah");
  CHECK(parse_domain("a．b").ascii == "a.b");
}

TEST_CASE("a label has at most 63 octets and a name at most 253") {
  CHECK(is_valid_domain(std::string(63, 'a') + ".org"));
  CHECK(broken_domain_rule(std::string(64, 'a') + ".org") == "label_length");
  const std::string longest = repeat(std::string(49, 'a') + ".", 5) + "org";
  REQUIRE(longest.size() == 253);
  CHECK(is_valid_domain(longest));
  CHECK(is_valid_domain(longest + "."));
  CHECK(broken_domain_rule("b" + longest) == "length");
  CHECK(broken_domain_rule(std::string(1'000'000, 'a')) == "length");
}

TEST_CASE("the length limit holds for the A-label, not for what was typed") {
  CHECK(broken_domain_rule(repeat("ü", 62) + ".de") == "label_length");
}

TEST_CASE("labels are letters, digits and inner hyphens") {
  CHECK(is_valid_domain("a-b.org"));
  CHECK(is_valid_domain("r3---sn-4g5e6nsz.example.com"));
  CHECK(broken_domain_rule("-a.org") == "label_hyphen");
  CHECK(broken_domain_rule("a-.org") == "label_hyphen");
  CHECK(broken_domain_rule("xn--.com") == "label_hyphen");
  CHECK(broken_domain_rule("a..org") == "label_empty");
  CHECK(broken_domain_rule(".org") == "label_empty");
  CHECK(broken_domain_rule(".") == "label_empty");
  CHECK(broken_domain_rule("") == "empty");
  for (const char* text : {"_dmarc.example.org", "a b.org", "a/b.org", "a@b.org", "a\tb.org", "a\n.org",
                           "*.org", "exa\xE2\x84\x80mple.org"}) {
    CAPTURE(std::string(text));
    CHECK(broken_domain_rule(text) == "label_characters");
  }
  CHECK(broken_domain_rule(std::string_view("a.org\0.example.com", 18)) == "label_characters");
}

TEST_CASE("what IDNA2008 disallows is refused") {
  for (const char* text : {"☃.net", "💩.la", "xn--zzzz-999999.de", "a\xFF.com",
                           "a\xE2\x80\x8D"
                           "b.com",
                           "\xCC\x81"
                           "a.com"}) {
    CAPTURE(std::string(text));
    CHECK(broken_domain_rule(text) == "idna");
  }
}

TEST_CASE("a registered A-label of an emoji is accepted and stays undecoded") {
  CHECK(parse_domain("XN--LS8H.la").ascii == "xn--ls8h.la");
  CHECK(parse_domain("xn--ls8h.la").unicode == "xn--ls8h.la");
}

TEST_CASE("an IP address is no domain, in whatever form programs may read one") {
  for (const char* text :
       {"192.0.2.1", "192.0.2.1.", "１９２.0.2.1", "[192.0.2.1]", "2001:db8::1", "::", "0x7f.0.0.0x1"}) {
    CAPTURE(std::string(text));
    CHECK(broken_domain_rule(text) == "ip_address");
  }
  CHECK(broken_domain_rule("127.1") == "top_level_numeric");
  CHECK(broken_domain_rule("example.0x7f") == "top_level_numeric");
  CHECK(broken_domain_rule("2130706433", {.allow_single_label = true}) == "top_level_numeric");
}

TEST_CASE("a single label is accepted only by option") {
  CHECK(broken_domain_rule("localhost") == "label_count");
  CHECK(parse_domain("LocalHost", {.allow_single_label = true}).ascii == "localhost");
}

TEST_CASE("the error names the rule and holds nothing of the input") {
  try {
    parse_domain("secret_host.org");
    FAIL("accepted");
  } catch (const ValidationError& error) {
    const std::string message = error.what();
    CHECK(message.find("label_characters") != std::string::npos);
    CHECK(message.find("secret") == std::string::npos);
    CHECK_FALSE(error.hint().empty());
    REQUIRE(error.violations().size() == 1);
    CHECK(error.violations()[0].field == "domain");
  }
}

TEST_CASE("every domain of a real block list of disposable mail hosts is valid") {
  const auto path = nerve::test::test_data("security/ref/disposable_email_blocklist.conf");
  if (!path) {
    MESSAGE("skipped: security/ref/disposable_email_blocklist.conf is not there");
    return;
  }
  const auto lines = lines_of(*path);
  CHECK(lines.size() > 1000);
  for (const std::string& line : lines) {
    CAPTURE(line);
    CHECK(broken_domain_rule(line) == "none");
  }
}

// The list writes internationalised suffixes as U-labels, so each must come back unchanged by way of its
// A-labels.
TEST_CASE("every suffix of the public suffix list survives the way to A-labels and back") {
  const auto path = nerve::test::test_data("security/ref/public_suffix_list.dat");
  if (!path) {
    MESSAGE("skipped: security/ref/public_suffix_list.dat is not there");
    return;
  }
  std::size_t internationalised = 0;
  for (std::string_view line : lines_of(*path)) {
    if (line.empty() || line.starts_with("//")) continue;
    if (line.starts_with("!")) line.remove_prefix(1);
    if (line.starts_with("*.")) line.remove_prefix(2);
    CAPTURE(line);
    const nerve::validate::DomainOptions options{.allow_single_label = true};
    REQUIRE(broken_domain_rule(line, options) == "none");
    const auto domain = parse_domain(line, options);
    CHECK(domain.unicode == line);
    CHECK(parse_domain(domain.ascii, options).unicode == line);
    if (domain.ascii != domain.unicode) ++internationalised;
  }
  CHECK(internationalised > 100);
}
