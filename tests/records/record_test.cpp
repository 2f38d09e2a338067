// SPDX-License-Identifier: Apache-2.0
#include "nerve/record.h"

#include "records/scene.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/record_command.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace nerve;
using test::Gadget;
using test::gadgets;
using test::GadgetStore;
using test::ours;

namespace {

Gadget full() {
  return {.name = "lamp",
          .kind = test::GadgetKind::toy,
          .amount = INT64_MIN,
          .weight = -0.5,
          .is_sold = true,
          .tags = {"a", "ü,\"b\""},
          .settings = R"({"b":1,"a":[true,null]})",
          .photo = Bytes{std::byte{0}, std::byte{255}, std::byte{39}},
          .sold_at = Timestamp::parse("2026-02-03T04:05:06.000007Z"),
          .remark = ""};
}

}  // namespace

CONFORMANCE_TEST("a record is read as it was written, whatever its fields hold") {
  if (Engine::is_waived()) return;
  GadgetStore<Engine> store;
  const Gadget made =
      store.open().change(ours, [](Change& change) { return change.insert(gadgets, full()); });
  CHECK_FALSE(made.id.is_nil());
  CHECK(made.created_at == store.clock().now());
  const Gadget read =
      store.open().read(ours, [&](Reader& reader) { return reader.require(gadgets, made.id); });
  CHECK(read.name == "lamp");
  CHECK(read.kind == test::GadgetKind::toy);
  CHECK(read.amount == INT64_MIN);
  CHECK(read.weight == -0.5);
  CHECK(read.is_sold);
  CHECK(read.tags == full().tags);
  CHECK(parse_json(read.settings, "settings") == parse_json(full().settings, "settings"));
  CHECK(read.photo == full().photo);
  CHECK(read.sold_at == full().sold_at);
  CHECK(read.remark == "");
  const Gadget bare =
      store.open().change(ours, [](Change& change) { return change.insert(gadgets, {.name = "bare"}); });
  store.open().read(ours, [&](Reader& reader) {
    const Gadget again = reader.require(gadgets, bare.id);
    CHECK_FALSE(again.weight);
    CHECK_FALSE(again.photo);
    CHECK_FALSE(again.sold_at);
    CHECK_FALSE(again.remark);
  });
}

CONFORMANCE_TEST("a record without its C++ type is the same in JSON on both engines") {
  if (Engine::is_waived()) return;
  GadgetStore<Engine> store;
  Gadget gadget = full();
  gadget.id = Uuid::parse("01a1fef8-ca48-73cc-95ea-c4e2f6662794");
  store.open().change(ours, [&](Change& change) { change.insert(gadgets, gadget); });
  const Json json = store.open().read(
      ours, [&](Reader& reader) { return json_of(gadgets, *reader.find_values(gadgets, gadget.id)); });
  CHECK(json == parse_json(R"({
    "id": "01a1fef8-ca48-73cc-95ea-c4e2f6662794", "name": "lamp", "kind": "toy",
    "amount": -9223372036854775808, "weight": -0.5, "is_sold": true, "tags": ["a", "ü,\"b\""],
    "settings": {"a": [true, null], "b": 1}, "photo": "AP8n", "sold_at": "2026-02-03T04:05:06.000007Z",
    "remark": "", "created_at": "2026-03-01T12:00:00.000000Z", "updated_at": "2026-03-01T12:00:00.000000Z",
    "deleted_at": null})",
                           "expected"));
}

CONFORMANCE_TEST("a NULL in a field that has to hold something is an error that names the column") {
  if (Engine::is_waived()) return;
  GadgetStore<Engine> store;
  store.open().change(ours, [](Change& change) { change.insert(gadgets, {.name = "lamp"}); });
  store.database().write([](db::Transaction& t) {
    t.execute_script(
        t.dialect() == db::Dialect::sqlite
            ? "CREATE TABLE other AS SELECT * FROM gadgets; DROP TABLE gadgets; "
              "ALTER TABLE other RENAME TO gadgets; UPDATE gadgets SET amount = NULL"
            : "ALTER TABLE gadgets ALTER amount DROP NOT NULL; UPDATE gadgets SET amount = NULL");
  });
  CHECK_THROWS_WITH_AS(store.open().read(ours, [](Reader& reader) { reader.select(gadgets, "TRUE", {}); }),
                       "gadgets.amount is NULL", DatabaseError);
}
