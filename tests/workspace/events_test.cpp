// SPDX-License-Identifier: Apache-2.0
#include "nerve/events.h"

#include "workspace/scene.h"

#include "nerve/core/error.h"
#include "nerve/store.h"

using namespace nerve;
using test::Postgresql;
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
  const OpenStore store{Store::core, *database, events, system_clock()};
  for (const std::string who : {"first", "second"}) {
    events.subscribe<ItemSeen>(who, [who](Change& change, const ItemSeen& event) {
      if (event.number < 0) throw ConflictError("not this one", "Take another.");
      change.execute("INSERT INTO seen VALUES (:number, :who)", {{"number", event.number}, {"who", who}});
    });
  }
  CHECK(events.subscribers<ItemSeen>() == std::vector<std::string>{"first", "second"});
  CHECK(events.subscribers<ItemCounted>().empty());

  store.change({}, [&](Change& change) { change.publish(ItemSeen{7}); });
  CHECK_THROWS_AS(store.change({},
                               [&](Change& change) {
                                 change.publish(ItemSeen{8});
                                 change.publish(ItemSeen{-1});
                               }),
                  ConflictError);
  const auto rows = database->read([](db::Transaction& t) {
    std::string text;
    t.each<int, std::string>(
        "SELECT number, who FROM seen ORDER BY who", {},
        [&](int number, const std::string& who) { text += std::to_string(number) + " " + who + ", "; });
    return text;
  });
  CHECK(rows == "7 first, 7 second, ");
}

TEST_CASE("events that cause each other without end are an error, and those that end are not") {
  const Sqlite engine;
  const auto database = engine.open();
  DomainEvents events;
  const OpenStore store{Store::core, *database, events, system_clock()};
  events.subscribe<ItemSeen>(
      "pong", [](Change& change, const ItemSeen& event) { change.publish(ItemCounted{event.number - 1}); });
  events.subscribe<ItemCounted>("ping", [](Change& change, const ItemCounted& event) {
    if (event.number > 0) change.publish(ItemSeen{event.number - 1});
  });
  CHECK_NOTHROW(store.change({}, [](Change& change) { change.publish(ItemSeen{10}); }));
  CHECK_THROWS_WITH(store.change({}, [](Change& change) { change.publish(ItemSeen{1000}); }),
                    doctest::Contains("without end"));
  CHECK_NOTHROW(store.change({}, [](Change& change) { change.publish(ItemSeen{10}); }));
}
