// SPDX-License-Identifier: Apache-2.0
#include "fuzz/fuzz_target.h"

#include "nerve/core/text.h"
#include "nerve/validate/domain.h"
#include "nerve/validate/email.h"
#include "nerve/validate/ip.h"
#include "nerve/validate/rules.h"
#include "nerve/validate/rules_file.h"
#include "nerve/validate/text.h"
#include "nerve/validate/url.h"

#include <arpa/inet.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace nerve::fuzz {
namespace {

using validate::EmailOptions;
using validate::Field;
using validate::IpAddress;
using validate::IpNetwork;
using validate::RuleSet;
using validate::TextRules;

void fuzz_domain(std::string_view input) {
  const validate::DomainOptions options{.allow_single_label = true};
  if (!validate::is_valid_domain(input, options)) return;
  const auto domain = validate::parse_domain(input, options);
  const bool is_ldh = std::all_of(domain.ascii.begin(), domain.ascii.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  require(is_ldh, "a canonical domain is lower-case letters, digits, hyphens and dots");
  require(!domain.ascii.empty() && domain.ascii.size() <= validate::domain_size_bytes_max,
          "a domain has 1 to 253 octets");
  require(!validate::is_valid_ip_address(domain.ascii), "a domain is no IP address");
  const auto again = validate::parse_domain(domain.ascii, options);
  require(again.ascii == domain.ascii, "the canonical domain is its own canonical form");
  require(again.unicode == domain.unicode, "the canonical domain has the same U-labels");
  if (validate::is_valid_domain(domain.unicode, options)) {
    require(validate::parse_domain(domain.unicode, options).ascii == domain.ascii,
            "U-labels lead back to the domain");
  }
}

void fuzz_email(std::string_view input) {
  const EmailOptions options{.allow_address_literal = true, .allow_utf8_local = true};
  if (!validate::is_valid_email(input, options)) {
    require(!validate::is_valid_email(input), "options accept more, never less");
    return;
  }
  const auto address = validate::parse_email(input, options);
  const std::string canonical = address.canonical();
  require(canonical.size() <= validate::email_size_bytes_max, "an address has at most 254 octets");
  require(canonical.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos,
          "an address has no CR, LF or NUL");
  require(is_valid_utf8(canonical), "an address is valid UTF-8");
  require(validate::parse_email(canonical, options) == address, "the canonical address reads back as itself");
}

void fuzz_ip(std::string_view input) {
  if (validate::is_valid_ip_address(input)) {
    const auto address = IpAddress::parse(input);
    const std::string text = address.to_string();
    require(IpAddress::parse(text) == address, "an address reads back as itself");
    std::array<unsigned char, 16> octets{};
    const int family = address.family() == validate::IpFamily::v4 ? AF_INET : AF_INET6;
    require(inet_pton(family, text.c_str(), octets.data()) == 1, "the system reads the canonical address");
    require(std::equal(address.octets().begin(), address.octets().end(), octets.begin()),
            "the system reads the same octets");
    require(!address.is_global() || !address.is_private(), "no address is both global and private");
  }
  if (validate::is_valid_ip_network(input)) {
    const auto network = IpNetwork::parse(input);
    require(IpNetwork::parse(network.to_string()) == network, "a network reads back as itself");
    require(network.contains(network.address()) && network.contains(network), "a network contains itself");
  }
  const validate::NetworkOptions mask{.mask_host_bits = true};
  if (validate::is_valid_ip_network(input, mask)) {
    const std::string text = IpNetwork::parse(input, mask).to_string();
    require(validate::is_valid_ip_network(text), "a masked network needs no mask");
  }
}

void fuzz_url(std::string_view input) {
  if (!validate::is_valid_https_url(input)) return;
  const std::string canonical = validate::parse_https_url(input);
  require(canonical.starts_with("https://"), "an https URL begins with its scheme");
  require(std::all_of(canonical.begin(), canonical.end(), [](char c) { return c > ' ' && c < '\x7f'; }),
          "an https URL has neither spaces nor line ends");
  require(validate::parse_https_url(canonical) == canonical, "a canonical URL reads back as itself");
}

std::optional<std::string> sanitized(std::string_view input, const TextRules& rules) {
  try {
    return validate::sanitize_text(input, rules);
  } catch (const ValidationError&) {
    return std::nullopt;
  }
}

void fuzz_text(std::string_view input) {
  const std::vector<TextRules> all_rules = {{},
                                            {.length_max = 7, .strip_html = true},
                                            {.allow_newlines = true, .strip_html = true},
                                            {.length_max = 5, .trim = false, .normalize_spaces = false}};
  for (const TextRules& rules : all_rules) {
    const auto once = sanitized(input, rules);
    require(once.has_value() == (is_valid_utf8(input) && input.find('\0') == std::string_view::npos),
            "text is refused if and only if it is not UTF-8 or has a NUL");
    if (!once) continue;
    require(is_valid_utf8(*once), "sanitised text is valid UTF-8");
    require(sanitized(*once, rules) == once, "sanitising twice changes nothing more");
  }
  const std::string escaped = validate::escape_html(input);
  require(escaped.find_first_of("<>\"'") == std::string::npos, "escaped text has no markup characters");
}

RuleSet record_rules() {
  RuleSet inner;
  inner.field("city").required().text().length(1, 5).characters("a-z");
  RuleSet rules;
  rules.field("email").required().email();
  rules.field("age").integer().range(0, 150);
  rules.field("ratio").real().range(0.0, 1.0);
  rules.field("at").timestamp();
  rules.field("id").id();
  rules.field("host").domain();
  rules.field("net").cidr();
  rules.field("name").name().length(1, 9);
  rules.field("url").https_url();
  rules.field("rows").list(Field().object(inner)).length(0, 3);
  rules.cross_check(
      "order", {"age", "ratio"}, [](const Json& record) { return record["age"] >= record["ratio"]; },
      "must not be below ratio");
  return rules;
}

void fuzz_rules(std::string_view input) {
  const Json record = Json::parse(input, nullptr, false);
  if (record.is_discarded()) return;
  static const RuleSet rules = record_rules();
  const auto violations = rules.check(record);
  require(violations.size() <= validate::violations_max, "a check stops at its limit");
  for (const Violation& violation : violations) {
    require(!violation.field.empty() && !violation.rule.empty() && !violation.message.empty(),
            "a violation names its field, its rule and what is wrong");
  }
  Json canonical = record;
  require(rules.canonicalize(canonical).size() == violations.size(), "both ways find the same");
  if (!violations.empty()) return;
  const Json once = canonical;
  require(rules.canonicalize(canonical).empty() && canonical == once,
          "a record in its canonical form keeps its rules and does not change");
}

void fuzz_rules_file(std::string_view input) {
  try {
    const RuleSet rules = validate::parse_rules(input, "rules");
    rules.check({{"email", "a@example.org"}, {"n", 5}, {"o", {{"a", nullptr}}}, {"l", {"a", 1}}});
  } catch (const ValidationError&) {
  }
}

}  // namespace

std::vector<std::string> fuzz_corpus() {
  return {
      "example.org",
      "Bücher.例え.xn--zckzah.",
      "xn--ls8h.la",
      "r3---sn.xn--bcher-kva.de",
      "john.doe+tag@example.org",
      R"("john \"d\" @"@[IPv6:2001:db8::1])",
      "jürgen@[192.0.2.1]",
      "192.0.2.128/25",
      "255.255.255.255",
      "2001:db8:0:0:1:0:0:1",
      "::ffff:192.0.2.1",
      "64:ff9b::8.8.8.8/96",
      "a <b href=\"x>y\">c</b> <!-- d --> <script>e</script> <3 &amp;",
      // NOLINTNEXTLINE(misc-misleading-bidirectional): the control that must be removed
      "e\u0301\u200D\U0001F469\u200D\U0001F467 \r\n\t \u202Ex",
      R"({"email": "a@example.org", "age": 36, "ratio": 0.5, "at": "2024-02-29T12:00:00.123456+02:00"})",
      "HTTPS://Example.ORG:8443/a%20b?c#d",
      R"({"name": " Ada  L ", "url": "https://[2001:DB8::1]/"})",
      R"({"fields": {"email": {"type": "email", "required": true}, "n": {"type": "integer", "range": [0, 1.5]}}})",
      R"({"fields": {"o": {"type": "object", "fields": {"a": {"one_of": ["x"]}}, "unknown_fields": "ignore"}}})",
      R"({"fields": {"l": {"type": "list", "items": {"characters": "a-z", "nullable": true}, "length": [0, 9]}}})",
      R"({"id": "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "net": "::/0", "host": "a.b", "rows": [{"city": "bonn"}, 7]})",
  };
}

void fuzz_one(std::string_view input) {
  fuzz_domain(input);
  fuzz_email(input);
  fuzz_ip(input);
  fuzz_url(input);
  fuzz_text(input);
  fuzz_rules(input);
  fuzz_rules_file(input);
}

}  // namespace nerve::fuzz
