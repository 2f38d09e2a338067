// SPDX-License-Identifier: Apache-2.0
// What people type for a record: its natural key, its id, or the end of that.
#include "records/scene.h"

#include "nerve/core/error.h"
#include "nerve/reader.h"

#include <doctest/doctest.h>

#include <string>

using namespace nerve;
using test::gadgets;
using test::GadgetStore;
using test::ours;
using test::theirs;

namespace {

const std::string first_id = "01a1fef8-ca48-73cc-95ea-c4e2f6662794";
const std::string second_id = "01a1fef8-ca48-73cc-95ea-d4e2f6662794";
const std::string foreign_id = "01a1fef8-ca48-73cc-95ea-d4e2f6662795";

template <class Engine>
void fill(GadgetStore<Engine>& store) {
  store.open().change(ours, [](Change& change) {
    change.insert(gadgets, {.id = Uuid::parse(first_id), .name = "lamp"});
    change.insert(gadgets, {.id = Uuid::parse(second_id), .name = "chair"});
  });
  store.open().change(theirs, [](Change& change) {
    change.insert(gadgets, {.id = Uuid::parse(foreign_id), .name = "sofa"});
  });
}

template <class Engine>
std::string found(GadgetStore<Engine>& store, const std::string& text) {
  try {
    return store.open().read(ours, [&](Reader& reader) { return reader.find_id(gadgets, text); }).to_string();
  } catch (const Error& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
}

}  // namespace

CONFORMANCE_TEST(
    "a record is found by its name, its id, and an end of that which no other has, in either case") {
  if (Engine::is_waived()) return;
  GadgetStore<Engine> store;
  fill(store);
  CHECK(found(store, "lamp") == first_id);
  CHECK(found(store, first_id) == first_id);
  CHECK(found(store, "C4E2F6662794") == first_id);
  CHECK(found(store, "ea-d4e2f6662794") == second_id);
  CHECK(found(store, "f6662794").starts_with("several gadgets have ids that end so"));
}

CONFORMANCE_TEST("the records of another tenant are found by nothing") {
  if (Engine::is_waived()) return;
  GadgetStore<Engine> store;
  fill(store);
  for (const std::string& text :
       {std::string("sofa"), foreign_id, foreign_id.substr(28), foreign_id.substr(20)})
    CHECK(found(store, text).starts_with("there is no gadget " + text));
}

CONFORMANCE_TEST("what is not found is told with what is near, or how much of an id is needed") {
  if (Engine::is_waived()) return;
  GadgetStore<Engine> store;
  fill(store);
  CHECK(found(store, "lamb") == "there is no gadget lamb | Did you mean lamp?");
  CHECK(found(store, "6662794") ==
        "there is no gadget 6662794 | `nerve-db gadget list --with-removed` lists them. Of an id, at "
        "least the last 8 characters are needed.");
  CHECK(found(store, "%%%%%%%%").starts_with("there is no gadget %%%%%%%%"));
  CHECK(found(store, "a\x1b[2Jb").find('\x1b') == std::string::npos);
}
