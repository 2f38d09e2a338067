// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/fields.h"

#include "nerve/core/error.h"
#include "nerve/validate/slug.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace nerve;
using validate::Field;
using validate::Fields;
using validate::RuleSet;

namespace {

/// "field rule, field rule" of what finish() throws; empty where it throws nothing.
std::string broken(const Fields& fields) {
  std::string text;
  try {
    fields.finish();
  } catch (const ValidationError& error) {
    CHECK(std::string(error.what()).starts_with("record badge: "));
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
  CHECK(rules ==
        "empty name, long length, bytes utf8, slug slug, domain domain, email email, url https_url, "
        "seats range");
}

TEST_CASE("lists and numbers are read by the rules of a record, with the path of each item") {
  Fields fields("badge");
  const Field names = Field().list(Field().name().length(1, 5)).length(0, 2);
  CHECK(fields.texts("events", {" a  b ", "c"}, names) == std::vector<std::string>{"a b", "c"});
  CHECK(fields.integer("seats", 10, Field().range(1, 10)) == 10);
  CHECK(fields.text("tier", "free", Field().one_of({"free", "paid"})) == "free");
  CHECK(broken(fields).empty());
  fields.texts("events", {"a", "too long", "c"}, names);
  fields.integer("seats", 11, Field().range(1, 10));
  fields.optional_text("tier", "none", Field().one_of({"free", "paid"}));
  CHECK(broken(fields) == "events[1] length, events length, seats range, tier one_of");
}

TEST_CASE("a field breaks the same rule with the same message as in a record of JSON") {
  const std::vector<std::pair<Field, std::string>> cases = {
      {Field().name(), " \t"},        {Field().name().length(1, 3), "four"},
      {Field().slug(), "Not A Slug"}, {Field().domain(), "no domain"},
      {Field().email(), "nobody"},    {Field().https_url(), "http://example.org"},
      {Field().ip(), "127.1"},        {Field().cidr(), "192.0.2.1/24"},
      {Field().id(), "17"},           {Field().timestamp(), "yesterday"},
      {Field().one_of({"a"}), "b"},   {Field().characters("a-z"), "B"},
      {Field().text(), "\xff"},
  };
  for (const auto& [rules, text] : cases) {
    RuleSet record;
    record.field("value") = rules;
    const auto of_record = record.check({{"value", text}});
    Fields fields("badge");
    fields.text("value", text, rules);
    try {
      fields.finish();
      FAIL(text);
    } catch (const ValidationError& error) {
      REQUIRE(of_record.size() == 1);
      REQUIRE(error.violations().size() == 1);
      CHECK(error.violations().front().field == of_record.front().field);
      CHECK(error.violations().front().rule == of_record.front().rule);
      CHECK(error.violations().front().message == of_record.front().message);
    }
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
