// SPDX-License-Identifier: Apache-2.0
#include "nerve/field.h"

#include "records/scene.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <map>

using namespace nerve;
using test::gadgets;

namespace {

const Field& field_named(std::string_view name) {
  const Field* field = gadgets.find(name);
  REQUIRE(field != nullptr);
  return *field;
}

/// What a text is as a value of the field, in JSON.
std::string read_as(std::string_view name, std::string_view text) {
  return json_of(field_named(name), parse_field(field_named(name), text)).dump();
}

}  // namespace

TEST_CASE("what people write for a field is read by its kind") {
  CHECK(read_as("name", " a b ") == "\" a b \"");
  CHECK(read_as("kind", "toy") == "\"toy\"");
  CHECK(read_as("amount", "-17") == "-17");
  CHECK(read_as("weight", "1.5e3") == "1500.0");
  CHECK(read_as("is_sold", "true") == "true");
  CHECK(read_as("id", "01A1FEF8-CA48-73CC-95EA-C4E2F6662794") == "\"01a1fef8-ca48-73cc-95ea-c4e2f6662794\"");
  CHECK(read_as("sold_at", "2026-03-01 13:00:00+01") == "\"2026-03-01T12:00:00.000000Z\"");
  CHECK(read_as("settings", "{\"a\": 1}") == "{\"a\":1}");
  CHECK(read_as("photo", "AP8n") == "\"AP8n\"");
}

TEST_CASE("what cannot be read for a field is refused with its name and without the text") {
  const std::map<std::string, std::string> wrong{
      {"kind", "secret"},      {"amount", "secret"},  {"amount ", "1.5"}, {"amount  ", "9223372036854775808"},
      {"weight", "1,5"},       {"is_sold", "secret"}, {"id", "secret"},   {"sold_at", "secret"},
      {"settings", "{secret"}, {"photo", "!secret"}};
  for (const auto& [padded, text] : wrong) {
    const std::string name = padded.substr(0, padded.find(' '));
    CAPTURE(name);
    try {
      parse_field(field_named(name), text);
      FAIL("it was read");
    } catch (const ValidationError& error) {
      CHECK(std::string(error.what()).starts_with(name));
      CHECK((std::string(error.what()) + error.hint()).find("secret") == std::string::npos);
    }
  }
  CHECK_THROWS_AS(parse_field(field_named("name"), std::string_view("a\0b", 3)), ValidationError);
  CHECK_THROWS_AS(parse_field(field_named("name"), "\xff"), ValidationError);
}

TEST_CASE("a heading is the name of the field as people read it") {
  CHECK(heading_of(field_named("created_at")) == "CREATED");
  CHECK(heading_of(field_named("is_sold")) == "SOLD");
  CHECK(heading_of(field_named("name")) == "NAME");
  CHECK(heading_of(field_named("id")) == "ID");
}
