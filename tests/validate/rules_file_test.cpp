// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/rules_file.h"

#include "found.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>

using namespace nerve;
using test::as_list;
using test::found;
using test::List;
using validate::parse_rules;
using validate::RuleSet;

namespace {

/// What is wrong with a file of rules, as "path:rule".
List mistakes(const std::string& text) {
  try {
    parse_rules(text, "users.rules.json");
  } catch (const ValidationError& error) {
    CHECK(std::string(error.what()).find("users.rules.json") != std::string::npos);
    CHECK_FALSE(error.hint().empty());
    for (const Violation& violation : error.violations()) CHECK_FALSE(violation.message.empty());
    return as_list(error.violations());
  }
  return {};
}

/// The same of the rules of one field.
List field_mistakes(const std::string& field) {
  return mistakes(R"({"fields": {"a": )" + field + "}}");
}

}  // namespace

TEST_CASE("a file states every type, and the rules that go with it") {
  const RuleSet rules = parse_rules(R"({"fields": {
      "text": {"type": "text", "length": [1, 3], "characters": "a-z"},
      "integer": {"type": "integer", "range": [-1, 9007199254740993]},
      "real": {"type": "real", "range": [0, 0.5]},
      "boolean": {"type": "boolean"},
      "timestamp": {"type": "timestamp"},
      "id": {"type": "id"},
      "name": {"type": "name", "length": [1, 3]},
      "slug": {"type": "slug"},
      "email": {"type": "email"},
      "domain": {"type": "domain", "one_of": ["example.org"]},
      "https_url": {"type": "https_url"},
      "ip": {"type": "ip"},
      "cidr": {"type": "cidr"},
      "list": {"type": "list", "items": {"type": "slug"}, "length": [1, 2]},
      "object": {"type": "object", "fields": {"x": {"required": true}}},
      "any": {}, "any_list": {"type": "list"}}})",
                                    "rules");
  const Json sound = {{"text", "abc"},
                      {"integer", 9007199254740993},
                      {"real", 0.5},
                      {"boolean", true},
                      {"timestamp", "2024-02-29T12:00:00Z"},
                      {"id", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"},
                      {"name", "Ada"},
                      {"slug", "a-1"},
                      {"email", "ada@example.org"},
                      {"domain", "Example.ORG"},
                      {"https_url", "https://example.org"},
                      {"ip", "::1"},
                      {"cidr", "::/0"},
                      {"list", {"a"}},
                      {"object", {{"x", 1}}},
                      {"any", {1, "x"}},
                      {"any_list", {1, "x"}}};
  CHECK(found(rules, sound) == List{});
  const Json wrong = {{"text", "ABCD"},
                      {"integer", 9007199254740994},
                      {"real", 0.6},
                      {"boolean", 0},
                      {"timestamp", "x"},
                      {"id", "x"},
                      {"name", "Ada Lovelace"},
                      {"slug", "X"},
                      {"email", "x"},
                      {"domain", "example.net"},
                      {"https_url", "x"},
                      {"ip", "x"},
                      {"cidr", "x"},
                      {"list", {"a", "B", "c"}},
                      {"object", Json::object()},
                      {"any", nullptr},
                      {"any_list", "x"}};
  CHECK(found(rules, wrong) == List{"any:null", "any_list:type", "boolean:type", "cidr:cidr", "domain:one_of",
                                    "email:email", "https_url:https_url", "id:id", "integer:range", "ip:ip",
                                    "list[1]:slug", "list:length", "name:length", "object.x:required",
                                    "real:range", "slug:slug", "text:length", "text:characters",
                                    "timestamp:timestamp"});
}

TEST_CASE("fields are optional, not null and known unless the file says otherwise") {
  const std::string fields = R"("fields": {"a": {"required": true}, "b": {"nullable": true}, "c": {}})";
  CHECK(found(parse_rules("{" + fields + "}", "rules"), {{"b", nullptr}, {"c", nullptr}, {"d", 1}}) ==
        List{"a:required", "c:null", "d:unknown_field"});
  CHECK(found(parse_rules(R"({"unknown_fields": "ignore", )" + fields + "}", "rules"),
              {{"a", 1}, {"d", 1}}) == List{});
  CHECK(
      found(parse_rules(R"({"fields": {"o": {"type": "object", "fields": {}, "unknown_fields": "ignore"}}})",
                        "rules"),
            {{"o", {{"x", 1}}}}) == List{});
}

