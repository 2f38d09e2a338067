// SPDX-License-Identifier: Apache-2.0
// References from one store to the other, which no foreign key holds.
#include "workspace/scene.h"

#include "nerve/core/error.h"
#include "nerve/cross_store.h"
#include "nerve/jobs/runner.h"
#include "nerve/workspace/module_checks.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace nerve;
using test::count_of;
using test::Scene;

namespace {

template <class Engine>
void add_item(Scene<Engine>& scene, const Uuid& id, const Uuid& tenant = {}) {
  scene.secure().database.write(db::TenantSetting::all(), [&](db::Transaction& t) {
    t.execute("INSERT INTO vault_items (id, tenant_id) VALUES (:id, :tenant)",
              {{"id", id}, {"tenant", tenant}});
  });
}

template <class Engine>
void refer(Scene<Engine>& scene, const std::string& table, const Uuid& item) {
  scene.core().database.write([&](db::Transaction& t) {
    t.execute("INSERT INTO " + table + " (id, item_id) VALUES (:id, :item)",
              {{"id", new_uuid()}, {"item", item}});
  });
}

template <class Engine>
jobs::JobRun sweep(Scene<Engine>& scene, bool is_dry_run = false) {
  return jobs::run_jobs(scene.stores(), {.job = "orphan-sweep", .is_dry_run = is_dry_run}).front();
}

health::Check references_check(Stores& stores) {
  health::Report report;
  const health::Skipped none;
  health::Checklist checklist(report, none);
  workspace::add_module_checks(stores, checklist);
  for (health::Check& check : report.checks) {
    if (check.id == "cross_store.references") return std::move(check);
  }
  FAIL("there is no such check");
  return {};
}

}  // namespace

TEST_CASE(
    "the facts of the tables name every reference, and a tenant-owned table of the secure store one to its "
    "tenant") {
  std::string names;
  for (const StoreReference& reference : cross_store_references(test::composition().modules)) {
    names += reference.name() + " ";
  }
  CHECK(names == "vault_items.tenant_id vault_cases.item_id vault_notes.item_id vault_links.item_id ");
}

CONFORMANCE_TEST("a reference is accepted while its record is there and not deleted") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  const Uuid item = new_uuid();
  const auto require = [&] {
    require_reference(scene.stores(), Store::core, "vault_cases", "item_id", item);
  };
  CHECK_THROWS_AS(require(), NotFoundError);
  add_item(scene, item);
  CHECK_NOTHROW(require());
  scene.execute(Store::secure, "UPDATE vault_items SET deleted_at = '2026-03-01T12:00:00.000000Z'");
  CHECK_THROWS_AS(require(), NotFoundError);
}

CONFORMANCE_TEST("the sweep acts on an orphan that a run a day ago found already, as the table's facts say") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  const Uuid there = new_uuid();
  add_item(scene, there);
  for (const std::string table : {"vault_cases", "vault_notes", "vault_links"}) {
    refer(scene, table, there);
    refer(scene, table, new_uuid());
  }
  CHECK(references_check(scene.stores()).status == health::Status::warning);
  CHECK(references_check(scene.stores()).value == "3 of 7 missing");

  CHECK(count_of(sweep(scene, true), "orphans") == 3);
  const jobs::JobRun first = sweep(scene);
  CHECK(count_of(first, "waiting") == 3);
  CHECK(count_of(first, "cleared") == 0);
  scene.clock().advance(std::chrono::hours(25));
  CHECK(count_of(sweep(scene, true), "cleared") == 1);
  const jobs::JobRun second = sweep(scene);
  CHECK(count_of(second, "cleared") == 1);
  CHECK(count_of(second, "removed") == 1);
  CHECK(count_of(second, "waiting") == 1);  // vault_links: people decide
  CHECK(scene.template ask<std::int64_t>(Store::core,
                                         "SELECT count(*) FROM vault_cases WHERE item_id IS NULL") == 1);
  CHECK(scene.template ask<std::int64_t>(Store::core,
                                         "SELECT count(*) FROM vault_notes WHERE deleted_at IS NULL") == 1);
  CHECK(references_check(scene.stores()).value == "1 of 5 missing");
}

CONFORMANCE_TEST("an orphan whose record arrives before the next sweep is forgotten") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  const Uuid late = new_uuid();
  refer(scene, "vault_cases", late);
  sweep(scene);
  CHECK(scene.template ask<std::int64_t>(Store::core, "SELECT count(*) FROM orphan_references") == 1);
  add_item(scene, late);
  scene.clock().advance(std::chrono::hours(48));
  CHECK(count_of(sweep(scene), "orphans") == 0);
  CHECK(scene.template ask<std::int64_t>(Store::core, "SELECT count(*) FROM orphan_references") == 0);
  CHECK(references_check(scene.stores()).status == health::Status::ok);
}

CONFORMANCE_TEST("a row of the secure store whose tenant is not in the core store is found") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  add_item(scene, new_uuid(), new_uuid());
  const health::Check check = references_check(scene.stores());
  CHECK(check.status == health::Status::warning);
  CHECK(check.message.find("vault_items.tenant_id (1)") != std::string::npos);
}

CONFORMANCE_TEST("more ids than one portion are all looked up") {
  if (Engine::is_waived()) return;
  Scene<Engine> scene;
  scene.core().database.write([](db::Transaction& t) {
    const auto insert = [&](const Uuid& item) {
      t.execute("INSERT INTO vault_links (id, item_id) VALUES (:id, :item)",
                {{"id", new_uuid()}, {"item", item}});
    };
    for (int i = 0; i < 1201; ++i) insert(new_uuid());
  });
  CHECK(references_check(scene.stores()).value == "1,201 of 1,201 missing");
}
