// SPDX-License-Identifier: Apache-2.0
#include "nerve/tenancy/members.h"

#include "modules/migrated_store.h"

#include "nerve/core/error.h"
#include "nerve/tenancy/events.h"
#include "nerve/tenancy/tenants.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace nerve;
using tenancy::MemberRole;
using tenancy::Members;
using tenancy::Tenants;
using test::MigratedStore;

namespace {

UserId new_user() {
  return UserId(new_uuid());
}

}  // namespace

CONFORMANCE_TEST("who joins is a member once, who left can come back, and both times are kept") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  const TenantId acme = Tenants(store.open()).create({.name = "Acme"}).id;
  Members members(store.open());
  const UserId anna = new_user();
  CHECK(members.join(acme, anna, MemberRole::analyst).role == MemberRole::analyst);
  CHECK_THROWS_AS(members.join(acme, anna, MemberRole::viewer), ConflictError);
  store.clock().advance(std::chrono::hours(5));
  CHECK(members.leave(acme, anna).left_at == store.clock().now());
  CHECK_THROWS_AS(members.leave(acme, anna), NotFoundError);
  CHECK(members.of_tenant(acme).empty());
  members.join(acme, anna, MemberRole::viewer);
  CHECK(members.of_tenant(acme).size() == 1);
  CHECK(members.of_tenant(acme, {.includes_former = true}).size() == 2);
  CHECK(store.database().read([](db::Transaction& t) {
    return t.one<std::int64_t>("SELECT count(*) FROM user_organizations WHERE left_at IS NULL");
  }) == 1);
}

CONFORMANCE_TEST(
    "the first tenant of a user is the primary one until another is made so, and there is one at most") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  Members members(store.open());
  const UserId anna = new_user();
  const TenantId first = tenants.create({.name = "first"}).id;
  const TenantId second = tenants.create({.name = "second"}).id;
  CHECK(members.join(first, anna, MemberRole::owner).is_primary);
  CHECK_FALSE(members.join(second, anna, MemberRole::member).is_primary);
  members.set_primary(second, anna);
  const auto memberships = members.of_user(anna);
  REQUIRE(memberships.size() == 2);
  CHECK_FALSE(memberships[0].is_primary);
  CHECK(memberships[1].is_primary);
  members.leave(second, anna);
  CHECK(members.of_user(anna).size() == 1);
  CHECK_FALSE(members.of_user(anna).front().is_primary);
  CHECK_THROWS_AS(members.set_primary(second, anna), NotFoundError);
}

CONFORMANCE_TEST("nobody joins a tenant that is not there or deleted") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  Tenants tenants(store.open());
  Members members(store.open());
  CHECK_THROWS_AS(members.join(TenantId(new_uuid()), new_user(), MemberRole::member), NotFoundError);
  CHECK_THROWS_AS(members.join(system_tenant, new_user(), MemberRole::member), NotFoundError);
  const TenantId gone = tenants.create({.name = "gone"}).id;
  tenants.erase(gone);
  CHECK_THROWS_AS(members.join(gone, new_user(), MemberRole::member), NotFoundError);
}

CONFORMANCE_TEST("joining and leaving are told to those who subscribed") {
  if (Engine::is_waived()) return;
  MigratedStore<Engine> store;
  std::string heard;
  store.events().template subscribe<tenancy::MemberJoined>(
      "test", [&](db::Transaction&, const tenancy::MemberJoined&) { heard += "joined "; });
  store.events().template subscribe<tenancy::MemberLeft>(
      "test", [&](db::Transaction&, const tenancy::MemberLeft&) { heard += "left "; });
  const TenantId acme = Tenants(store.open()).create({.name = "Acme"}).id;
  Members members(store.open());
  const UserId anna = new_user();
  members.join(acme, anna, MemberRole::member);
  members.leave(acme, anna);
  CHECK(heard == "joined left ");
}
