// SPDX-License-Identifier: Apache-2.0
#include "nerve/events.h"

#include "workspace/scene.h"

#include "nerve/core/error.h"

using namespace nerve;
using test::Postgresql;
using test::Scene;
using test::Sqlite;

namespace {

struct ItemSeen {
  int number = 0;
};
struct ItemCounted {
  int number = 0;
};

}  // namespace

CONFORMANCE_TEST(
    "handlers of an event write in the publisher's transaction, and what one throws undoes it all") {
  START_ENGINE(engine);
  const auto database = engine.open();
  database->write([](db::Transaction& t) { t.execute("CREATE TABLE seen(number INTEGER, who TEXT)"); });
  DomainEvents events;
  for (const std::string who : {"first", "second"}) {
    events.subscribe<ItemSeen>(who, [who](db::Transaction& t, const ItemSeen& event) {
      if (event.number < 0) throw ConflictError("not this one", "Take another.");
      t.execute("INSERT INTO seen VALUES (:number, :who)", {{"number", event.number}, {"who", who}});
    });
  }
  CHECK(events.subscribers<ItemSeen>() == std::vector<std::string>{"first", "second"});
  CHECK(events.subscribers<ItemCounted>().empty());

  database->write([&](db::Transaction& t) { events.publish(t, ItemSeen{7}); });
  CHECK_THROWS_AS(database->write([&](db::Transaction& t) {
    events.publish(t, ItemSeen{8});
    events.publish(t, ItemSeen{-1});
  }),
                  ConflictError);
  const auto rows = database->read([](db::Transaction& t) {
    std::string text;
    t.each<int, std::string>(
        "SELECT number, who FROM seen ORDER BY who", {},
        [&](int number, std::string who) { text += std::to_string(number) + " " + who + ", "; });
    return text;
  });
  CHECK(rows == "7 first, 7 second, ");
}

TEST_CASE("events that cause each other without end are an error, and those that end are not") {
  const Sqlite engine;
  const auto database = engine.open();
  DomainEvents events;
  events.subscribe<ItemSeen>("pong", [&](db::Transaction& t, const ItemSeen& event) {
    events.publish(t, ItemCounted{event.number - 1});
  });
  events.subscribe<ItemCounted>("ping", [&](db::Transaction& t, const ItemCounted& event) {
    if (event.number > 0) events.publish(t, ItemSeen{event.number - 1});
  });
  CHECK_NOTHROW(database->write([&](db::Transaction& t) { events.publish(t, ItemSeen{10}); }));
  CHECK_THROWS_WITH(database->write([&](db::Transaction& t) { events.publish(t, ItemSeen{1000}); }),
                    doctest::Contains("without end"));
  CHECK_NOTHROW(database->write([&](db::Transaction& t) { events.publish(t, ItemSeen{10}); }));
}
