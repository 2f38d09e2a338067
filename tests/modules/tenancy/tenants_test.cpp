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
using tenancy::Tenant;
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

std::vector<std::string> wrong_fields(Tenants& tenants, const Tenant& tenant) {
  std::vector<std::string> fields;
  try {
    tenants.create({}, tenant);
  } catch (const ValidationError& error) {
    for (const Violation& violation : error.violations()) fields.push_back(violation.field);
  }
  return fields;
}

Tenant rename(Tenants& tenants, const TenantId& id, const std::string& name) {
  return tenants.update({}, id, [&](Tenant& tenant) { tenant.name = name; });
}

template <class Engine>
std::int64_t count(MigratedStore<Engine>& store, db::Visibility visibility = db::Visibility::live) {
  return store.open().read(
      {}, [&](Reader& reader) { return reader.count(tenancy::tenants, "TRUE", {}, visibility); });
}

/// The tenant that people mean.
template <class Engine>
Tenant find(MigratedStore<Engine>& store, const std::string& text) {
  return store.open().read({}, [&](Reader& reader) {
    return *reader.find(tenancy::tenants, reader.find_id(tenancy::tenants, text), db::Visibility::all);
  });
}

}  // namespace

CONFORMANCE_TEST("a tenant is kept as it was given, with a slug made of its name") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  const Tenant made = tenants.create({}, {.name = "  Müller & Söhne GmbH ",
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
  const auto read = tenants.get({}, made.id);
  REQUIRE(read);
  CHECK(read->subscription_tier == "team");
  CHECK(read->status == tenancy::TenantStatus::active);
  CHECK_FALSE(read->deleted_at);
}

CONFORMANCE_TEST("everything that is wrong with a new tenant is said at once, and nothing is made") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  CHECK(wrong_fields(tenants, {.slug = "Not A Slug",
                               .name = " ",
                               .primary_domain = "not a domain",
                               .max_seats = 0,
                               .billing_email = "nobody"}) ==
        std::vector<std::string>{"name", "slug", "primary_domain", "billing_email", "max_seats"});
  CHECK(wrong_fields(tenants, {.name = "日本"}) == std::vector<std::string>{"slug"});
  CHECK(wrong_fields(tenants, {.slug = "a", .name = std::string(256, 'a')}) ==
        std::vector<std::string>{"name"});
  CHECK(count(store) == 0);
}

CONFORMANCE_TEST("a slug or domain that is taken is a conflict, also when a removed tenant has it") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  const Tenant acme = tenants.create({}, {.name = "Acme", .primary_domain = "acme.example"});
  CHECK(contains(error_of([&] { tenants.create({}, {.name = "acme"}); }),
                 "conflict: a tenant has the slug acme"));
  CHECK(contains(error_of([&] { tenants.create({}, {.name = "Other", .primary_domain = "ACME.example"}); }),
                 "conflict: a tenant has this primary domain"));
  tenants.remove({}, acme.id);
  CHECK(contains(error_of([&] { tenants.create({}, {.name = "Acme"}); }),
                 "a removed tenant has the slug acme"));
  CHECK(contains(error_of([&] { tenants.create({}, {.name = "System"}); }), "belongs to the system tenant"));
}

CONFORMANCE_TEST("a removed tenant is left out until it is restored, and keeps all it had") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  const Tenant acme = tenants.create({}, {.name = "Acme", .primary_domain = "acme.example"});
  store.clock().advance(std::chrono::hours(1));
  CHECK(tenants.remove({}, acme.id).deleted_at == store.clock().now());
  CHECK(count(store) == 0);
  CHECK(count(store, db::Visibility::deleted) == 1);
  CHECK(contains(error_of([&] { tenants.remove({}, acme.id); }), "not_found: the tenant is removed"));
  CHECK(contains(error_of([&] { rename(tenants, acme.id, "New"); }), "not_found"));
  const Tenant back = tenants.restore({}, acme.id);
  CHECK_FALSE(back.deleted_at);
  CHECK(back.primary_domain == "acme.example");
  CHECK(contains(error_of([&] { tenants.restore({}, acme.id); }), "conflict"));
}

CONFORMANCE_TEST("a change of another module can require that its tenant is active") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  const Tenant acme = tenants.create({}, {.name = "Acme"});
  const auto require = [&](const TenantId& id) {
    return store.open().change(Scope().narrowed_to(id),
                               [&](Change& change) { return tenancy::require_active_tenant(change).slug; });
  };
  CHECK(require(acme.id) == "acme");
  tenants.remove({}, acme.id);
  CHECK(contains(error_of([&] { require(acme.id); }), "not_found: the tenant is removed"));
  CHECK(contains(error_of([&] { require(system_tenant); }), "not_found"));
  CHECK(contains(error_of([&] { require(TenantId(new_uuid())); }), "not_found"));
}

CONFORMANCE_TEST("a tenant sees itself and no other, and makes none") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  const Tenant acme = tenants.create({}, {.name = "Acme"});
  const Tenant other = tenants.create({}, {.name = "Other"});
  const Scope scope = Scope().narrowed_to(acme.id);
  CHECK(tenants.get(scope, acme.id));
  CHECK_FALSE(tenants.get(scope, other.id));
  CHECK(store.open().read(scope, [](Reader& reader) { return reader.count(tenancy::tenants); }) == 1);
  CHECK(contains(error_of([&] { tenants.remove(scope, other.id); }), "not_found"));
  CHECK(contains(error_of([&] { tenants.update(scope, other.id, [](Tenant& one) { one.name = "x"; }); }),
                 "not_found"));
  CHECK(contains(error_of([&] { tenants.create(scope, {.name = "Third"}); }), "denied"));
}