TEST_CASE("a file states the options of e-mail addresses, domains and networks") {
  const RuleSet rules = parse_rules(R"({"fields": {
      "email": {"type": "email", "allow_address_literal": true, "allow_utf8_local": true},
      "plain": {"type": "email", "allow_address_literal": false},
      "domain": {"type": "domain", "allow_single_label": true},
      "cidr": {"type": "cidr", "mask_host_bits": true}}})",
                                    "rules");
  CHECK(found(rules, {{"email", "ü@[192.0.2.1]"}, {"domain", "localhost"}, {"cidr", "192.0.2.1/24"}}) ==
        List{});
  CHECK(found(rules, {{"plain", "ada@[192.0.2.1]"}}) == List{"plain:email"});
}

TEST_CASE("all mistakes of a file are found at once, with their paths") {
  CHECK(mistakes(R"({"unknown_fields": "keep", "fields": {}})") == List{"unknown_fields:one_of"});
  CHECK(mistakes(R"({"fields": {
      "a": {"type": "string"},
      "b": {"required": 1, "nulable": true},
      "c": {"type": "list", "items": {"type": "object", "fields": {"d": {"range": [2, 1]}}}},
      "e": 5}})") == List{"fields.a.type:one_of", "fields.b.required:type", "fields.b.nulable:unknown_field",
                          "fields.c.items.fields.d.range:range", "fields.e:type"});
}

TEST_CASE("a record must state its fields") {
  CHECK(mistakes("{}") == List{"fields:required"});
  CHECK(mistakes("[]") == List{"rules:type"});
  CHECK(mistakes(R"({"fields": []})") == List{"fields:type"});
  CHECK(field_mistakes(R"({"type": "object"})") == List{"fields.a.fields:required"});
}

TEST_CASE("a rule that no value of the type could keep or break is a mistake") {
  CHECK(field_mistakes(R"({"type": "integer", "length": [1, 2]})") == List{"fields.a.length:type"});
  CHECK(field_mistakes(R"({"type": "text", "range": [1, 2]})") == List{"fields.a.range:type"});
  CHECK(field_mistakes(R"({"type": "boolean", "one_of": ["x"]})") == List{"fields.a.one_of:type"});
  CHECK(field_mistakes(R"({"type": "list", "characters": "a"})") == List{"fields.a.characters:type"});
  CHECK(field_mistakes(R"({"type": "text", "items": {}})") == List{"fields.a.items:type"});
  CHECK(field_mistakes(R"({"fields": {}})") == List{"fields.a.fields:type"});
  CHECK(field_mistakes(R"({"type": "domain", "mask_host_bits": true})") ==
        List{"fields.a.mask_host_bits:type"});
}

TEST_CASE("limits are pairs whose lower end is first, and sets are ASCII") {
  CHECK(field_mistakes(R"({"length": [3, 1]})") == List{"fields.a.length:range"});
  CHECK(field_mistakes(R"({"length": [1]})") == List{"fields.a.length:length"});
  CHECK(field_mistakes(R"({"length": [-1, 2]})") == List{"fields.a.length[0]:range"});
  CHECK(field_mistakes(R"({"length": [0.5, 2]})") == List{"fields.a.length[0]:type"});
  CHECK(field_mistakes(R"({"range": ["0", "1"]})") ==
        List{"fields.a.range[0]:type", "fields.a.range[1]:type"});
  CHECK(field_mistakes(R"({"one_of": []})") == List{"fields.a.one_of:length"});
  CHECK(field_mistakes(R"({"characters": "z-a"})") == List{"fields.a.characters:characters"});
  CHECK(field_mistakes(R"({"characters": "ä"})") == List{"fields.a.characters:characters"});
}

TEST_CASE("rules nested too deep, too many fields and too many mistakes are refused, not followed") {
  std::string nested;
  for (int i = 0; i < 40; ++i) nested += R"({"type": "list", "items": )";
  const List deep = field_mistakes(nested + "{}" + std::string(40, '}'));
  REQUIRE(deep.size() == 1);
  CHECK(deep.front().ends_with(":depth"));
  Json many = {{"fields", Json::object()}};
  for (std::size_t i = 0; i <= validate::rules_fields_max; ++i)
    many["fields"][std::to_string(i)] = Json::object();
  CHECK(mistakes(many.dump()) == List{"fields:length"});
  many["fields"].erase("0");
  CHECK(mistakes(many.dump()) == List{});
  for (auto& field : many["fields"]) field = {{"length", "x"}, {"range", "x"}};
  CHECK(mistakes(many.dump()).size() == validate::violations_max);
}

TEST_CASE("a file that is no JSON is told with line and column") {
  CHECK_THROWS_WITH_AS(parse_rules("{\n  \"fields\": {]\n}", "r.json"), "r.json:2:14: not well-formed JSON",
                       ValidationError);
}

TEST_CASE("the name of a field in an error can drive no terminal") {
  const List list = mistakes("{\"fields\": {\"\\u001b[2J\": {\"type\": 5}}}");
  REQUIRE(list.size() == 1);
  CHECK(list.front().find('\x1B') == std::string::npos);
}
