// SPDX-License-Identifier: Apache-2.0
// Goal: nothing of another tenant comes out of a scope, and nothing of it is changed. Method: two tenants
// with the same kinds of rows; every function of readers and changes is asked in the scope of one, by the
// ids, names and values of the other, whose rows hold a sentinel.
#include "records/scene.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

using namespace nerve;
using test::Gadget;
using test::gadgets;
using test::GadgetStore;
using test::ours;
using test::theirs;

namespace {

constexpr std::string_view sentinel = "sentinel";

struct Rows {
  Gadget own;
  Gadget foreign;
  Gadget foreign_removed;
};

template <class Engine>
Rows two_tenants(GadgetStore<Engine>& store) {
  Rows rows;
  store.open().change(ours, [&](Change& change) {
    rows.own = change.insert(gadgets, {.name = "lamp", .amount = 1, .remark = "own"});
  });
  store.open().change(theirs, [&](Change& change) {
    rows.foreign = change.insert(gadgets, {.name = "sofa", .amount = 1, .remark = std::string(sentinel)});
    rows.foreign_removed =
        change.insert(gadgets, {.name = "desk", .amount = 1, .remark = std::string(sentinel)});
    change.remove(gadgets, rows.foreign_removed.id);
  });
  return rows;
}

std::string text_of(const std::vector<Gadget>& rows) {
  std::string text;
  for (const Gadget& row : rows) text += row.name + " " + row.remark.value_or("") + " ";
  return text;
}

std::string text_of(const Page<RecordValues, Uuid>& page) {
  std::string text;
  for (const RecordValues& row : page.items) {
    for (const db::Value& value : row) text += std::string(value.as_octets()) + " ";
  }
  return text;
}

using Attempt = std::pair<std::string, std::function<std::string(Change&, const Rows&)>>;

// What comes out; what is thrown is nothing.

std::vector<Attempt> reads_by_key_or_condition() {
  return {
      {"find by id",
       [](Change& change, const Rows& rows) {
         const auto found = change.find(gadgets, rows.foreign.id, db::Visibility::all);
         return found ? text_of({*found}) : "";
       }},
      {"require by id",
       [](Change& change, const Rows& rows) { return text_of({change.require(gadgets, rows.foreign.id)}); }},
      {"hold by id",
       [](Change& change, const Rows& rows) { return text_of({change.hold(gadgets, rows.foreign.id)}); }},
      {"find and lock by id",
       [](Change& change, const Rows& rows) {
         const auto found = change.find_locked(gadgets, rows.foreign.id, db::Visibility::all);
         return found ? text_of({*found}) : "";
       }},
      {"find by a value",
       [](Change& change, const Rows&) {
         const auto found = change.find_where(gadgets, "remark = :remark", {{"remark", sentinel}});
         return found ? text_of({*found}) : "";
       }},
      {"find by a value and lock",
       [](Change& change, const Rows&) {
         const auto found = change.find_where_locked(gadgets, "remark = :remark", {{"remark", sentinel}});
         return found ? text_of({*found}) : "";
       }},
      {"select all",
       [](Change& change, const Rows&) {
         return text_of(change.select(gadgets, "TRUE", {}, {.visibility = db::Visibility::all}));
       }},
      {"select with a condition that ends in OR",
       [](Change& change, const Rows&) {
         return text_of(change.select(gadgets, "name = 'lamp' OR TRUE", {}));
       }},
      {"select the removed",
       [](Change& change, const Rows&) {
         return text_of(change.select(gadgets, "TRUE", {}, {.visibility = db::Visibility::deleted}));
       }},
      {"select by the tenant's id",
       [](Change& change, const Rows&) {
         return text_of(change.select(gadgets, "tenant_id = :other", {{"other", theirs.tenant}}));
       }},
      {"select with owners",
       [](Change& change, const Rows&) {
         std::string text;
         for (const auto& one : change.select_owned(gadgets, "TRUE", {})) text += text_of({one.record});
         return text;
       }},
  };
}

std::vector<Attempt> reads_by_name_and_lists() {
  return {
      {"count",
       [](Change& change, const Rows&) {
         return change.count(gadgets, "remark = :remark", {{"remark", sentinel}}, db::Visibility::all) > 0
                    ? std::string(sentinel)
                    : "";
       }},
      {"exists",
       [](Change& change, const Rows&) {
         return change.exists(gadgets, "remark = :remark", {{"remark", sentinel}}) ? std::string(sentinel)
                                                                                   : "";
       }},
      {"id of a name",
       [](Change& change, const Rows&) {
         return std::string(sentinel) + change.find_id(gadgets, "sofa").to_string();
       }},
      {"id of an id",
       [](Change& change, const Rows& rows) {
         return std::string(sentinel) + change.find_id(gadgets, rows.foreign.id.to_string()).to_string();
       }},
      {"id of the end of an id",
       [](Change& change, const Rows& rows) {
         return std::string(sentinel) +
                change.find_id(gadgets, rows.foreign.id.to_string().substr(28)).to_string();
       }},
      {"what is near a name",
       [](Change& change, const Rows&) {
         try {
           change.find_id(gadgets, "sofe");
         } catch (const Error& error) {
           return error.hint().find("sofa") == std::string::npos ? std::string() : std::string(sentinel);
         }
         return std::string(sentinel);
       }},
      {"values by id",
       [](Change& change, const Rows& rows) {
         return change.find_values(gadgets, rows.foreign.id) ? std::string(sentinel) : "";
       }},
      {"a list", [](Change& change, const Rows&) { return text_of(change.list(gadgets, {})); }},
      {"a list of all",
       [](Change& change, const Rows&) {
         return text_of(change.list(gadgets, {.visibility = db::Visibility::all}));
       }},
      {"a list by a value",
       [](Change& change, const Rows&) {
         return text_of(change.list(gadgets, {.where = {{gadgets.find("amount"), db::Value::integer(1)}}}));
       }},
      {"a list behind a foreign record",
       [](Change& change, const Rows& rows) {
         return text_of(change.list(gadgets, {.after = rows.foreign.id, .sort = gadgets.find("remark")}));
       }},
      {"a statement that binds the tenant",
       [](Change& change, const Rows&) {
         std::string text;
         change.each<std::string>("SELECT remark FROM gadgets WHERE tenant_id = :tenant", {},
                                  [&](const std::string& remark) { text += remark; });
         return text;
       }},
      {"a statement with a CTE",
       [](Change& change, const Rows&) {
         std::string text;
         change.each<std::string>(
             "WITH mine AS (SELECT remark FROM gadgets WHERE tenant_id = :tenant) SELECT remark FROM mine",
             {}, [&](const std::string& remark) { text += remark; });
         return text;
       }},
  };
}

std::vector<Attempt> writes() {
  return {
      {"an insert with the key of a foreign record",
       [](Change& change, const Rows& rows) {
         Gadget copy = rows.foreign;
         copy.name = "taken over";
         return change.try_insert(gadgets, copy) ? std::string(sentinel) : "";
       }},
      {"an update of a foreign record",
       [](Change& change, const Rows& rows) {
         Gadget after = rows.foreign;
         after.remark = "mine";
         return text_of({change.update(gadgets, rows.foreign, after)});
       }},
      {"an update of a foreign record as its owner",
       [](Change& change, const Rows& rows) {
         Gadget after = rows.foreign;
         after.remark = "mine";
         return text_of({change.update_owned(gadgets, {theirs.tenant, rows.foreign}, after)});
       }},
      {"a put over a foreign record",
       [](Change& change, const Rows& rows) {
         Gadget after = rows.foreign;
         after.remark = "mine";
         change.put(gadgets, after);
         return std::string(sentinel);
       }},
      {"a removal",
       [](Change& change, const Rows& rows) { return text_of({change.remove(gadgets, rows.foreign.id)}); }},
      {"a restoration",
       [](Change& change, const Rows& rows) {
         return text_of({change.restore(gadgets, rows.foreign_removed.id)});
       }},
      {"a field that is cleared",
       [](Change& change, const Rows& rows) {
         change.clear_field(gadgets, db::Parameter("", rows.foreign.id).value, *gadgets.find("remark"));
         return std::string(sentinel);
       }},
      {"a statement that changes",
       [](Change& change, const Rows&) {
         return change.execute(
                    "UPDATE gadgets SET remark = 'mine' WHERE tenant_id = :tenant AND name = 'sofa'") > 0
                    ? std::string(sentinel)
                    : "";
       }},
  };
}

std::vector<Attempt> attempts() {
  std::vector<Attempt> all = reads_by_key_or_condition();
  for (auto* more : {&reads_by_name_and_lists, &writes}) {
    const std::vector<Attempt> further = more();
    all.insert(all.end(), further.begin(), further.end());
  }
  return all;
}

template <class Engine>
std::string foreign_rows(GadgetStore<Engine>& store) {
  return store.open().read(theirs, [](Reader& reader) {
    return text_of(
        reader.select(gadgets, "TRUE", {}, {.visibility = db::Visibility::all, .order_by = "name"}));
  });
}

}  // namespace

