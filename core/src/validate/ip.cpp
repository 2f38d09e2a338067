// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/ip.h"

#include "ascii.h"
#include "ip_prefix.h"
#include "violation.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace nerve::validate {
namespace {

// The longest text form of an address is "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".
constexpr std::size_t text_size_bytes_max = 45;
constexpr std::array<std::uint8_t, 12> mapped_v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

int family_bits(IpFamily family) {
  return family == IpFamily::v4 ? 32 : 128;
}

/// Two hexadecimal groups cannot be told apart from one octet pair once they are bytes, so text is built from
/// these.
std::array<unsigned, 8> groups_of(std::span<const std::uint8_t> octets) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = octets[2 * i] * 256u + octets[2 * i + 1];
  return groups;
}

struct Run {
  std::size_t start = 0;
  std::size_t length = 0;
};

/// The run of zero groups that "::" stands for: the longest, the first of equals, and never a single group
/// (RFC 5952 §4.2).
Run compressed_run(const std::array<unsigned, 8>& groups) {
  Run best;
  Run current;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    current = groups[i] != 0 ? Run{i + 1, 0} : Run{current.start, current.length + 1};
    if (current.length > best.length) best = current;
  }
  return best.length < 2 ? Run{} : best;
}

std::string v6_text(std::span<const std::uint8_t> octets) {
  const auto groups = groups_of(octets);
  const Run run = compressed_run(groups);
  std::string text;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (run.length != 0 && i == run.start) {
      text += "::";
      i += run.length - 1;
      continue;
    }
    if (!text.empty() && !text.ends_with(':')) text += ':';
    fmt::format_to(std::back_inserter(text), "{:x}", groups[i]);
  }
  return text;
}

Violation broken_address(std::string_view rule, std::string_view message) {
  return violation("address", rule, message);
}

/// Says why inet_pton refused `text`, in the cases that people stumble over.
Violation format_violation(std::string_view text) {
  if (text.find(':') != std::string_view::npos) return broken_address("format", "is not an IPv6 address");
  const bool leading_zero = [text] {
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
      if (text[i] == '0' && (i == 0 || text[i - 1] == '.') && is_digit(text[i + 1])) return true;
    }
    return false;
  }();
  if (leading_zero)
    return broken_address("leading_zero", "has a leading zero, which some programs read as octal");
  return broken_address("format", "is neither an IPv4 address of four decimal numbers nor an IPv6 address");
}

std::optional<Violation> read_address(std::string_view text, IpAddress& address) {
  if (text.empty()) return broken_address("empty", "is empty");
  if (text.find('%') != std::string_view::npos) {
    return broken_address("zone", "has a zone id, which means something on one machine only");
  }
  if (text.find('/') != std::string_view::npos)
    return broken_address("format", "has a prefix length, as a network has");
  if (text.size() > text_size_bytes_max) return broken_address("format", "is too long for an IP address");
  const bool clean =
      std::all_of(text.begin(), text.end(), [](char c) { return is_hex_digit(c) || c == '.' || c == ':'; });
  if (!clean) return format_violation(text);

  const std::string terminated(text);
  if (text.find(':') == std::string_view::npos) {
    std::array<std::uint8_t, 4> octets{};
    if (inet_pton(AF_INET, terminated.c_str(), octets.data()) != 1) return format_violation(text);
    address = IpAddress::from_v4(octets);
  } else {
    std::array<std::uint8_t, 16> octets{};
    if (inet_pton(AF_INET6, terminated.c_str(), octets.data()) != 1) return format_violation(text);
    address = IpAddress::from_v6(octets);
  }
  return std::nullopt;
}

struct Cidr {
  IpAddress address;
  int prefix_bits = 0;
};

std::optional<int> read_prefix(std::string_view text, int bits_max) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  int bits = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (failure != std::errc{} || end != text.data() + text.size() || bits < 0 || bits > bits_max)
    return std::nullopt;
  return bits;
}

