// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/rules.h"

#include "found.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

using nerve::Json;
using nerve::ValidationError;
using nerve::Violation;
using nerve::test::found;
using nerve::test::List;
using nerve::validate::Field;
using nerve::validate::RuleSet;
using nerve::validate::UnknownFields;
using nerve::validate::violations_max;

namespace {

/// The rule that a record {"value": value} breaks where `field` states what a value must be.
std::string broken_field_rule(const Field& field, const Json& value) {
  RuleSet rules;
  rules.field("value") = field;
  const auto violations = rules.check({{"value", value}});
  return violations.empty() ? "none" : violations.front().rule;
}

RuleSet user_rules() {
  RuleSet address;
  address.field("city").required().text().length(1, 80);
  address.field("country").one_of({"de", "fr"});
  RuleSet users;
  users.field("email").required().email();
  users.field("age").integer().range(0, 150);
  users.field("roles").list(Field().one_of({"admin", "reader"})).length(1, 2);
  users.field("addresses").list(Field().object(address));
  users.field("note").nullable().text();
  return users;
}

}  // namespace

TEST_CASE("a record that keeps all rules has no violation") {
  const Json record = {{"email", "ada@example.org"},
                       {"age", 36},
                       {"roles", {"admin"}},
                       {"addresses", {{{"city", "Köln"}, {"country", "de"}}}},
                       {"note", nullptr}};
  CHECK(found(user_rules(), record) == List{});
  CHECK_NOTHROW(user_rules().require(record, "user"));
}

TEST_CASE("all violations are found in one check, with the path of each") {
  const Json record = {{"age", 151},
                       {"roles", {"admin", "root", "reader"}},
                       {"addresses", {{{"city", "Köln"}}, {{"country", "xx"}}, 7}},
                       {"nickname", "x"}};
  CHECK(found(user_rules(), record) == List{"email:required", "age:range", "roles[1]:one_of", "roles:length",
                                            "addresses[1].city:required", "addresses[1].country:one_of",
                                            "addresses[2]:type", "nickname:unknown_field"});
}

TEST_CASE("require counts the fields in error, names them in its hint, and repeats no value") {
  const Json record = {{"email", "hunter2 at example"}, {"age", -1}, {"note", 5}};
  try {
    user_rules().require(record, "user");
    FAIL("accepted");
  } catch (const ValidationError& error) {
    CHECK(std::string(error.what()) == "record user: 3 fields are wrong");
    CHECK(error.hint() == "Correct email (email), age (range) and note (type).");
    CHECK(error.violations().size() == 3);
    for (const Violation& violation : error.violations()) {
      CHECK(violation.message.find("hunter2") == std::string::npos);
      CHECK_FALSE(violation.message.empty());
    }
  }
  CHECK_THROWS_WITH_AS(user_rules().require(Json::object(), "user"), "record user: 1 field is wrong",
                       ValidationError);
}

TEST_CASE("a hint names five fields and counts the rest") {
  RuleSet rules;
  Json record = Json::object();
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g"}) rules.field(name).required();
  try {
    rules.require(record, "row");
    FAIL("accepted");
  } catch (const ValidationError& error) {
    CHECK(error.hint() ==
          "Correct a (required), b (required), c (required), d (required), e (required) and 2 more.");
  }
}

TEST_CASE("what is no object is no record") {
  for (const Json& value : {Json(), Json(5), Json("x"), Json::array()}) {
    CHECK(found(user_rules(), value) == List{"record:type"});
  }
}

TEST_CASE("a field is optional and not null unless stated otherwise") {
  RuleSet rules;
  rules.field("plain").text();
  rules.field("nullable").required().nullable().text();
  CHECK(found(rules, {{"plain", nullptr}}) == List{"plain:null", "nullable:required"});
  CHECK(found(rules, {{"nullable", nullptr}}) == List{});
}

TEST_CASE("a field without a type takes any value") {
  for (const Json& value : {Json(true), Json(5), Json("x"), Json::array({1}), Json::object()}) {
    CHECK(broken_field_rule(Field(), value) == "none");
  }
}

