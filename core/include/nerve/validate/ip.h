// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace nerve::validate {

enum class IpFamily : std::uint8_t { v4, v6 };

/// A block of the IANA special-purpose address registries (RFC 6890), or of the multicast ranges beside them.
struct SpecialBlock {
  std::array<std::uint8_t, 16> prefix;  ///< an IPv4 prefix has its four octets first
  std::uint8_t prefix_bits;
  IpFamily family;
  bool is_globally_reachable;
  std::string_view name;    ///< as the registry spells it, such as "Private-Use"
  std::string_view source;  ///< the document that reserves it, such as "RFC 1918"
};

/// An IPv4 or IPv6 address. Ordered by family, then by number. An IPv4-mapped IPv6 address stays an IPv6
/// address, and is classified by the IPv4 address in it.
class IpAddress {
 public:
  /// 0.0.0.0.
  IpAddress() = default;

  /// Reads a dotted quad without leading zeros, or a form of RFC 4291 §2.2 (with "::" and a trailing IPv4
  /// part). Shortened, octal and hexadecimal IPv4 forms and zone ids ("%eth0") are refused. Throws
  /// ValidationError.
  static IpAddress parse(std::string_view text);

  static IpAddress from_v4(const std::array<std::uint8_t, 4>& octets);
  static IpAddress from_v6(const std::array<std::uint8_t, 16>& octets);

  IpFamily family() const noexcept { return family_; }

  /// The address in network order: 4 octets or 16, which live as long as this object.
  std::span<const std::uint8_t> octets() const& noexcept;
  std::span<const std::uint8_t> octets() const&& = delete;

  /// The canonical text: a dotted quad, or the form of RFC 5952 ("2001:db8::1", "::ffff:192.0.2.1").
  std::string to_string() const;

  /// The IPv4 address inside an IPv4-mapped IPv6 address (::ffff:0:0/96).
  std::optional<IpAddress> mapped_v4() const;

  /// The most specific registered block that holds the address, or nullptr. The block lives as long as the
  /// program.
  const SpecialBlock* special_block() const noexcept;

  bool is_private() const noexcept;     ///< RFC 1918, or unique-local (RFC 4193)
  bool is_loopback() const noexcept;    ///< 127.0.0.0/8, ::1
  bool is_link_local() const noexcept;  ///< 169.254.0.0/16, fe80::/10
  bool is_multicast() const noexcept;   ///< 224.0.0.0/4, ff00::/8

  /// Whether it is a unicast address that the whole internet may reach. On IPv6 that is only 2000::/3, from
  /// which all global addresses are assigned, and the translated IPv4 addresses of 64:ff9b::/96; what the
  /// registry leaves open (6to4, Teredo) and IPv4-mapped addresses are not global. Meant for deciding whether
  /// a request may go out.
  bool is_global() const noexcept;

  auto operator<=>(const IpAddress&) const = default;

 private:
  IpFamily family_ = IpFamily::v4;
  std::array<std::uint8_t, 16> octets_{};  // an IPv4 address has its four octets first, then zeros
};

struct NetworkOptions {
  bool mask_host_bits = false;  ///< accept "192.0.2.7/24" as 192.0.2.0/24 instead of refusing it
};

/// A network in CIDR notation (RFC 4632, RFC 4291 §2.3). Its address has no bits set past the prefix. Ordered
/// by family, then address, then prefix.
class IpNetwork {
 public:
  /// Reads "192.0.2.0/24" or "2001:db8::/32"; the prefix must be there. Throws ValidationError.
  static IpNetwork parse(std::string_view text, NetworkOptions options = {});

  const IpAddress& address() const noexcept { return address_; }
  int prefix_bits() const noexcept { return prefix_bits_; }

  bool contains(const IpAddress& address) const noexcept;
  bool contains(const IpNetwork& network) const noexcept;

  /// The canonical text, such as "2001:db8::/32".
  std::string to_string() const;

  auto operator<=>(const IpNetwork&) const = default;

 private:
  IpNetwork(const IpAddress& address, int prefix_bits) : address_(address), prefix_bits_(prefix_bits) {}

  IpAddress address_;
  int prefix_bits_;
};

/// The first rule that `text` breaks (its field is "address" or "network"), or nothing.
std::optional<Violation> check_ip_address(std::string_view text);
std::optional<Violation> check_ip_network(std::string_view text, NetworkOptions options = {});

bool is_valid_ip_address(std::string_view text);
bool is_valid_ip_network(std::string_view text, NetworkOptions options = {});

}  // namespace nerve::validate