IpAddress masked(const IpAddress& address, int prefix_bits) {
  std::array<std::uint8_t, 16> octets{};
  std::copy(address.octets().begin(), address.octets().end(), octets.begin());
  for (int bit = prefix_bits; bit < family_bits(address.family()); ++bit) {
    octets[static_cast<std::size_t>(bit / 8)] &= static_cast<std::uint8_t>(~(0x80 >> (bit % 8)));
  }
  if (address.family() == IpFamily::v6) return IpAddress::from_v6(octets);
  return IpAddress::from_v4({octets[0], octets[1], octets[2], octets[3]});
}

std::optional<Violation> read_network(std::string_view text, NetworkOptions options, Cidr& cidr) {
  const auto refuse = [](std::string_view rule, std::string_view message) {
    return violation("network", rule, message);
  };
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return refuse("prefix", "has no prefix length, such as /24");
  if (auto found = read_address(text.substr(0, slash), cidr.address)) {
    return refuse(found->rule, "has an address that " + found->message);
  }
  const int bits_max = family_bits(cidr.address.family());
  const auto bits = read_prefix(text.substr(slash + 1), bits_max);
  if (!bits)
    return refuse("prefix", fmt::format("has a prefix length that is not a number from 0 to {}", bits_max));
  cidr.prefix_bits = *bits;
  const IpAddress network = masked(cidr.address, *bits);
  if (network != cidr.address && !options.mask_host_bits) {
    return refuse("host_bits", "has bits set past its prefix");
  }
  cidr.address = network;
  return std::nullopt;
}

}  // namespace

IpAddress IpAddress::parse(std::string_view text) {
  IpAddress address;
  if (auto found = read_address(text, address)) {
    throw_violation(std::move(*found), "Write it like 192.0.2.1 or 2001:db8::1.");
  }
  return address;
}

IpAddress IpAddress::from_v4(const std::array<std::uint8_t, 4>& octets) {
  IpAddress address;
  std::copy(octets.begin(), octets.end(), address.octets_.begin());
  return address;
}

IpAddress IpAddress::from_v6(const std::array<std::uint8_t, 16>& octets) {
  IpAddress address;
  address.family_ = IpFamily::v6;
  address.octets_ = octets;
  return address;
}

std::span<const std::uint8_t> IpAddress::octets() const& noexcept {
  return std::span(octets_).first(family_ == IpFamily::v4 ? 4 : 16);
}

std::string IpAddress::to_string() const {
  if (family_ == IpFamily::v4) {
    return fmt::format("{}.{}.{}.{}", octets_[0], octets_[1], octets_[2], octets_[3]);
  }
  if (const auto v4 = mapped_v4()) return "::ffff:" + v4->to_string();
  return v6_text(octets_);
}

std::optional<IpAddress> IpAddress::mapped_v4() const {
  if (family_ != IpFamily::v6 || !has_prefix(octets_, mapped_v4_prefix, 96)) return std::nullopt;
  return from_v4({octets_[12], octets_[13], octets_[14], octets_[15]});
}

IpNetwork IpNetwork::parse(std::string_view text, NetworkOptions options) {
  Cidr cidr;
  if (auto found = read_network(text, options, cidr)) {
    const std::string_view hint = found->rule == "host_bits"
                                      ? "Write the network's first address, with zeros past the prefix."
                                      : "Write it like 192.0.2.0/24 or 2001:db8::/32.";
    throw_violation(std::move(*found), hint);
  }
  return {cidr.address, cidr.prefix_bits};
}

bool IpNetwork::contains(const IpAddress& address) const noexcept {
  return address.family() == address_.family() &&
         has_prefix(address.octets(), address_.octets(), static_cast<std::size_t>(prefix_bits_));
}

bool IpNetwork::contains(const IpNetwork& network) const noexcept {
  return network.prefix_bits_ >= prefix_bits_ && contains(network.address_);
}

std::string IpNetwork::to_string() const {
  return fmt::format("{}/{}", address_.to_string(), prefix_bits_);
}

std::optional<Violation> check_ip_address(std::string_view text) {
  IpAddress ignored;
  return read_address(text, ignored);
}

std::optional<Violation> check_ip_network(std::string_view text, NetworkOptions options) {
  Cidr ignored;
  return read_network(text, options, ignored);
}

bool is_valid_ip_address(std::string_view text) {
  return !check_ip_address(text);
}

bool is_valid_ip_network(std::string_view text, NetworkOptions options) {
  return !check_ip_network(text, options);
}

}  // namespace nerve::validate
