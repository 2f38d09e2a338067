// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/url.h"

#include "ascii.h"
#include "violation.h"

#include "nerve/validate/domain.h"
#include "nerve/validate/ip.h"

#include <algorithm>
#include <charconv>

namespace nerve::validate {
namespace {

constexpr std::string_view scheme = "https://";
constexpr unsigned port_max = 65535;

Violation broken_url(std::string_view rule, std::string_view message) {
  return violation("url", rule, message);
}

/// RFC 3986 §2: unreserved, gen-delims, sub-delims, and the sign that begins an escape.
bool is_url_character(char c) {
  constexpr std::string_view specials = "-._~:/?#[]@!$&'()*+,;=%";
  return is_alphanumeric(c) || specials.find(c) != std::string_view::npos;
}

bool has_scheme(std::string_view text) {
  return text.size() >= scheme.size() && std::equal(scheme.begin(), scheme.end(), text.begin(),
                                                    [](char a, char b) { return a == to_lower(b); });
}

bool has_broken_escape(std::string_view text) {
  for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    if (text.size() - at < 3 || !is_hex_digit(text[at + 1]) || !is_hex_digit(text[at + 2])) return true;
  }
  return false;
}

/// An empty port is one by RFC 3986 §3.2.3.
bool is_port(std::string_view text) {
  if (text.empty()) return true;
  unsigned port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failure == std::errc{} && end == text.data() + text.size() && port > 0 && port <= port_max;
}

/// The canonical form of a host as a URL writes it; nothing where it is none.
std::optional<std::string> canonical_host(std::string_view host) {
  if (host.starts_with('[')) {
    const std::string_view inner = host.substr(1, host.size() - 2);
    if (!host.ends_with(']') || !is_valid_ip_address(inner)) return std::nullopt;
    const IpAddress address = IpAddress::parse(inner);
    if (address.family() != IpFamily::v6) return std::nullopt;
    return "[" + address.to_string() + "]";
  }
  if (is_valid_domain(host)) return parse_domain(host).ascii;
  if (!is_valid_ip_address(host)) return std::nullopt;
  const IpAddress address = IpAddress::parse(host);
  if (address.family() != IpFamily::v4) return std::nullopt;
  return address.to_string();
}

std::optional<Violation> read_https_url(std::string_view text, std::string& canonical) {
  if (!has_scheme(text)) return broken_url("scheme", "must begin with https://");
  if (!std::all_of(text.begin(), text.end(), is_url_character) || has_broken_escape(text))
    return broken_url("characters", "has characters that a URL must escape");
  const std::string_view rest = text.substr(scheme.size());
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos)
    return broken_url("credentials", "has a user or password");
  const std::size_t host_end = authority.starts_with('[') ? authority.find(']') : 0;
  const std::size_t colon = authority.find(':', std::min(host_end, authority.size()));
  const auto host = canonical_host(authority.substr(0, colon));
  if (!host) return broken_url("host", "names no host");
  const std::string_view port = colon == std::string_view::npos ? "" : authority.substr(colon + 1);
  if (!is_port(port)) return broken_url("port", "has a port that is not a number from 1 to 65535");
  canonical = std::string(scheme) + *host + (port.empty() ? "" : ":" + std::string(port)) +
              std::string(rest.substr(authority.size()));
  return std::nullopt;
}

}  // namespace

std::string parse_https_url(std::string_view text) {
  std::string canonical;
  if (auto found = read_https_url(text, canonical))
    throw_violation(std::move(*found), "Give an address such as https://example.org/path.");
  return canonical;
}

std::optional<Violation> check_https_url(std::string_view text) {
  std::string ignored;
  return read_https_url(text, ignored);
}

bool is_valid_https_url(std::string_view text) {
  return !check_https_url(text);
}

}  // namespace nerve::validate
