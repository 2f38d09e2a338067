// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/url.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace nerve;
using validate::check_https_url;
using validate::parse_https_url;

namespace {

std::string broken_rule(std::string_view text) {
  const auto found = check_https_url(text);
  return found ? found->rule : "none";
}

}  // namespace

TEST_CASE("an https URL is read with every part of RFC 3986") {
  for (const char* url : {"https://example.org", "https://example.org/", "https://192.0.2.1:8443/hook?a=b#c",
                          "https://[2001:db8::1]", "https://[2001:db8::1]:1/", "https://example.org?q=%C3%A4",
                          "https://example.org:65535/a@b:c", "https://example.org/~x/!$&'()*+,;="}) {
    CHECK_MESSAGE(parse_https_url(url) == url, url);
  }
}

TEST_CASE("scheme and host are written in their canonical form, and nothing else is changed") {
  CHECK(parse_https_url("HTTPS://Example.ORG./Path?Q#F") == "https://example.org/Path?Q#F");
  CHECK(parse_https_url("https://[2001:DB8:0:0::1]:443/") == "https://[2001:db8::1]:443/");
  CHECK(parse_https_url("https://example.org:/") == "https://example.org/");
}

TEST_CASE("an https URL names a host that is one") {
  for (const char* url : {"https://", "https:///path", "https://[::1", "https://[]/", "https://[",
                          "https://[::1]x/", "https://[192.0.2.1]/", "https://2001:db8::1/",
                          "https://-.example", "https://localhost/", "https://127.1/", "https://:80/"}) {
    CHECK_MESSAGE(broken_rule(url) == "host", url);
  }
}

TEST_CASE("another scheme, users, ports that are none and unescaped characters are refused") {
  CHECK(broken_rule("http://example.org") == "scheme");
  CHECK(broken_rule("https:/example.org") == "scheme");
  CHECK(broken_rule("") == "scheme");
  CHECK(broken_rule("https://ada@example.org") == "credentials");
  CHECK(broken_rule("https://ada:secret@example.org") == "credentials");
  for (const char* url : {"https://example.org:0", "https://example.org:65536", "https://example.org:https",
                          "https://example.org:1:2"}) {
    CHECK_MESSAGE(broken_rule(url) == "port", url);
  }
  for (const char* url :
       {"https://exa mple.org", "https://example.org/\r\nHost: b", "https://example.org/\xc3\xa4",
        "https://example.org\\@example.net", "https://example.org/%zz", "https://example.org/%4"}) {
    CHECK_MESSAGE(broken_rule(url) == "characters", url);
  }
}
