// SPDX-License-Identifier: Apache-2.0
// What an address is for, by the IANA IPv4 and IPv6 special-purpose address registries as of 2025 (RFC 6890,
// RFC 8190).
#include "ip_prefix.h"

#include "nerve/validate/ip.h"

#include <array>

namespace nerve::validate {
namespace {

using V4 = std::array<std::uint8_t, 4>;
using V6 = std::array<std::uint16_t, 8>;

constexpr bool global = true;
constexpr bool local = false;

constexpr SpecialBlock block(const V4& octets, std::uint8_t bits, bool reachable, std::string_view name,
                             std::string_view source) {
  SpecialBlock made{{}, bits, IpFamily::v4, reachable, name, source};
  for (std::size_t i = 0; i < octets.size(); ++i) made.prefix[i] = octets[i];
  return made;
}

constexpr SpecialBlock block(const V6& groups, std::uint8_t bits, bool reachable, std::string_view name,
                             std::string_view source) {
  SpecialBlock made{{}, bits, IpFamily::v6, reachable, name, source};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    made.prefix[2 * i] = static_cast<std::uint8_t>(groups[i] >> 8);
    made.prefix[2 * i + 1] = static_cast<std::uint8_t>(groups[i] & 0xFF);
  }
  return made;
}

// What the registry marks "N/A" (Teredo, 6to4, the deprecated relays and ORCHID) stands here as not
// reachable.
constexpr auto special_blocks = std::to_array<SpecialBlock>({
    block(V4{0, 0, 0, 0}, 8, local, "\"This network\"", "RFC 791"),
    block(V4{0, 0, 0, 0}, 32, local, "\"This host on this network\"", "RFC 1122"),
    block(V4{10, 0, 0, 0}, 8, local, "Private-Use", "RFC 1918"),
    block(V4{100, 64, 0, 0}, 10, local, "Shared Address Space", "RFC 6598"),
    block(V4{127, 0, 0, 0}, 8, local, "Loopback", "RFC 1122"),
    block(V4{169, 254, 0, 0}, 16, local, "Link Local", "RFC 3927"),
    block(V4{172, 16, 0, 0}, 12, local, "Private-Use", "RFC 1918"),
    block(V4{192, 0, 0, 0}, 24, local, "IETF Protocol Assignments", "RFC 6890"),
    block(V4{192, 0, 0, 0}, 29, local, "IPv4 Service Continuity Prefix", "RFC 7335"),
    block(V4{192, 0, 0, 8}, 32, local, "IPv4 dummy address", "RFC 7600"),
    block(V4{192, 0, 0, 9}, 32, global, "Port Control Protocol Anycast", "RFC 7723"),
    block(V4{192, 0, 0, 10}, 32, global, "Traversal Using Relays around NAT Anycast", "RFC 8155"),
    block(V4{192, 0, 0, 170}, 32, local, "NAT64/DNS64 Discovery", "RFC 7050"),
    block(V4{192, 0, 0, 171}, 32, local, "NAT64/DNS64 Discovery", "RFC 7050"),
    block(V4{192, 0, 2, 0}, 24, local, "Documentation (TEST-NET-1)", "RFC 5737"),
    block(V4{192, 31, 196, 0}, 24, global, "AS112-v4", "RFC 7535"),
    block(V4{192, 52, 193, 0}, 24, global, "AMT", "RFC 7450"),
    block(V4{192, 88, 99, 0}, 24, local, "Deprecated (6to4 Relay Anycast)", "RFC 7526"),
    block(V4{192, 88, 99, 2}, 32, local, "6a44-relay anycast address", "RFC 6751"),
    block(V4{192, 168, 0, 0}, 16, local, "Private-Use", "RFC 1918"),
    block(V4{192, 175, 48, 0}, 24, global, "Direct Delegation AS112 Service", "RFC 7534"),
    block(V4{198, 18, 0, 0}, 15, local, "Benchmarking", "RFC 2544"),
    block(V4{198, 51, 100, 0}, 24, local, "Documentation (TEST-NET-2)", "RFC 5737"),
    block(V4{203, 0, 113, 0}, 24, local, "Documentation (TEST-NET-3)", "RFC 5737"),
    block(V4{224, 0, 0, 0}, 4, local, "Multicast", "RFC 5771"),
    block(V4{240, 0, 0, 0}, 4, local, "Reserved", "RFC 1112"),
    block(V4{255, 255, 255, 255}, 32, local, "Limited Broadcast", "RFC 919"),

    block(V6{0, 0, 0, 0, 0, 0, 0, 1}, 128, local, "Loopback Address", "RFC 4291"),
    block(V6{0, 0, 0, 0, 0, 0, 0, 0}, 128, local, "Unspecified Address", "RFC 4291"),
    block(V6{0, 0, 0, 0, 0, 0xFFFF, 0, 0}, 96, local, "IPv4-mapped Address", "RFC 4291"),
    block(V6{0x64, 0xFF9B}, 96, global, "IPv4-IPv6 Translat.", "RFC 6052"),
    block(V6{0x64, 0xFF9B, 1}, 48, local, "IPv4-IPv6 Translat.", "RFC 8215"),
    block(V6{0x100}, 64, local, "Discard-Only Address Block", "RFC 6666"),
    block(V6{0x100, 0, 0, 1}, 64, local, "Dummy IPv6 Prefix", "RFC 9780"),
    block(V6{0x2001}, 23, local, "IETF Protocol Assignments", "RFC 2928"),
    block(V6{0x2001}, 32, local, "TEREDO", "RFC 4380"),
    block(V6{0x2001, 1, 0, 0, 0, 0, 0, 1}, 128, global, "Port Control Protocol Anycast", "RFC 7723"),
    block(V6{0x2001, 1, 0, 0, 0, 0, 0, 2}, 128, global, "Traversal Using Relays around NAT Anycast",
          "RFC 8155"),
    block(V6{0x2001, 1, 0, 0, 0, 0, 0, 3}, 128, global, "DNS-SD Service Registration Protocol Anycast",
          "RFC 9665"),
    block(V6{0x2001, 2}, 48, local, "Benchmarking", "RFC 5180"),
    block(V6{0x2001, 3}, 32, global, "AMT", "RFC 7450"),
    block(V6{0x2001, 4, 0x112}, 48, global, "AS112-v6", "RFC 7535"),
    block(V6{0x2001, 0x10}, 28, local, "Deprecated (previously ORCHID)", "RFC 4843"),
    block(V6{0x2001, 0x20}, 28, global, "ORCHIDv2", "RFC 7343"),
    block(V6{0x2001, 0x30}, 28, global, "Drone Remote ID Protocol Entity Tags (DETs) Prefix", "RFC 9374"),
    block(V6{0x2001, 0xDB8}, 32, local, "Documentation", "RFC 3849"),
    block(V6{0x2002}, 16, local, "6to4", "RFC 3056"),
    block(V6{0x2620, 0x4F, 0x8000}, 48, global, "Direct Delegation AS112 Service", "RFC 7534"),
    block(V6{0x3FFF}, 20, local, "Documentation", "RFC 9637"),
    block(V6{0x5F00}, 16, local, "Segment Routing (SRv6) SIDs", "RFC 9602"),
    block(V6{0xFC00}, 7, local, "Unique-Local", "RFC 4193"),
    block(V6{0xFE80}, 10, local, "Link-Local Unicast", "RFC 4291"),
    block(V6{0xFF00}, 8, local, "Multicast", "RFC 4291"),
});

/// The block of `address`, seen through an IPv4-mapped address to the one that it stands for.
const SpecialBlock* effective_block(const IpAddress& address) noexcept {
  const auto v4 = address.mapped_v4();
  return v4 ? v4->special_block() : address.special_block();
}

bool is_named(const IpAddress& address, std::string_view v4_name, std::string_view v6_name) noexcept {
  const SpecialBlock* found = effective_block(address);
  if (found == nullptr) return false;
  return found->name == (found->family == IpFamily::v4 ? v4_name : v6_name);
}

}  // namespace