CONFORMANCE_TEST("a tenant has as many domains as it may have, and no other's primary one") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  CHECK(wrong_fields(tenants,
                     {.name = "Acme", .primary_domain = "a.example", .additional_domains = {"b.example"}}) ==
        std::vector<std::string>{"additional_domains"});
  const Tenant acme = tenants.create({}, {.name = "Acme", .max_domains = 2});
  tenants.create({}, {.name = "Other", .primary_domain = "other.example"});
  const Tenant updated = tenants.update({}, acme.id, [](Tenant& tenant) {
    tenant.primary_domain = "a.example";
    tenant.additional_domains = {"B.example"};
  });
  CHECK(updated.additional_domains == std::vector<std::string>{"b.example"});
  CHECK(contains(error_of([&] {
                   tenants.update({}, acme.id,
                                  [](Tenant& tenant) { tenant.primary_domain = "other.example"; });
                 }),
                 "conflict: a tenant has this primary domain"));
}

CONFORMANCE_TEST("the system tenant is there, is never seen and cannot be changed") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  CHECK(store.database().read([](db::Transaction& t) {
    return t.one<std::string>("SELECT slug FROM tenants WHERE id = :id", {{"id", system_tenant}});
  }) == "system");
  CHECK(count(store, db::Visibility::all) == 0);
  CHECK_FALSE(tenants.get({}, system_tenant));
  CHECK(contains(error_of([&] { find(store, "system"); }), "not_found"));
  CHECK(contains(error_of([&] { find(store, system_tenant.to_string()); }), "not_found"));
  CHECK(contains(error_of([&] { tenants.remove({}, system_tenant); }), "not_found"));
  CHECK(contains(error_of([&] { rename(tenants, system_tenant, "Mine"); }), "not_found"));
}

CONFORMANCE_TEST("a tenant is found by slug, id and the end of its id, and a near miss is named") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  const Tenant acme = tenants.create({}, {.name = "Acme"});
  tenants.create({}, {.name = "Globex"});
  CHECK(find(store, "acme").id == acme.id);
  CHECK(find(store, acme.id.to_string()).id == acme.id);
  CHECK(find(store, acme.id.short_text()).id == acme.id);
  CHECK(contains(error_of([&] { find(store, "acne"); }), "Did you mean acme?"));
  CHECK(contains(error_of([&] { find(store, acme.id.short_text().substr(1)); }), "not_found"));
  CHECK(contains(error_of([&] { find(store, "%%%%%%%%"); }), "not_found"));
}

CONFORMANCE_TEST("every change tells what happened inside its transaction, and is undone with it") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  std::string heard;
  store.events().template subscribe<tenancy::TenantCreated>(
      "test", [&](Change&, const tenancy::TenantCreated& event) { heard += "created " + event.slug + " "; });
  store.events().template subscribe<RecordChanged>("test", [&](Change&, const RecordChanged& event) {
    if (event.entry.action != Action::changed) return;
    const FieldChange& change = event.entry.fields.front();
    if (change.after.as_octets() == "Bad") throw ConflictError("not that name", "Take another.");
    heard += std::string(change.before.as_octets()) + " to " + std::string(change.after.as_octets()) + " ";
  });
  store.events().template subscribe<tenancy::TenantRemoved>(
      "test", [&](Change&, const tenancy::TenantRemoved&) { heard += "removed "; });
  store.events().template subscribe<tenancy::TenantRestored>(
      "test", [&](Change&, const tenancy::TenantRestored&) { heard += "restored "; });
  Tenants tenants(store.open());
  const Tenant acme = tenants.create({}, {.name = "Acme"});
  rename(tenants, acme.id, "Acme Ltd");
  rename(tenants, acme.id, "Acme Ltd");  // no change, no event
  CHECK_THROWS_AS(rename(tenants, acme.id, "Bad"), ConflictError);
  CHECK(tenants.get({}, acme.id)->name == "Acme Ltd");
  tenants.remove({}, acme.id);
  tenants.restore({}, acme.id);
  CHECK(heard == "created acme Acme to Acme Ltd removed restored ");
}

CONFORMANCE_TEST("updated_at follows each change, and the views of the source systems show it") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  const Tenant acme = tenants.create({}, {.name = "Acme", .primary_domain = "acme.example"});
  const Tenant renamed = rename(tenants, acme.id, "Acme Ltd");
  CHECK(renamed.updated_at != acme.updated_at);
  CHECK(renamed.created_at == acme.created_at);
  tenants.update({}, acme.id, [](Tenant& tenant) { tenant.status = tenancy::TenantStatus::suspended; });
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
    const std::string slug = tenants.create({}, {.name = name}).slug;
    CHECK_MESSAGE(slug.size() <= 63, slug);
    CHECK_MESSAGE(slug.front() != '-', slug);
    CHECK_MESSAGE(slug.back() != '-', slug);
    CHECK_MESSAGE(slug.find("--") == std::string::npos, slug);
  }
}
