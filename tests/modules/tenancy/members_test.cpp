// SPDX-License-Identifier: Apache-2.0
#include "nerve/tenancy/members.h"

#include "modules/migrated_store.h"

#include "nerve/core/error.h"
#include "nerve/tenancy/events.h"
#include "nerve/tenancy/tenants.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace nerve;
using tenancy::MemberRole;
using tenancy::Members;
using tenancy::Membership;
using tenancy::Tenants;
using test::MigratedStore;

namespace {

UserId new_user() {
  return UserId(new_uuid());
}

/// The scope of a new tenant.
template <class Engine>
Scope made(MigratedStore<Engine>& store, const std::string& name, std::int64_t seats = 10) {
  return Scope().narrowed_to(Tenants(store.open()).create({}, {.name = name, .max_seats = seats}).id);
}

template <class Engine>
std::vector<Membership> of_tenant(MigratedStore<Engine>& store, const Scope& scope) {
  return store.open().read(scope,
                           [](Reader& reader) { return reader.select(tenancy::memberships, "TRUE", {}); });
}

}  // namespace

CONFORMANCE_TEST("who joins is a member once, who left can come back, and both times are kept") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  const Scope acme = made(store, "Acme");
  const Scope other = made(store, "Other");
  Members members(store.open());
  const UserId anna = new_user();
  CHECK(members.join(acme, anna, MemberRole::analyst).role == MemberRole::analyst);
  CHECK_THROWS_AS(members.join(acme, anna, MemberRole::viewer), ConflictError);
  CHECK_THROWS_AS(members.leave(other, anna), NotFoundError);
  store.clock().advance(std::chrono::hours(5));
  CHECK(members.leave(acme, anna).left_at == store.clock().now());
  CHECK_THROWS_AS(members.leave(acme, anna), NotFoundError);
  members.join(acme, anna, MemberRole::viewer);
  CHECK(of_tenant(store, acme).size() == 2);
  CHECK(of_tenant(store, other).empty());
  CHECK(store.database().read([](db::Transaction& t) {
    return t.one<std::int64_t>("SELECT count(*) FROM user_organizations WHERE left_at IS NULL");
  }) == 1);
}

CONFORMANCE_TEST(
    "the first tenant of a user is the primary one until another is made so, and there is one at most") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Members members(store.open());
  const UserId anna = new_user();
  const Scope first = made(store, "first");
  const Scope second = made(store, "second");
  CHECK(members.join(first, anna, MemberRole::owner).is_primary);
  CHECK_FALSE(members.join(second, anna, MemberRole::member).is_primary);
  CHECK(members.set_primary(second, anna).is_primary);
  const auto all = members.of_user({}, anna);
  REQUIRE(all.size() == 2);
  CHECK(all[0].tenant == first.tenant);
  CHECK_FALSE(all[0].record.is_primary);
  CHECK(all[1].record.is_primary);
  members.leave(second, anna);
  REQUIRE(members.of_user({}, anna).size() == 1);
  CHECK_FALSE(members.of_user({}, anna).front().record.is_primary);
  CHECK_THROWS_AS(members.set_primary(second, anna), NotFoundError);
}

CONFORMANCE_TEST("two tenants that a user joins at once are not both the primary one") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  const Scope scopes[] = {made(store, "one"), made(store, "two"), made(store, "three"), made(store, "four")};
  for (int round = 0; round < 5; ++round) {
    const UserId user = new_user();
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (const Scope& scope : scopes) {
      threads.emplace_back([&] {
        Members members(store.open());
        members.join(scope, user, MemberRole::member);
      });
    }
    for (std::thread& thread : threads) thread.join();
    const auto all = Members(store.open()).of_user({}, user);
    CHECK(all.size() == 4);
    CHECK(std::ranges::count_if(all, [](const auto& one) { return one.record.is_primary; }) == 1);
  }
}

CONFORMANCE_TEST("nobody joins a tenant that is not there, removed or suspended, or beyond its seats") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  Members members(store.open());
  const auto joining = [&](const Scope& scope) { members.join(scope, new_user(), MemberRole::member); };
  CHECK_THROWS_AS(joining(Scope().narrowed_to(TenantId(new_uuid()))), NotFoundError);
  CHECK_THROWS_AS(joining(Scope().narrowed_to(system_tenant)), NotFoundError);
  const Scope gone = made(store, "gone");
  tenants.remove({}, gone.tenant);
  CHECK_THROWS_AS(joining(gone), NotFoundError);
  const Scope full = made(store, "full", 2);
  joining(full);
  joining(full);
  CHECK_THROWS_WITH_AS(joining(full), "all 2 seats of the tenant full are taken", ConflictError);
  CHECK_THROWS_AS(tenants.update({}, full.tenant, [](tenancy::Tenant& tenant) { tenant.max_seats = 1; }),
                  ConflictError);
  tenants.update({}, full.tenant, [](tenancy::Tenant& tenant) { tenant.max_seats = 3; });
  CHECK_NOTHROW(joining(full));
  const Scope late = made(store, "late");
  tenants.update({}, late.tenant, [](tenancy::Tenant& tenant) { tenant.subscription_status = "suspended"; });
  CHECK_THROWS_WITH_AS(joining(late), "the tenant late is suspended", DeniedError);
}

CONFORMANCE_TEST("as many join at once as there are seats, and no more") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  const Scope scope = made(store, "small", 3);
  std::atomic<int> joined = 0;
  std::vector<std::thread> threads;
  threads.reserve(6);
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      try {
        Members(store.open()).join(scope, new_user(), MemberRole::member);
        ++joined;
      } catch (const ConflictError&) {
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(joined == 3);
  CHECK(of_tenant(store, scope).size() == 3);
}

CONFORMANCE_TEST("joining and leaving are told to those who subscribed") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  std::string heard;
  store.events().template subscribe<tenancy::MemberJoined>(
      "test", [&](Change&, const tenancy::MemberJoined&) { heard += "joined "; });
  store.events().template subscribe<tenancy::MemberLeft>(
      "test", [&](Change&, const tenancy::MemberLeft&) { heard += "left "; });
  const Scope acme = made(store, "Acme");
  Members members(store.open());
  const UserId anna = new_user();
  members.join(acme, anna, MemberRole::member);
  members.leave(acme, anna);
  CHECK(heard == "joined left ");
}
