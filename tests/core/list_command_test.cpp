// SPDX-License-Identifier: Apache-2.0
// What commands that list and change records have in common: pages, choices, and what is shown of a record.
#include "nerve/list_command.h"

#include "core/memory_stream.h"

#include "nerve/core/id.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

using namespace nerve;
using test::MemoryStream;

namespace {

enum class Colour : std::uint8_t { red, green };

struct Badge {
  Id<struct BadgeTag> id;
  std::string name;
};

const std::vector<Badge> three{{Id<BadgeTag>::parse("01a1fef8-ca48-73cc-95ea-000000000001"), "one"},
                               {Id<BadgeTag>::parse("01a1fef8-ca48-73cc-95ea-000000000002"), "two"},
                               {Id<BadgeTag>::parse("01a1fef8-ca48-73cc-95ea-000000000003"), "three"}};

/// Reads the first of them as a store would, and keeps the limit it was given.
Page<Badge, Id<BadgeTag>> page_of(std::int64_t limit, std::int64_t* asked_for = nullptr) {
  return read_page(limit, &Badge::id, [&](std::int64_t rows) {
    if (asked_for != nullptr) *asked_for = rows;
    return std::vector<Badge>(three.begin(), three.begin() + std::min<std::int64_t>(rows, 3));
  });
}

/// What the page is shown as: data, then talk.
std::string text_of(const Page<Badge, Id<BadgeTag>>& page, bool json) {
  const MemoryStream data;
  const MemoryStream talk;
  Output output(data.stream(), talk.stream(), {.json = json});
  show_page<Badge>(output, page,
                   {.name = "badges",
                    .none = "no badge",
                    .columns = {{"ID"}, {"NAME"}},
                    .to_json =
                        [](const Badge& badge) {
                          return Json{{"name", badge.name}};
                        },
                    .to_cells =
                        [](const Badge& badge) {
                          return std::vector<TableCell>{badge.id.short_text(), badge.name};
                        }});
  return data.text() + "|" + talk.text();
}

}  // namespace

template <>
inline constexpr std::string_view nerve::db::enum_texts<Colour>[] = {"red", "green"};

TEST_CASE("a page holds as many as were asked for, and its cursor is that of the last while others follow") {
  std::int64_t asked_for = 0;
  const auto first = page_of(2, &asked_for);
  CHECK(asked_for == 3);
  REQUIRE(first.items.size() == 2);
  CHECK(first.next == three[1].id);
  const auto all = page_of(3);
  CHECK(all.items.size() == 3);
  CHECK_FALSE(all.next);
}

TEST_CASE("the limit of a page is taken to the range that a page may have") {
  std::int64_t asked_for = 0;
  CHECK(page_of(0, &asked_for).items.size() == 1);
  CHECK(asked_for == 2);
  page_of(page_limit_max + 7, &asked_for);
  CHECK(asked_for == page_limit_max + 1);
}

TEST_CASE("a page is a table with a note of the next one, or JSON with its cursor") {
  const std::string id = "01a1fef8-ca48-73cc-95ea-000000000001";
  CHECK(text_of(page_of(1), false) == "ID        NAME\n00000001  one\n|more follow: --after " + id + "\n");
  CHECK(text_of({.items = {}, .next = std::nullopt}, false) == "|no badge\n");
  const std::string text = text_of(page_of(1), true);
  CHECK(parse_json(text.substr(0, text.find('|')), "page") ==
        Json{{"badges", Json::array({Json{{"name", "one"}}})}, {"next", id}});
  CHECK(text_of(page_of(3), true).find("\"next\": null") != std::string::npos);
}

TEST_CASE("a changed record is its id with a note, or the whole record in JSON") {
  for (const bool json : {false, true}) {
    const MemoryStream data;
    const MemoryStream talk;
    Output output(data.stream(), talk.stream(), {.json = json});
    show_change(output, {{"id", "42"}, {"name", "one"}}, "made the badge one");
    if (json) {
      CHECK(parse_json(data.text(), "record") == Json{{"id", "42"}, {"name", "one"}});
      CHECK(talk.text().empty());
    } else {
      CHECK(data.text() == "42\n");
      CHECK(talk.text() == "made the badge one\n");
    }
  }
}

TEST_CASE("an option whose choices are those of an enum is read as one") {
  CHECK(choices_of<Colour>() == std::vector<std::string_view>{"red", "green"});
  Arguments arguments;
  arguments.add("--colour", "green");
  CHECK(arguments.choice<Colour>("--colour") == Colour::green);
  CHECK_FALSE(arguments.choice<Colour>("--other"));
}
