// SPDX-License-Identifier: Apache-2.0
// Pages of lists, and options whose choices are those of an enum.
#include "nerve/page.h"

#include "nerve/command.h"
#include "nerve/core/id.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace nerve;

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

TEST_CASE("what repeats is given in its order, and what does not is one value") {
  Arguments arguments;
  arguments.add("--limit", "5");
  arguments.add("ID", "b");
  arguments.add("ID", "a");
  CHECK(arguments.texts("ID") == std::vector<std::string>{"b", "a"});
  CHECK(arguments.texts("--limit") == std::vector<std::string>{"5"});
  CHECK(arguments.texts("--other").empty());
  CHECK(arguments.integer("--limit") == 5);
}

TEST_CASE("an option whose choices are those of an enum is read as one") {
  CHECK(choices_of<Colour>() == std::vector<std::string_view>{"red", "green"});
  Arguments arguments;
  arguments.add("--colour", "green");
  CHECK(arguments.choice<Colour>("--colour") == Colour::green);
  CHECK_FALSE(arguments.choice<Colour>("--other"));
}