const SpecialBlock* IpAddress::special_block() const noexcept {
  const SpecialBlock* best = nullptr;
  for (const SpecialBlock& candidate : special_blocks) {
    if (candidate.family != family_ || !has_prefix(octets_, candidate.prefix, candidate.prefix_bits))
      continue;
    if (best == nullptr || candidate.prefix_bits > best->prefix_bits) best = &candidate;
  }
  return best;
}

bool IpAddress::is_private() const noexcept {
  return is_named(*this, "Private-Use", "Unique-Local");
}

bool IpAddress::is_loopback() const noexcept {
  return is_named(*this, "Loopback", "Loopback Address");
}

bool IpAddress::is_link_local() const noexcept {
  return is_named(*this, "Link Local", "Link-Local Unicast");
}

bool IpAddress::is_multicast() const noexcept {
  return is_named(*this, "Multicast", "Multicast");
}

bool IpAddress::is_global() const noexcept {
  const SpecialBlock* found = special_block();
  if (family_ == IpFamily::v4) return found == nullptr || found->is_globally_reachable;
  if (found != nullptr && !found->is_globally_reachable) return false;
  // A translated address reaches the IPv4 address in its last four octets (RFC 6052 §3.1 wants that one to be
  // global).
  if (found != nullptr && found->source == "RFC 6052") {
    return from_v4({octets_[12], octets_[13], octets_[14], octets_[15]}).is_global();
  }
  return (octets_[0] & 0xE0) == 0x20;
}

}  // namespace nerve::validate
