// SPDX-License-Identifier: Apache-2.0
#include "nerve/tenancy/tenants.h"

#include "modules/migrated_store.h"

#include "nerve/core/error.h"
#include "nerve/tenancy/events.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace nerve;
using tenancy::NewTenant;
using tenancy::Tenant;
using tenancy::TenantQuery;
using tenancy::Tenants;
using test::MigratedStore;
using test::Sqlite;

namespace {

template <class Work>
std::string error_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    CHECK_FALSE(error.hint().empty());
    return std::string(to_string(error.kind())) + ": " + error.what() + " | " + error.hint();
  }
  return "no error";
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> wrong_fields(Tenants& tenants, const NewTenant& tenant) {
  std::vector<std::string> fields;
  try {
    tenants.create(tenant);
  } catch (const ValidationError& error) {
    for (const Violation& violation : error.violations()) fields.push_back(violation.field);
  }
  return fields;
}

}  // namespace

CONFORMANCE_TEST("a tenant is kept as it was given, with a slug made of its name") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  const Tenant made = tenants.create({.name = "  Müller & Söhne GmbH ",
                                      .primary_domain = "MÜLLER.example.",
                                      .subscription_tier = "team",
                                      .max_seats = 20,
                                      .billing_email = "Bills@Example.ORG"});
  CHECK(made.slug == "m-ller-s-hne-gmbh");
  CHECK(made.name == "Müller & Söhne GmbH");
  CHECK(made.primary_domain == "xn--mller-kva.example");
  CHECK(made.billing_email == "Bills@example.org");
  CHECK(made.max_seats == 20);
  CHECK(made.created_at == store.clock().now());
  const auto read = tenants.get(made.id);
  REQUIRE(read);
  CHECK(read->subscription_tier == "team");
  CHECK(read->status == tenancy::TenantStatus::active);
  CHECK_FALSE(read->deleted_at);
}

CONFORMANCE_TEST("everything that is wrong with a new tenant is said at once, and nothing is made") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  CHECK(wrong_fields(tenants, {.name = " ",
                               .slug = "Not A Slug",
                               .primary_domain = "not a domain",
                               .max_seats = 0,
                               .billing_email = "nobody"}) ==
        std::vector<std::string>{"name", "slug", "primary_domain", "billing_email", "max_seats"});
  CHECK(wrong_fields(tenants, {.name = "日本"}) == std::vector<std::string>{"slug"});
  CHECK(wrong_fields(tenants, {.name = std::string(256, 'a'), .slug = "a"}) ==
        std::vector<std::string>{"name"});
  CHECK(tenants.count() == 0);
}

CONFORMANCE_TEST("a slug or domain that is taken is a conflict, also when a deleted tenant has it") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  const Tenant acme = tenants.create({.name = "Acme", .primary_domain = "acme.example"});
  CHECK(
      contains(error_of([&] { tenants.create({.name = "acme"}); }), "conflict: a tenant has the slug acme"));
  CHECK(contains(error_of([&] { tenants.create({.name = "Other", .primary_domain = "ACME.example"}); }),
                 "conflict: a tenant has this primary domain"));
  tenants.erase(acme.id);
  CHECK(contains(error_of([&] { tenants.create({.name = "Acme"}); }), "a deleted tenant has the slug acme"));
  CHECK(contains(error_of([&] { tenants.create({.name = "System"}); }), "belongs to the system tenant"));
}

CONFORMANCE_TEST("a deleted tenant is left out until it is restored, and keeps all it had") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  const Tenant acme = tenants.create({.name = "Acme", .primary_domain = "acme.example"});
  store.clock().advance(std::chrono::hours(1));
  CHECK(tenants.erase(acme.id).deleted_at == store.clock().now());
  CHECK(tenants.count() == 0);
  CHECK(tenants.count(db::Visibility::deleted) == 1);
  CHECK(contains(error_of([&] { tenants.erase(acme.id); }), "not_found: the tenant acme is deleted"));
  CHECK(contains(error_of([&] { tenants.rename(acme.id, "New"); }), "not_found"));
  const Tenant back = tenants.restore(acme.id);
  CHECK_FALSE(back.deleted_at);
  CHECK(back.primary_domain == "acme.example");
  CHECK(contains(error_of([&] { tenants.restore(acme.id); }), "conflict"));
}

CONFORMANCE_TEST("a transaction of another module can require that a tenant is live") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  const Tenant acme = tenants.create({.name = "Acme"});
  const auto require = [&](const TenantId& id) {
    return store.database().write(
        [&](db::Transaction& t) { return tenancy::require_live_tenant(t, id).slug; });
  };
  CHECK(require(acme.id) == "acme");
  tenants.erase(acme.id);
  CHECK(contains(error_of([&] { require(acme.id); }), "not_found: the tenant acme is deleted"));
  CHECK(contains(error_of([&] { require(system_tenant); }), "not_found"));
  CHECK(contains(error_of([&] { require(TenantId(new_uuid())); }), "not_found"));
}