CONFORMANCE_TEST("nothing of another tenant comes out of a scope, and nothing of it is changed") {
  if (Engine::is_waived()) return;
  GadgetStore<Engine> store;
  const Rows rows = two_tenants(store);
  const std::string before = foreign_rows(store);
  for (const Scope& scope : {ours, Scope()}) {
    for (const Attempt& one : attempts()) {
      CAPTURE(one.first);
      std::string out;
      try {
        store.open().change(scope, [&](Change& change) { out = one.second(change, rows); });
      } catch (const Error&) {
        out.clear();
      }
      CHECK(out.find(sentinel) == std::string::npos);
      CHECK(foreign_rows(store) == before);
    }
  }
}

CONFORMANCE_TEST("a scope of all tenants sees each row with its owner, and changes it as its owner's") {
  if (Engine::is_waived()) return;
  GadgetStore<Engine> store;
  two_tenants(store);
  const Scope all = Scope().across("a test looks at everything");
  store.open().change(all, [&](Change& change) {
    const auto rows =
        change.select_owned_locked(gadgets, "amount = :one", {{"one", 1}}, {.order_by = "name"});
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].tenant == ours.tenant);
    CHECK(rows[1].tenant == theirs.tenant);
    Gadget after = rows[1].record;
    after.amount = 7;
    CHECK(change.update_owned(gadgets, rows[1], after).amount == 7);
    CHECK_THROWS_AS(change.insert(gadgets, {.name = "nobody's"}), Error);
    CHECK_THROWS_AS(change.one<std::int64_t>("SELECT count(*) FROM gadgets WHERE tenant_id = :tenant"),
                    Error);
  });
  CHECK(store.seen().ends_with("changed gadget amount:> theirs\n"));
}
