// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/fields.h"

#include "nerve/core/error.h"
#include "nerve/validate/slug.h"

#include <doctest/doctest.h>

#include <string>

using namespace nerve;
using validate::Fields;

namespace {

/// "field rule, field rule" of what finish() throws; empty where it throws nothing.
std::string broken(const Fields& fields) {
  std::string text;
  try {
    fields.finish();
  } catch (const ValidationError& error) {
    CHECK(std::string(error.what()) == "the badge has fields that are not right");
    CHECK_FALSE(error.hint().empty());
    for (const Violation& violation : error.violations()) {
      text += (text.empty() ? "" : ", ") + violation.field + " " + violation.rule;
    }
  }
  return text;
}

}  // namespace

TEST_CASE("fields that keep the rules are returned in their canonical form, and nothing is thrown") {
  Fields fields("badge");
  CHECK(fields.name("name", "  Ada   Lovelace ", 20) == "Ada Lovelace");
  CHECK(fields.name("short", "\xc3\xa4\xc3\xb6\xc3\xbc", 3) == "\xc3\xa4\xc3\xb6\xc3\xbc");
  CHECK(fields.slug("slug", "a-1") == "a-1");
  CHECK(fields.domain("domain", "Example.ORG.") == "example.org");
  CHECK(fields.email("email", "Ada@Example.ORG") == "Ada@example.org");
  CHECK_FALSE(fields.optional_domain("domain", std::nullopt));
  CHECK(fields.optional_email("email", "a@b.example") == "a@b.example");
  CHECK(fields.https_url("url", "https://[::1]:8443/hook?a=b", 100) == "https://[::1]:8443/hook?a=b");
  fields.require(true, "seats", "range", "must be from 1 to 10");
  CHECK(broken(fields).empty());
}

TEST_CASE("all that is wrong with the fields is thrown together, each with its rule, in their order") {
  Fields fields("badge");
  fields.name("empty", " ", 20);
  fields.name("long", "four", 3);
  fields.name("bytes", "\xff", 20);
  fields.slug("slug", "Not A Slug");
  fields.domain("domain", "no domain");
  fields.email("email", "nobody");
  fields.https_url("url", "https://user@example.org", 100);
  fields.require(false, "seats", "range", "must be from 1 to 10");
  const std::string rules = broken(fields);
  CHECK(rules.starts_with("empty required, long max_length, bytes text, slug slug, domain "));
  CHECK(rules.find(", email ") != std::string::npos);
  CHECK(rules.ends_with("url no_credentials, seats range"));
}

TEST_CASE("an https URL names a host, and nothing that must be escaped") {
  for (const std::string url : {"http://example.org", "https://", "https:///path", "https://exa mple.org",
                                "https://example.org/\xc3\xa4", "https://[::1", "https://-.example"}) {
    Fields fields("badge");
    fields.https_url("url", url, 100);
    CHECK_MESSAGE(!broken(fields).empty(), url);
  }
}

TEST_CASE("a slug is lower-case letters and digits with single hyphens between them") {
  for (const std::string text : {"a", "a-b-1", "0", "z9"}) CHECK_MESSAGE(validate::is_slug(text), text);
  for (const std::string text : {"", "-a", "a-", "a--b", "A", "a_b", "\xc3\xa4"}) {
    CHECK_MESSAGE(!validate::is_slug(text), text);
  }
  CHECK(validate::is_slug(std::string(63, 'a')));
  CHECK_FALSE(validate::is_slug(std::string(64, 'a')));
}

TEST_CASE("the slug made of a name is one, or empty where the name has no ASCII letter or digit") {
  CHECK(validate::slug_of("M\xc3\xbcller & S\xc3\xb6hne GmbH") == "m-ller-s-hne-gmbh");
  CHECK(validate::slug_of("--A--b--") == "a-b");
  CHECK(validate::slug_of("\xe6\x97\xa5\xe6\x9c\xac").empty());
  CHECK(validate::is_slug(validate::slug_of("a" + std::string(80, '-') + "c")));
  CHECK(validate::is_slug(validate::slug_of(std::string(200, 'q'))));
}
