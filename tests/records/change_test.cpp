// SPDX-License-Identifier: Apache-2.0
// What a change writes by itself, what it records, and when it leaves nothing.
#include "nerve/change.h"

#include "records/scene.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>

using namespace nerve;
using test::Gadget;
using test::gadgets;
using test::GadgetStore;
using test::ours;
using test::switches;
using test::theirs;

namespace {

template <class Engine>
Gadget make(GadgetStore<Engine>& store, const std::string& name, const Scope& scope = ours) {
  return store.open().change(scope, [&](Change& change) { return change.insert(gadgets, {.name = name}); });
}

template <class Engine>
std::int64_t count(GadgetStore<Engine>& store) {
  return store.database().read(
      [](db::Transaction& t) { return t.one<std::int64_t>("SELECT count(*) FROM gadgets"); });
}

}  // namespace

CONFORMANCE_TEST("core writes the tenant, the creator and the times, and the sink hears of it") {
  if (Engine::is_waived()) return;
  GadgetStore<Engine> store;
  make(store, "lamp");
  make(store, "lamp", theirs);
  const auto row = store.database().read([](db::Transaction& t) {
    return t.one<Uuid, Uuid, Timestamp>(
        "SELECT tenant_id, created_by, created_at FROM gadgets WHERE created_by IS NOT NULL");
  });
  CHECK(std::get<0>(row) == ours.tenant.uuid());
  CHECK(std::get<1>(row) == ours.actor.id);
  CHECK(std::get<2>(row) == store.clock().now());
  CHECK(store.seen() == "created gadget name:>lamp ours\ncreated gadget name:>lamp theirs\n");
}

CONFORMANCE_TEST("an update writes what differs, and records it; where nothing does, nothing happens") {
  if (Engine::is_waived()) return;
  GadgetStore<Engine> store;
  const Gadget lamp = make(store, "lamp");
  const auto update = [&](auto edit) {
    return store.open().change(ours, [&](Change& change) {
      const Gadget before = change.require(gadgets, lamp.id);
      Gadget after = before;
      edit(after);
      return change.update(gadgets, before, after);
    });
  };
  CHECK(update([](Gadget& one) { one.amount = 3, one.remark = "new"; }).amount == 3);
  update([](Gadget&) {});
  update([](Gadget& one) { one.settings = "{ }"; });  // the same JSON in other words
  CHECK(store.seen() == "created gadget name:>lamp ours\nchanged gadget amount:> remark:>new ours\n");
  CHECK_THROWS_WITH_AS(update([](Gadget& one) { one.photo = Bytes(); }), "gadgets.photo never changes",
                       Error);
  CHECK_THROWS_WITH_AS(update([](Gadget& one) { one.id = new_uuid(); }), "gadgets.id never changes", Error);
}

CONFORMANCE_TEST("a sink that throws undoes the change") {
  if (Engine::is_waived()) return;
  GadgetStore<Engine> store;
  CHECK_THROWS_AS(make(store, "unwanted"), ConflictError);
  CHECK(count(store) == 0);
  CHECK(store.seen().empty());
}

CONFORMANCE_TEST("what an undone savepoint did is not recorded") {
  if (Engine::is_waived()) return;
  GadgetStore<Engine> store;
  bool was_last = false;
  store.open().change(ours, [&](Change& change) {
    change.insert(gadgets, {.name = "first"});
    CHECK_THROWS_AS(change.savepoint([&] {
      change.insert(gadgets, {.name = "second"});
      change.before_commit([&](Change&) { was_last = true; });
      throw ConflictError("changed my mind", "Go on.");
    }),
                    ConflictError);
    change.savepoint([&] { change.insert(gadgets, {.name = "third"}); });
  });
  CHECK_FALSE(was_last);
  CHECK(store.seen() == "created gadget name:>first ours\ncreated gadget name:>third ours\n");
  CHECK(count(store) == 2);
}