CONFORMANCE_TEST("the system tenant is there, is never seen and cannot be changed") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  CHECK(store.database().read([](db::Transaction& t) {
    return t.one<std::string>("SELECT slug FROM tenants WHERE id = :id", {{"id", system_tenant}});
  }) == "system");
  CHECK(tenants.list({.visibility = db::Visibility::all}).items.empty());
  CHECK_FALSE(tenants.get(system_tenant));
  CHECK(contains(error_of([&] { tenants.find("system"); }), "not_found"));
  CHECK(contains(error_of([&] { tenants.find(system_tenant.to_string()); }), "not_found"));
  CHECK(contains(error_of([&] { tenants.erase(system_tenant); }), "not_found"));
  CHECK(contains(error_of([&] { tenants.rename(system_tenant, "Mine"); }), "not_found"));
}

CONFORMANCE_TEST("a tenant is found by slug, id and the end of its id, and a near miss is named") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  const Tenant acme = tenants.create({.name = "Acme"});
  tenants.create({.name = "Globex"});
  CHECK(tenants.find("acme").id == acme.id);
  CHECK(tenants.find(acme.id.to_string()).id == acme.id);
  CHECK(tenants.find(acme.id.short_text()).id == acme.id);
  CHECK(contains(error_of([&] { tenants.find("acne"); }), "Did you mean acme?"));
  CHECK(contains(error_of([&] { tenants.find(acme.id.short_text().substr(1)); }), "not_found"));
  CHECK(contains(error_of([&] { tenants.find("%%%%%%%%"); }), "not_found"));
}

CONFORMANCE_TEST("a list comes in pages, each tenant once, in the order in which they were made") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  std::vector<std::string> made;
  made.reserve(7);
  for (int i = 0; i < 7; ++i)
    made.push_back(tenants.create({.name = "tenant " + std::to_string(9 - i)}).slug);
  tenants.erase(tenants.find(made[3]).id);
  made.erase(made.begin() + 3);
  std::vector<std::string> listed;
  TenantQuery query{.limit = 4};
  int pages = 0;
  do {
    const auto page = tenants.list(query);
    for (const Tenant& tenant : page.items) listed.push_back(tenant.slug);
    query.after = page.next;
    ++pages;
  } while (query.after);
  CHECK(listed == made);
  CHECK(pages == 2);
}

CONFORMANCE_TEST("every change tells what happened inside its transaction, and is undone with it") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  std::string heard;
  store.events().template subscribe<tenancy::TenantCreated>(
      "test",
      [&](db::Transaction&, const tenancy::TenantCreated& event) { heard += "created " + event.slug + " "; });
  store.events().template subscribe<tenancy::TenantRenamed>(
      "test", [&](db::Transaction&, const tenancy::TenantRenamed& event) {
        if (event.new_name == "Bad") throw ConflictError("not that name", "Take another.");
        heard += event.old_name + " to " + event.new_name + " ";
      });
  store.events().template subscribe<tenancy::TenantDeleted>(
      "test", [&](db::Transaction&, const tenancy::TenantDeleted&) { heard += "deleted "; });
  store.events().template subscribe<tenancy::TenantRestored>(
      "test", [&](db::Transaction&, const tenancy::TenantRestored&) { heard += "restored "; });
  Tenants tenants(store.open());
  const Tenant acme = tenants.create({.name = "Acme"});
  tenants.rename(acme.id, "Acme Ltd");
  tenants.rename(acme.id, "Acme Ltd");  // no change, no event
  CHECK_THROWS_AS(tenants.rename(acme.id, "Bad"), ConflictError);
  CHECK(tenants.get(acme.id)->name == "Acme Ltd");
  tenants.erase(acme.id);
  tenants.restore(acme.id);
  CHECK(heard == "created acme Acme to Acme Ltd deleted restored ");
}

CONFORMANCE_TEST("updated_at follows each change, and the views of the source systems show it") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  const Tenant acme = tenants.create({.name = "Acme", .primary_domain = "acme.example"});
  const Tenant renamed = tenants.rename(acme.id, "Acme Ltd");
  CHECK(renamed.updated_at != acme.updated_at);
  CHECK(renamed.created_at == acme.created_at);
  tenants.set_status(acme.id, tenancy::TenantStatus::suspended);
  store.database().read([&](db::Transaction& t) {
    const auto [name, domain, seats] = t.one<std::string, std::string, int>(
        "SELECT name, primary_domain, max_seats FROM companies WHERE id = :id AND user_id IS NULL",
        {{"id", acme.id}});
    CHECK(name == "Acme Ltd");
    CHECK(domain == "acme.example");
    CHECK(seats == 1);
    CHECK(t.one<std::string>("SELECT status FROM organizations") == "suspended");
  });
}

TEST_CASE("whatever a tenant is called, the slug made of it is one or there is none") {
  MigratedStore<Sqlite> store;
  Tenants tenants(store.open());
  const std::vector<std::string> names{
      "A", "--a--b--", "  x  y  ", "ÄÖÜ 1", "a" + std::string(80, '-') + "c", std::string(200, 'q'), "1.2.3"};
  for (const std::string& name : names) {
    const std::string slug = tenants.create({.name = name}).slug;
    CHECK_MESSAGE(slug.size() <= 63, slug);
    CHECK_MESSAGE(slug.front() != '-', slug);
    CHECK_MESSAGE(slug.back() != '-', slug);
    CHECK_MESSAGE(slug.find("--") == std::string::npos, slug);
  }
}