TEST_CASE("text is well-formed UTF-8 without NUL") {
  CHECK(broken_field_rule(Field().text(), "ü") == "none");
  CHECK(broken_field_rule(Field().text(), 5) == "type");
  CHECK(broken_field_rule(Field().text(), "a\xFF") == "utf8");
  CHECK(broken_field_rule(Field().text(), std::string("a\0b", 3)) == "nul");
}

TEST_CASE("an integer has 64 bits and no fraction") {
  const Field integer = Field().integer();
  CHECK(broken_field_rule(integer, std::numeric_limits<std::int64_t>::min()) == "none");
  CHECK(broken_field_rule(integer, std::numeric_limits<std::int64_t>::max()) == "none");
  CHECK(broken_field_rule(integer, std::uint64_t{1} << 63) == "type");
  CHECK(broken_field_rule(integer, 3.0) == "type");
  CHECK(broken_field_rule(integer, "3") == "type");
  CHECK(broken_field_rule(integer, true) == "type");
}

TEST_CASE("a real is any finite number") {
  CHECK(broken_field_rule(Field().real(), 1) == "none");
  CHECK(broken_field_rule(Field().real(), -0.5) == "none");
  CHECK(broken_field_rule(Field().real(), std::nan("")) == "type");
  CHECK(broken_field_rule(Field().real(), std::numeric_limits<double>::infinity()) == "type");
  CHECK(broken_field_rule(Field().real(), "1") == "type");
}

TEST_CASE("a boolean is true or false, not a number") {
  CHECK(broken_field_rule(Field().boolean(), false) == "none");
  CHECK(broken_field_rule(Field().boolean(), 0) == "type");
}

TEST_CASE("ranges hold their ends, for integers beyond 2^53 too") {
  CHECK(broken_field_rule(Field().integer().range(0, 150), 0) == "none");
  CHECK(broken_field_rule(Field().integer().range(0, 150), 150) == "none");
  CHECK(broken_field_rule(Field().integer().range(0, 150), -1) == "range");
  CHECK(broken_field_rule(Field().integer().range(0, 150), 151) == "range");
  constexpr std::int64_t big = std::int64_t{1} << 53;
  CHECK(broken_field_rule(Field().integer().range(std::int64_t{0}, big), big + 1) == "range");
  CHECK(broken_field_rule(Field().real().range(0, 1), 1.5) == "range");
  CHECK(broken_field_rule(Field().real().range(0.0, 1.5), 1.5) == "none");
  CHECK(broken_field_rule(Field().real().range(0.0, 1.5), 1.6) == "range");
  CHECK(broken_field_rule(Field().range(0.0, 1.5), std::nan("")) == "range");
  CHECK(broken_field_rule(Field().range(0, 1), std::nan("")) == "range");
  CHECK(broken_field_rule(Field().range(0, 1), std::uint64_t{1} << 63) == "range");
}

TEST_CASE("length counts code points of text and items of lists") {
  CHECK(broken_field_rule(Field().text().length(1, 3), "äöü") == "none");
  CHECK(broken_field_rule(Field().text().length(1, 3), "abcd") == "length");
  CHECK(broken_field_rule(Field().text().length(1, 3), "") == "length");
  CHECK(broken_field_rule(Field().list(Field()).length(1, 2), Json::array({1, 2, 3})) == "length");
}

TEST_CASE("a rule that needs text or a number is broken by a value of another kind") {
  CHECK(broken_field_rule(Field().length(0, 9), 42) == "type");
  CHECK(broken_field_rule(Field().one_of({"a"}), 42) == "type");
  CHECK(broken_field_rule(Field().characters("a-z"), 42) == "type");
  CHECK(broken_field_rule(Field().matches([](std::string_view) { return true; }, "any"), 42) == "type");
  CHECK(broken_field_rule(Field().range(0, 9), "5") == "type");
  CHECK(broken_field_rule(Field().range(0.0, 9.0), "5") == "type");
}

TEST_CASE("a character set has ranges, and hyphens at its ends") {
  const Field name = Field().characters("a-z0-9_-");
  CHECK(broken_field_rule(name, "a_z-09") == "none");
  CHECK(broken_field_rule(name, "") == "none");
  for (const char* text : {"A", "a b", "a.b", "ä", "a/b"})
    CHECK(broken_field_rule(name, text) == "characters");
  CHECK(broken_field_rule(Field().characters("-a"), "a-") == "none");
  CHECK_THROWS_AS(Field().characters("z-a"), ValidationError);
  CHECK_THROWS_AS(Field().characters("ä"), ValidationError);
}

