// SPDX-License-Identifier: Apache-2.0
#include "nerve/tenancy/members.h"

#include "member_store.h"

#include "nerve/core/error.h"
#include "nerve/tenancy/events.h"
#include "nerve/tenancy/tenants.h"

#include <fmt/format.h>

namespace nerve::tenancy {

namespace {

Membership require_member(db::Transaction& transaction, const TenantId& tenant, const UserId& user) {
  if (const auto membership = current_membership(transaction, tenant, user)) return *membership;
  throw NotFoundError("the user is no member of this tenant", "Let the user join it first.");
}

}  // namespace

Membership Members::join(const TenantId& tenant, const UserId& user, MemberRole role) {
  const auto id = new_id<MembershipTag>();
  return store_.database.write([&](db::Transaction& transaction) {
    const Tenant joined = require_live_tenant(transaction, tenant);
    const Membership membership{.id = id,
                                .tenant = tenant,
                                .user = user,
                                .role = role,
                                .is_primary = !has_primary(transaction, user),
                                .joined_at = store_.clock.now(),
                                .left_at = std::nullopt};
    if (!insert_membership(transaction, membership)) {
      throw ConflictError(fmt::format("the user is a member of the tenant {} already", joined.slug),
                          "There is nothing to do.");
    }
    store_.events.publish(transaction, MemberJoined{tenant, user});
    return membership;
  });
}

Membership Members::leave(const TenantId& tenant, const UserId& user) {
  return store_.database.write([&](db::Transaction& transaction) {
    Membership membership = require_member(transaction, tenant, user);
    membership.left_at = store_.clock.now();
    membership.is_primary = false;
    end_membership(transaction, membership.id, *membership.left_at);
    store_.events.publish(transaction, MemberLeft{tenant, user});
    return membership;
  });
}

Membership Members::set_primary(const TenantId& tenant, const UserId& user) {
  return store_.database.write([&](db::Transaction& transaction) {
    Membership membership = require_member(transaction, tenant, user);
    make_primary(transaction, user, membership.id);
    membership.is_primary = true;
    return membership;
  });
}

std::vector<Membership> Members::of_tenant(const TenantId& tenant, const MemberQuery& query) {
  return store_.database.read(
      [&](db::Transaction& transaction) { return members_of(transaction, tenant, query); });
}

std::vector<Membership> Members::of_user(const UserId& user, const MemberQuery& query) {
  return store_.database.read(
      [&](db::Transaction& transaction) { return memberships_of(transaction, user, query); });
}

}  // namespace nerve::tenancy
