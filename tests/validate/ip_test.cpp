// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/ip.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

using nerve::ValidationError;
using nerve::validate::check_ip_address;
using nerve::validate::check_ip_network;
using nerve::validate::IpAddress;
using nerve::validate::IpFamily;
using nerve::validate::IpNetwork;
using nerve::validate::is_valid_ip_address;
using nerve::validate::NetworkOptions;

namespace {

std::string address_rule(std::string_view text) {
  const auto found = check_ip_address(text);
  return found ? found->rule : "none";
}

std::string network_rule(std::string_view text, NetworkOptions options = {}) {
  const auto found = check_ip_network(text, options);
  return found ? found->rule : "none";
}

std::string canonical(std::string_view text) {
  return IpAddress::parse(text).to_string();
}

}  // namespace

TEST_CASE("an IPv4 address is four decimal numbers and nothing else") {
  CHECK(canonical("192.0.2.1") == "192.0.2.1");
  CHECK(canonical("0.0.0.0") == "0.0.0.0");
  CHECK(canonical("255.255.255.255") == "255.255.255.255");
  CHECK(address_rule("") == "empty");
  for (const char* text :
       {"256.0.0.1", "1.2.3", "1.2.3.4.5", "127.1", "2130706433", "0x7f.0.0.1", "1.2.3.4 ", " 1.2.3.4",
        "1..2.3", ".1.2.3", "1.2.3.", "+1.2.3.4", "1.2.3.a", "1.2.3.4/24", "1.2.3.4:80", "٢.1.1.1"}) {
    CAPTURE(std::string(text));
    CHECK(address_rule(text) == "format");
  }
}

TEST_CASE("leading zeros are refused, because some programs read octal") {
  for (const char* text : {"010.0.0.1", "10.01.0.1", "10.0.0.00", "00.0.0.0"}) {
    CAPTURE(std::string(text));
    CHECK(address_rule(text) == "leading_zero");
  }
  CHECK(address_rule("::ffff:192.0.02.1") == "format");
}

TEST_CASE("a NUL does not hide what follows it") {
  CHECK(address_rule(std::string_view("192.0.2.1\0.evil", 15)) == "format");
  CHECK(address_rule(std::string_view("::1\0", 4)) == "format");
}

