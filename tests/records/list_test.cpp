// SPDX-License-Identifier: Apache-2.0
// Goal: every list shows each record once, in its order, however it is cut into pages. Method: random
// gadgets, some of whose fields have no value, are listed by every field in both directions in pages of
// three, and compared with a sort in memory.
#include "records/scene.h"
#include "support/effort.h"

#include "nerve/reader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace nerve;
using test::Gadget;
using test::gadgets;
using test::GadgetStore;
using test::ours;
using test::theirs;

namespace {

constexpr unsigned seed = 20261201;

std::vector<Gadget> random_gadgets() {
  std::mt19937 generator(seed);
  std::vector<Gadget> made;
  made.reserve(40);
  for (int i = 0; i < 40; ++i) {
    Gadget one{.id = new_uuid(), .name = "g" + std::to_string(100 + i)};
    one.amount = static_cast<std::int64_t>(generator() % 5);
    if (generator() % 3 != 0) one.weight = static_cast<double>(generator() % 4) / 2;
    one.is_sold = generator() % 2 == 0;
    if (generator() % 3 != 0)
      one.sold_at = Timestamp::from_microseconds(static_cast<std::int64_t>(generator() % 3) * 1'000'000);
    made.push_back(std::move(one));
  }
  return made;
}

std::vector<std::string> listed(Reader& reader, ListQuery query) {
  std::vector<std::string> names;
  do {
    const auto page = reader.list(gadgets, query);
    CHECK(std::ssize(page.items) <= query.limit);
    for (const RecordValues& row : page.items) names.emplace_back(row[1].as_octets());
    query.after = page.next;
  } while (query.after);
  return names;
}

/// A value as text that sorts as the value does; those without one last.
std::string sort_key(const Field& field, const Gadget& gadget) {
  const db::Value value = field.value_in(&gadget);
  switch (value.type()) {
    case db::ValueType::integer:
      return std::to_string(1000 + value.as_integer());
    case db::ValueType::boolean:
      return value.as_boolean() ? "1" : "0";
    case db::ValueType::real:
      return std::to_string(1000 + value.as_real());
    default:
      return std::string(value.as_octets());
  }
}

std::vector<std::string> sorted(std::vector<Gadget> all, const Field& field, bool is_descending) {
  std::ranges::stable_sort(all, [&](const Gadget& left, const Gadget& right) {
    const bool left_null = field.value_in(&left).type() == db::ValueType::null;
    const bool right_null = field.value_in(&right).type() == db::ValueType::null;
    if (left_null != right_null) return right_null;
    const std::string a = sort_key(field, left);
    const std::string b = sort_key(field, right);
    if (a != b) return is_descending ? a > b : a < b;
    return left.id < right.id;
  });
  std::vector<std::string> names;
  names.reserve(all.size());
  for (const Gadget& one : all) names.push_back(one.name);
  return names;
}

}  // namespace

CONFORMANCE_TEST("a list shows each record once, in the order of any field and in either direction") {
  if (Engine::is_waived()) return;
  MESSAGE("seed ", seed);
  GadgetStore<Engine> store;
  const std::vector<Gadget> all = random_gadgets();
  store.open().change(ours, [&](Change& change) {
    for (const Gadget& one : all) change.insert(gadgets, one);
  });
  store.open().change(theirs, [](Change& change) { change.insert(gadgets, {.name = "sentinel"}); });
  store.open().read(ours, [&](Reader& reader) {
    for (const std::string_view name : {"name", "amount", "weight", "is_sold", "sold_at"}) {
      for (const bool is_descending : {false, true}) {
        const Field* field = gadgets.find(name);
        CAPTURE(name);
        CAPTURE(is_descending);
        CHECK(listed(reader, {.limit = 3, .sort = field, .is_descending = is_descending}) ==
              sorted(all, *field, is_descending));
      }
    }
    CHECK(listed(reader, {.limit = 7}) == sorted(all, *gadgets.find("id"), false));
  });
}

CONFORMANCE_TEST("a list keeps to the values that are asked for, and to what was removed or not") {
  if (Engine::is_waived()) return;
  GadgetStore<Engine> store;
  store.open().change(ours, [](Change& change) {
    change.insert(gadgets, {.name = "a", .amount = 1});
    change.insert(gadgets, {.name = "b", .amount = 1, .remark = "x"});
    const Gadget gone = change.insert(gadgets, {.name = "c", .amount = 1});
    change.remove(gadgets, gone.id);
    change.insert(gadgets, {.name = "d", .amount = 2});
  });
  const ListQuery::Equal one{gadgets.find("amount"), db::Value::integer(1)};
  const ListQuery::Equal nothing{gadgets.find("remark"), {}};
  store.open().read(ours, [&](Reader& reader) {
    using Names = std::vector<std::string>;
    CHECK(listed(reader, {.where = {one}}) == Names{"a", "b"});
    CHECK(listed(reader, {.where = {one, nothing}}) == Names{"a"});
    CHECK(listed(reader, {.where = {one}, .visibility = db::Visibility::all}) == Names{"a", "b", "c"});
    CHECK(listed(reader, {.where = {one}, .visibility = db::Visibility::deleted}) == Names{"c"});
  });
}
