// SPDX-License-Identifier: Apache-2.0
// Ids that people type: whole, or the end of one.
#include "nerve/db/short_id.h"

#include "support/engine.h"

#include "nerve/core/error.h"

#include <string>

using namespace nerve;

namespace {

const std::string first_id = "01a1fef8-ca48-73cc-95ea-c4e2f6662794";
const std::string second_id = "01a1fef8-ca48-73cc-95ea-d4e2f6662794";

std::string refusal(std::string_view text) {
  try {
    db::throw_not_found({.noun = "badge", .text = text, .hint = "List them."});
  } catch (const NotFoundError& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
}

}  // namespace

CONFORMANCE_TEST("an id is found by itself and by an end that no other has, in either case") {
  START_ENGINE(engine);
  const auto database = engine.open();
  database->write([](db::Transaction& transaction) {
    transaction.execute(
        test::with_types("CREATE TABLE badges (id {{id}} PRIMARY KEY) {{strict}}", transaction.dialect()));
    for (const std::string& id : {first_id, second_id}) {
      transaction.execute("INSERT INTO badges (id) VALUES (:id)", {{"id", Uuid::parse(id)}});
    }
    CHECK(db::find_id(transaction, "badges", first_id) == Uuid::parse(first_id));
    CHECK(db::find_id(transaction, "badges", "c4e2f6662794") == Uuid::parse(first_id));
    CHECK(db::find_id(transaction, "badges", "D4E2F6662794") == Uuid::parse(second_id));
    CHECK_THROWS_AS(db::find_id(transaction, "badges", "f6662794"), ConflictError);
    CHECK_FALSE(db::find_id(transaction, "badges", "00000000"));
    CHECK_FALSE(db::find_id(transaction, "badges", "6662794"));
    CHECK_FALSE(db::find_id(transaction, "badges", "%%%%%%%%"));
  });
}

TEST_CASE("what was not found is named, and text that is too short for an id is told so") {
  CHECK(refusal("00000000") == "there is no badge 00000000 | List them.");
  CHECK(refusal("acme") == "there is no badge acme | List them.");
  CHECK(refusal("6662794") ==
        "there is no badge 6662794 | List them. Of an id, at least the last 8 characters are needed.");
}