// The pairs are those of RFC 4291 section 2.2 and of RFC 5952 sections 1, 2 and 4.
TEST_CASE("IPv6 text takes the canonical form of RFC 5952") {
  const std::vector<std::pair<std::string, std::string>> vectors = {
      {"ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "abcd:ef01:2345:6789:abcd:ef01:2345:6789"},
      {"2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"},
      {"FF01:0:0:0:0:0:0:101", "ff01::101"},
      {"0:0:0:0:0:0:0:1", "::1"},
      {"0:0:0:0:0:0:0:0", "::"},
      {"::FFFF:129.144.52.38", "::ffff:129.144.52.38"},
      {"::ffff:8190:3426", "::ffff:129.144.52.38"},
      {"2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"2001:db8::0:1", "2001:db8::1"},
      {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"},
      {"1:0:0:0:0:0:0:0", "1::"},
  };
  for (const auto& [text, expected] : vectors) {
    CAPTURE(text);
    CHECK(canonical(text) == expected);
    CHECK(IpAddress::parse(expected) == IpAddress::parse(text));
  }
}

TEST_CASE("what is no IPv6 text is refused") {
  for (const char* text : {":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7::8::", "12345::", "g::", "::1.2.3", "1.2.3.4::", "::1.2.3.4:5",
                           "[::1]", "::1]", "1:2:3:4:5:6:7:8::", "::ffff:256.0.0.1", ":1", "1:"}) {
    CAPTURE(std::string(text));
    CHECK(address_rule(text) == "format");
  }
  CHECK(address_rule("fe80::1%eth0") == "zone");
  CHECK(address_rule("fe80::1%25eth0") == "zone");
}

TEST_CASE("addresses are ordered by family, then by number") {
  std::vector<IpAddress> addresses;
  for (const char* text : {"::1", "10.0.0.10", "10.0.0.9", "2001:db8::", "::", "9.255.255.255"}) {
    addresses.push_back(IpAddress::parse(text));
  }
  std::sort(addresses.begin(), addresses.end());
  std::vector<std::string> sorted;
  for (const auto& address : addresses) sorted.push_back(address.to_string());
  CHECK(sorted ==
        std::vector<std::string>{"9.255.255.255", "10.0.0.9", "10.0.0.10", "::", "::1", "2001:db8::"});
}

TEST_CASE("octets come in network order") {
  const auto v4 = IpAddress::parse("192.0.2.1");
  CHECK(std::vector<int>(v4.octets().begin(), v4.octets().end()) == std::vector<int>{192, 0, 2, 1});
  const auto v6 = IpAddress::parse("2001:db8::1");
  CHECK(v6.octets().size() == 16);
  CHECK(v6.octets()[1] == 0x01);
}

TEST_CASE("a mapped address knows the IPv4 address in it and is not equal to it") {
  const auto mapped = IpAddress::parse("::ffff:192.0.2.1");
  CHECK(mapped.family() == IpFamily::v6);
  REQUIRE(mapped.mapped_v4());
  CHECK(mapped.mapped_v4()->to_string() == "192.0.2.1");
  CHECK(mapped != *mapped.mapped_v4());
  CHECK_FALSE(IpAddress::parse("::192.0.2.1").mapped_v4());
  CHECK_FALSE(IpAddress::parse("192.0.2.1").mapped_v4());
}

// Column "Globally Reachable" of the IANA special-purpose registries, first and last address of blocks and
// neighbours.
TEST_CASE("global is what the IANA registries call globally reachable") {
  for (const char* text :
       {"8.8.8.8",         "1.0.0.0",          "9.255.255.255", "11.0.0.0",       "100.63.255.255",
        "100.128.0.0",     "172.15.255.255",   "172.32.0.0",    "192.0.0.9",      "192.0.0.10",
        "192.31.196.1",    "192.52.193.1",     "192.175.48.1",  "198.17.255.255", "198.20.0.0",
        "223.255.255.255", "2600::1",          "2001:200::1",   "2001:1::1",      "2001:1::2",
        "2001:1::3",       "2001:3::1",        "2001:4:112::1", "2001:20::1",     "2001:30::1",
        "2620:4f:8000::1", "64:ff9b::8.8.8.8", "3fff:1000::1"}) {
    CAPTURE(std::string(text));
    CHECK(IpAddress::parse(text).is_global());
  }
  for (const char* text : {"0.0.0.0",
                           "0.255.255.255",
                           "10.0.0.0",
                           "10.255.255.255",
                           "100.64.0.0",
                           "100.127.255.255",
                           "127.0.0.1",
                           "127.255.255.255",
                           "169.254.169.254",
                           "172.16.0.0",
                           "172.31.255.255",
                           "192.0.0.1",
                           "192.0.0.8",
                           "192.0.0.170",
                           "192.0.2.1",
                           "192.88.99.1",
                           "192.168.0.0",
                           "192.168.255.255",
                           "198.18.0.0",
                           "198.19.255.255",
                           "198.51.100.1",
                           "203.0.113.1",
                           "224.0.0.1",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::ffff:8.8.8.8",
                           "::ffff:10.0.0.1",
                           "::8.8.8.8",
                           "64:ff9b::10.0.0.1",
                           "64:ff9b::127.0.0.1",
                           "64:ff9b:1::1",
                           "100::1",
                           "100:0:0:1::1",
                           "2001::1",
                           "2001:2::1",
                           "2001:10::1",
                           "2001:db8::1",
                           "2002:7f00:1::",
                           "3fff::1",
                           "5f00::1",
                           "fc00::1",
                           "fdff::1",
                           "fe80::1",
                           "fec0::1",
                           "ff02::1",
                           "4000::1"}) {
    CAPTURE(std::string(text));
    CHECK_FALSE(IpAddress::parse(text).is_global());
  }
}

TEST_CASE("private, loopback, link-local and multicast are told apart") {
  CHECK(IpAddress::parse("10.1.2.3").is_private());
  CHECK(IpAddress::parse("172.31.0.1").is_private());
  CHECK(IpAddress::parse("192.168.1.1").is_private());
  CHECK(IpAddress::parse("fd12:3456::1").is_private());
  CHECK(IpAddress::parse("::ffff:10.1.2.3").is_private());
  CHECK_FALSE(IpAddress::parse("172.32.0.1").is_private());
  CHECK_FALSE(IpAddress::parse("100.64.0.1").is_private());
  CHECK(IpAddress::parse("127.8.9.1").is_loopback());
  CHECK(IpAddress::parse("::1").is_loopback());
  CHECK(IpAddress::parse("::ffff:127.0.0.1").is_loopback());
  CHECK_FALSE(IpAddress::parse("128.0.0.1").is_loopback());
  CHECK(IpAddress::parse("169.254.169.254").is_link_local());
  CHECK(IpAddress::parse("febf::1").is_link_local());
  CHECK_FALSE(IpAddress::parse("fec0::1").is_link_local());
  CHECK(IpAddress::parse("239.255.255.255").is_multicast());
  CHECK(IpAddress::parse("ff02::1").is_multicast());
  CHECK_FALSE(IpAddress::parse("240.0.0.1").is_multicast());
}

TEST_CASE("the most specific special block is found, with the document that reserves it") {
  const auto* pcp = IpAddress::parse("192.0.0.9").special_block();
  REQUIRE(pcp != nullptr);
  CHECK(pcp->prefix_bits == 32);
  CHECK(pcp->source == "RFC 7723");
  const auto* teredo = IpAddress::parse("2001::1").special_block();
  REQUIRE(teredo != nullptr);
  CHECK(teredo->name == "TEREDO");
  CHECK(IpAddress::parse("8.8.8.8").special_block() == nullptr);
}

TEST_CASE("a network is written as its first address and its prefix") {
  CHECK(IpNetwork::parse("192.0.2.0/24").to_string() == "192.0.2.0/24");
  CHECK(IpNetwork::parse("2001:DB8::/32").to_string() == "2001:db8::/32");
  CHECK(IpNetwork::parse("0.0.0.0/0").to_string() == "0.0.0.0/0");
  CHECK(IpNetwork::parse("::/0").to_string() == "::/0");
  CHECK(IpNetwork::parse("192.0.2.1/32").to_string() == "192.0.2.1/32");
  CHECK(IpNetwork::parse("::1/128").prefix_bits() == 128);
}

TEST_CASE("a prefix is a plain number within the address") {
  for (const char* text :
       {"192.0.2.0", "192.0.2.0/", "192.0.2.0/33", "::/129", "192.0.2.0/-1", "192.0.2.0/+8", "192.0.2.0/024",
        "192.0.2.0/ 24", "192.0.2.0/24 ", "192.0.2.0/255.255.255.0", "192.0.2.0/24/24",
        "192.0.2.0/99999999999999999999", "192.0.2.0/a"}) {
    CAPTURE(std::string(text));
    CHECK(network_rule(text) == "prefix");
  }
  CHECK(network_rule("/24") == "empty");
  CHECK(network_rule("192.0.2/24") == "format");
  CHECK(network_rule("fe80::%eth0/64") == "zone");
}

TEST_CASE("bits past the prefix are refused, or cleared by option") {
  CHECK(network_rule("192.0.2.7/24") == "host_bits");
  CHECK(network_rule("2001:db8::1/64") == "host_bits");
  const NetworkOptions mask{.mask_host_bits = true};
  CHECK(IpNetwork::parse("192.0.2.7/24", mask).to_string() == "192.0.2.0/24");
  CHECK(IpNetwork::parse("192.0.2.255/25", mask).to_string() == "192.0.2.128/25");
  CHECK(IpNetwork::parse("2001:db8:ffff::1/33", mask).to_string() == "2001:db8:8000::/33");
  CHECK(IpNetwork::parse("255.255.255.255/0", mask).to_string() == "0.0.0.0/0");
}

TEST_CASE("a network contains its addresses and smaller networks, and none of the other family") {
  const auto network = IpNetwork::parse("192.0.2.128/25");
  CHECK(network.contains(IpAddress::parse("192.0.2.128")));
  CHECK(network.contains(IpAddress::parse("192.0.2.255")));
  CHECK_FALSE(network.contains(IpAddress::parse("192.0.2.127")));
  CHECK_FALSE(network.contains(IpAddress::parse("192.0.3.128")));
  CHECK_FALSE(network.contains(IpAddress::parse("::ffff:192.0.2.128")));
  CHECK(network.contains(network));
  CHECK(network.contains(IpNetwork::parse("192.0.2.192/26")));
  CHECK_FALSE(network.contains(IpNetwork::parse("192.0.2.0/24")));
  CHECK(IpNetwork::parse("::/0").contains(IpAddress::parse("ffff::1")));
  CHECK_FALSE(IpNetwork::parse("::/0").contains(IpAddress::parse("192.0.2.1")));
}

TEST_CASE("the error of an address names the rule and holds nothing of the input") {
  try {
    IpAddress::parse("010.11.12.13");
    FAIL("accepted");
  } catch (const ValidationError& error) {
    const std::string message = error.what();
    CHECK(message.find("(rule leading_zero)") != std::string::npos);
    CHECK(message.find("11.12") == std::string::npos);
    CHECK_FALSE(error.hint().empty());
  }
}