CONFORMANCE_TEST("a closure that runs twice records once") {
  if (Engine::is_waived()) return;
  GadgetStore<Engine> store;
  int runs = 0;
  store.open().change(ours, [&](Change& change) {
    change.insert(gadgets, {.name = "lamp"});
    change.note("looked", Json::object());
    if (++runs == 1) throw DatabaseError(ErrorKind::unavailable, "busy", "", "40001");
  });
  CHECK(runs == 2);
  CHECK(store.seen() == "created gadget name:>lamp ours\nnoted looked ours\n");
}

CONFORMANCE_TEST("a refusal is recorded after the change it refused was undone") {
  if (Engine::is_waived()) return;
  GadgetStore<Engine> store;
  const Gadget other = make(store, "theirs", theirs);
  CHECK_THROWS_AS(store.open().change(ours,
                                      [](Change& change) {
                                        change.insert(gadgets, {.name = "lamp"});
                                        change.note_refusal("login", {{"why", "password"}});
                                        throw DeniedError("no", "Try again.");
                                      }),
                  DeniedError);
  CHECK_THROWS_AS(store.open().change(ours, [](Change&) { throw DeniedError("no", "Try again."); }),
                  DeniedError);
  CHECK_THROWS_AS(store.open().change(ours, [&](Change& change) { change.require(gadgets, other.id); }),
                  NotFoundError);
  CHECK_THROWS_AS(store.open().change(ours, [](Change&) { throw ConflictError("taken", "Take another."); }),
                  ConflictError);
  CHECK(store.seen() ==
        "created gadget name:>theirs theirs\nrefused login ours\nrefused denied ours\n"
        "refused gadget not_found ours\n");
  CHECK(count(store) == 1);
}

CONFORMANCE_TEST("a record is removed and restored, and is left out in between") {
  if (Engine::is_waived()) return;
  GadgetStore<Engine> store;
  const Gadget lamp = make(store, "lamp");
  const auto remove = [&] {
    return store.open().change(ours, [&](Change& change) { return change.remove(gadgets, lamp.id); });
  };
  const auto restore = [&] {
    return store.open().change(ours, [&](Change& change) { return change.restore(gadgets, lamp.id); });
  };
  CHECK_THROWS_AS(restore(), ConflictError);
  CHECK(remove().deleted_at == store.clock().now());
  CHECK_THROWS_WITH_AS(remove(), "the gadget is removed", NotFoundError);
  store.open().read(ours, [&](Reader& reader) {
    CHECK_FALSE(reader.find(gadgets, lamp.id));
    CHECK(reader.find(gadgets, lamp.id, db::Visibility::deleted));
    CHECK(reader.count(gadgets) == 0);
  });
  CHECK_FALSE(restore().deleted_at);
  CHECK(store.open().read(ours, [](Reader& reader) { return reader.count(gadgets); }) == 1);
  CHECK_THROWS_WITH_AS(make(store, "lamp"), "there is a gadget with the name lamp already", ConflictError);
}

CONFORMANCE_TEST("put adds a record or gives the one with its key other values") {
  if (Engine::is_waived()) return;
  GadgetStore<Engine> store;
  const auto put = [&](bool is_on) {
    store.open().change(Scope(), [&](Change& change) {
      change.put(switches, {.place = "hall", .number = 2, .is_on = is_on});
    });
  };
  put(false);
  put(true);
  put(true);
  CHECK(store.seen() == "created switch\nchanged switch is_on:>\n");
  CHECK(store.open().read(Scope(), [](Reader& reader) {
    return reader.count(switches, "is_on = :yes", {{"yes", true}});
  }) == 1);
}

CONFORMANCE_TEST(
    "what is done last comes after the closure and before the sink, and followers hear at once") {
  if (Engine::is_waived()) return;
  GadgetStore<Engine> store;
  std::string order;
  store.events().template subscribe<RecordChanged>("test", [&](Change&, const RecordChanged& event) {
    order += std::string(db::enum_text(event.entry.action)) + " ";
  });
  store.open().change(ours, [&](Change& change) {
    change.before_commit([&](Change& last) {
      order += "last ";
      last.note("sent", Json::object());
    });
    change.insert(gadgets, {.name = "lamp"});
    order += "closure ";
  });
  CHECK(order == "created closure last noted ");
  CHECK(store.seen() == "created gadget name:>lamp ours\nnoted sent ours\n");
}