TEST_CASE("a predicate names its rule") {
  const Field even =
      Field().text().matches([](std::string_view text) { return text.size() % 2 == 0; }, "even_length");
  CHECK(broken_field_rule(even, "ab") == "none");
  CHECK(broken_field_rule(even, "abc") == "even_length");
}

TEST_CASE("types that are text are read by their own parsers") {
  CHECK(broken_field_rule(Field().timestamp(), "2024-02-29T12:00:00Z") == "none");
  CHECK(broken_field_rule(Field().timestamp(), "2023-02-29T12:00:00Z") == "timestamp");
  CHECK(broken_field_rule(Field().id(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f") == "none");
  CHECK(broken_field_rule(Field().id(), "017f22e2-79b0-7cc3-98c4") == "id");
  CHECK(broken_field_rule(Field().email(), "a@example.org") == "none");
  CHECK(broken_field_rule(Field().email(), "a@[192.0.2.1]") == "email");
  CHECK(broken_field_rule(Field().email({.allow_address_literal = true}), "a@[192.0.2.1]") == "none");
  CHECK(broken_field_rule(Field().domain(), "localhost") == "domain");
  CHECK(broken_field_rule(Field().domain({.allow_single_label = true}), "localhost") == "none");
  CHECK(broken_field_rule(Field().ip(), "::1") == "none");
  CHECK(broken_field_rule(Field().ip(), "::1/128") == "ip");
  CHECK(broken_field_rule(Field().cidr(), "192.0.2.1/24") == "cidr");
  CHECK(broken_field_rule(Field().cidr({.mask_host_bits = true}), "192.0.2.1/24") == "none");
  for (const Field& field :
       {Field().timestamp(), Field().id(), Field().email(), Field().domain(), Field().ip()}) {
    CHECK(broken_field_rule(field, 5) == "type");
  }
}

TEST_CASE("a record is brought into its canonical form, and its rules are kept by that form") {
  RuleSet owner;
  owner.field("email").email();
  RuleSet rules;
  rules.field("name").name().length(1, 12);
  rules.field("host").domain().one_of({"example.org"});
  rules.field("address").ip();
  rules.field("networks").list(Field().cidr({.mask_host_bits = true}));
  rules.field("at").timestamp();
  rules.field("id").id();
  rules.field("hook").https_url();
  rules.field("owner").object(owner);
  const Json record = {{"name", "  Ada \t Lovelace"},        {"host", "Example.ORG."},
                       {"address", "2001:DB8:0::1"},         {"networks", {"192.0.2.7/24", "::/0"}},
                       {"at", "2024-02-29T12:00:00+02:00"},  {"id", "017F22E2-79B0-7CC3-98C4-DC0C0C07398F"},
                       {"hook", "HTTPS://Example.ORG/Path"}, {"owner", {{"email", "Ada@Example.ORG"}}}};
  const Json canonical = {{"name", "Ada Lovelace"},
                          {"host", "example.org"},
                          {"address", "2001:db8::1"},
                          {"networks", {"192.0.2.0/24", "::/0"}},
                          {"at", "2024-02-29T10:00:00.000000Z"},
                          {"id", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"},
                          {"hook", "https://example.org/Path"},
                          {"owner", {{"email", "Ada@example.org"}}}};
  CHECK(rules.require(record, "person") == canonical);
  CHECK(rules.require(canonical, "person") == canonical);
  CHECK(found(rules, record) == List{});
}

TEST_CASE("names, slugs and https URLs are types of text") {
  CHECK(broken_field_rule(Field().name(), "Ada") == "none");
  CHECK(broken_field_rule(Field().name(), " \n ") == "name");
  CHECK(broken_field_rule(Field().slug(), "a-1") == "none");
  CHECK(broken_field_rule(Field().slug(), "A") == "slug");
  CHECK(broken_field_rule(Field().https_url(), "https://example.org") == "none");
  CHECK(broken_field_rule(Field().https_url(), "http://example.org") == "https_url");
  for (const Field& field : {Field().name(), Field().slug(), Field().https_url()})
    CHECK(broken_field_rule(field, 5) == "type");
}

TEST_CASE("every rule of a field is tried, but none on a value of the wrong type") {
  RuleSet rules;
  rules.field("code").text().length(1, 2).characters("a-z").one_of({"x", "y"});
  CHECK(found(rules, {{"code", "ABC"}}) == List{"code:length", "code:characters", "code:one_of"});
  CHECK(found(rules, {{"code", 5}}) == List{"code:type"});
}

TEST_CASE("unknown fields are refused or ignored") {
  RuleSet rules;
  rules.field("a");
  CHECK(found(rules, {{"a", 1}, {"b", 2}}) == List{"b:unknown_field"});
  rules.unknown_fields(UnknownFields::ignore);
  CHECK(found(rules, {{"a", 1}, {"b", 2}}) == List{});
}

TEST_CASE("the name of an unknown field neither drives a terminal nor fills a log") {
  RuleSet rules;
  Json record = Json::object();
  record["\x1B[2J"] = 1;
  record[std::string(100'000, 'x')] = 1;
  record["\xFF"] = 1;
  const auto violations = rules.check(record);
  REQUIRE(violations.size() == 3);
  for (const Violation& violation : violations) {
    CHECK(violation.field.find('\x1B') == std::string::npos);
    CHECK(violation.field.find('\xFF') == std::string::npos);
    CHECK(violation.field.size() < 100);
  }
}

TEST_CASE("a cross-field rule is tried only when its fields are there and sound") {
  RuleSet rules;
  rules.field("starts_on").required().integer();
  rules.field("ends_on").nullable().integer();
  rules.cross_check(
      "order", {"ends_on", "starts_on"},
      [](const Json& record) { return record["starts_on"].get<int>() <= record["ends_on"].get<int>(); },
      "must not be before starts_on");
  CHECK(found(rules, {{"starts_on", 1}, {"ends_on", 2}}) == List{});
  CHECK(found(rules, {{"starts_on", 3}, {"ends_on", 2}}) == List{"ends_on:order"});
  CHECK(found(rules, {{"starts_on", 3}}) == List{});
  CHECK(found(rules, {{"starts_on", 3}, {"ends_on", nullptr}}) == List{});
  CHECK(found(rules, {{"starts_on", 3}, {"ends_on", "x"}}) == List{"ends_on:type"});
  CHECK_THROWS_AS(rules.cross_check(
                      "empty", {}, [](const Json&) { return true; }, "x"),
                  ValidationError);
}

TEST_CASE("a cross-field rule of a nested record is found at its path") {
  RuleSet span;
  span.field("low").integer();
  span.field("high").integer();
  span.cross_check(
      "order", {"high", "low"}, [](const Json& record) { return record["low"] <= record["high"]; },
      "must not be below low");
  RuleSet rules;
  rules.field("spans").list(Field().object(span));
  const Json record = {{"spans", {{{"low", 1}, {"high", 2}}, {{"low", 2}, {"high", 1}}}}};
  CHECK(found(rules, record) == List{"spans[1].high:order"});
}

TEST_CASE("a check stops at its limit of violations") {
  RuleSet rules;
  rules.field("numbers").list(Field().integer());
  rules.field("last").required();
  Json record = {{"numbers", Json::array()}};
  for (std::size_t i = 0; i < violations_max + 500; ++i) record["numbers"].push_back("x");
  CHECK(rules.check(record).size() == violations_max);
  CHECK_THROWS_WITH_AS(rules.require(record, "row"), "record row: at least 1000 fields are wrong",
                       ValidationError);
}

TEST_CASE("nesting beyond the depth limit is refused, not followed") {
  Field nested = Field().integer();
  Json value = 1;
  for (int i = 0; i < 40; ++i) {
    nested = Field().list(nested);
    value = Json::array({value});
  }
  CHECK(broken_field_rule(nested, value) == "depth");
}

TEST_CASE("the rules of a field stay where they are as more are added") {
  RuleSet rules;
  Field& first = rules.field("first");
  for (int i = 0; i < 100; ++i) rules.field("field" + std::to_string(i));
  first.required();
  CHECK(&rules.field("first") == &first);
  CHECK(found(rules, Json::object()) == List{"first:required"});
}
