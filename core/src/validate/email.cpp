// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/email.h"

#include "ascii.h"
#include "unicode.h"
#include "violation.h"

#include "nerve/core/text.h"
#include "nerve/validate/domain.h"
#include "nerve/validate/ip.h"

#include <algorithm>

namespace nerve::validate {
namespace {

// An address whose domain is internationalised is longer before it is mapped; this bounds the work on what
// cannot be one, at four octets for each code point of the longest domain.
constexpr std::size_t email_input_size_bytes_max = email_local_size_bytes_max + 1 + 4 * domain_size_bytes_max;

Violation broken_email(std::string_view rule, std::string_view message) {
  return violation("email", rule, message);
}

/// RFC 5322 §3.2.3 atext.
bool is_atom_character(char c) {
  constexpr std::string_view specials = "!#$%&'*+-/=?^_`{|}~";
  return is_alphanumeric(c) || specials.find(c) != std::string_view::npos;
}

std::optional<Violation> check_characters(std::string_view text) {
  while (!text.empty()) {
    const CodePoint c = first_code_point(text);
    if (!c.valid) return broken_email("utf8", "is not valid UTF-8");
    if (is_control(c.value)) return broken_email("control_character", "has a control character");
    if (is_bidi_control(c.value)) return broken_email("bidi_control", "has a character that reorders text");
    text.remove_prefix(c.size_bytes);
  }
  return std::nullopt;
}

/// Where the quoted string that opens `text` ends: the offset after its closing quote, or nothing.
std::optional<std::size_t> quoted_end(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return std::nullopt;
}

/// The offset of the "@" between local part and domain; nothing where there is none. In a quoted local part
/// "@" is an ordinary character.
std::optional<std::size_t> find_at(std::string_view text) {
  std::size_t start = 0;
  if (text.starts_with('"')) {
    const auto end = quoted_end(text);
    if (!end) return std::nullopt;
    start = *end;
  }
  const std::size_t at = text.find('@', start);
  if (at == std::string_view::npos) return std::nullopt;
  return at;
}

/// A quoted character may be any printable one: RFC 5321 §4.1.2 quoted-pairSMTP has no UTF-8.
std::optional<Violation> check_quoted(std::string_view local) {
  const auto end = quoted_end(local);
  if (!end || *end != local.size())
    return broken_email("quoted_string", "has text after the quoted part before its @");
  for (std::size_t i = 1; i + 1 < local.size(); ++i) {
    if (local[i] == '\\' && !is_ascii(local[++i])) {
      return broken_email("quoted_string", "has a backslash before a character that is not ASCII");
    }
  }
  return std::nullopt;
}

std::optional<Violation> check_dot_atom(std::string_view local) {
  if (local.find_first_of(" \t") != std::string_view::npos) {
    return broken_email("white_space", "has white space outside quotes");
  }
  if (local.find_first_of("()") != std::string_view::npos)
    return broken_email("comment", "has a comment in parentheses");
  if (local.find('<') != std::string_view::npos) {
    return broken_email("display_name", "has an angle bracket, as an address with a name has");
  }
  if (local.front() == '.' || local.back() == '.' || local.find("..") != std::string_view::npos) {
    return broken_email("dot_atom", "has a dot at the start or end of its local part, or two in a row");
  }
  const bool clean = std::all_of(local.begin(), local.end(),
                                 [](char c) { return is_atom_character(c) || c == '.' || !is_ascii(c); });
  if (!clean) return broken_email("local_characters", "has a character before its @ that needs quotes");
  return std::nullopt;
}

std::optional<Violation> check_local(std::string_view local, EmailOptions options) {
  if (local.empty()) return broken_email("local_empty", "has nothing before its @");
  if (local.size() > email_local_size_bytes_max) {
    return broken_email("local_length", "has more than 64 octets before its @");
  }
  if (!options.allow_utf8_local && !std::all_of(local.begin(), local.end(), is_ascii)) {
    return broken_email("local_ascii", "has a character before its @ that is not ASCII");
  }
  return local.starts_with('"') ? check_quoted(local) : check_dot_atom(local);
}

/// Reads RFC 5321 §4.1.3 address literals, of which only the two registered kinds exist.
std::optional<Violation> read_literal(std::string_view domain, EmailOptions options, std::string& canonical) {
  if (!options.allow_address_literal)
    return broken_email("address_literal", "has an IP address for a domain");
  constexpr std::string_view tag = "ipv6:";
  if (!domain.ends_with(']'))
    return broken_email("address_literal", "has an address literal without its closing bracket");
  std::string_view inner = domain.substr(1, domain.size() - 2);
  const bool tagged =
      std::equal(tag.begin(), tag.end(), inner.begin(),
                 inner.begin() + static_cast<std::ptrdiff_t>(std::min(tag.size(), inner.size())),
                 [](char a, char b) { return a == to_lower(b); });
  if (tagged) inner.remove_prefix(tag.size());
  if (auto found = check_ip_address(inner)) {
    return broken_email("address_literal", "has an address literal that " + found->message);
  }
  const IpAddress address = IpAddress::parse(inner);
  if (tagged != (address.family() == IpFamily::v6)) {
    return broken_email("address_literal",
                        "has an address literal without the tag IPv6: or with a wrong one");
  }
  canonical = (tagged ? "[IPv6:" : "[") + address.to_string() + "]";
  return std::nullopt;
}

std::optional<Violation> read_domain_part(std::string_view text, EmailOptions options,
                                          std::string& canonical) {
  if (text.empty()) return broken_email("domain_empty", "has nothing after its @");
  if (text.front() == '[') return read_literal(text, options, canonical);
  if (text.find('@') != std::string_view::npos)
    return broken_email("at_sign", "has more than one @ outside quotes");
  if (text.find_first_of("()") != std::string_view::npos)
    return broken_email("comment", "has a comment in parentheses");
  if (text.find_first_of(" \t") != std::string_view::npos)
    return broken_email("white_space", "has white space");
  if (text.ends_with('.')) return broken_email("domain_trailing_dot", "has a dot at its end");
  if (auto found = check_domain(text)) return broken_email("domain", "has a domain that " + found->message);
  canonical = parse_domain(text).ascii;
  return std::nullopt;
}

std::optional<Violation> read_email(std::string_view text, EmailOptions options, EmailAddress& address) {
  if (text.empty()) return broken_email("empty", "is empty");
  if (text.size() > email_input_size_bytes_max) return broken_email("length", "is longer than 254 octets");
  if (auto found = check_characters(text)) return found;
  const auto at = find_at(text);
  if (!at) return broken_email("at_sign", "has no @ between a local part and a domain");
  if (auto found = check_local(text.substr(0, *at), options)) return found;
  if (auto found = read_domain_part(text.substr(*at + 1), options, address.domain_ascii)) return found;
  address.local = text.substr(0, *at);
  if (address.canonical().size() > email_size_bytes_max)
    return broken_email("length", "is longer than 254 octets");
  return std::nullopt;
}

}  // namespace

EmailAddress parse_email(std::string_view text, EmailOptions options) {
  EmailAddress address;
  if (auto found = read_email(text, options, address)) {
    throw_violation(std::move(*found),
                    "Give a bare address such as name@example.org, without name or comment.");
  }
  return address;
}

std::optional<Violation> check_email(std::string_view text, EmailOptions options) {
  EmailAddress ignored;
  return read_email(text, options, ignored);
}

bool is_valid_email(std::string_view text, EmailOptions options) {
  return !check_email(text, options);
}

}  // namespace nerve::validate
