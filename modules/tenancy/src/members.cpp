// SPDX-License-Identifier: Apache-2.0
#include "nerve/tenancy/members.h"

#include "nerve/core/error.h"
#include "nerve/tenancy/events.h"
#include "nerve/tenancy/tenants.h"

#include <fmt/format.h>

#include <algorithm>

namespace nerve::tenancy {

namespace {

constexpr std::string_view current_of_user = "user_id = :user AND left_at IS NULL";

[[noreturn]] void throw_no_member() {
  throw NotFoundError("the user is no member of this tenant", "Let the user join it first.");
}

}  // namespace

Membership Members::join(const Scope& scope, const UserId& user, MemberRole role) {
  return store_.change(scope, [&](Change& change) {
    // Locked for a change, so that two who join at once do not both take the last seat.
    const Tenant tenant = change.require(tenants, scope.tenant);
    require_active(tenant);
    Membership wanted{.user_id = user, .role = role, .is_primary = true, .joined_at = change.now()};
    if (change.exists(memberships, current_of_user, {{"user", user}})) {
      throw ConflictError(fmt::format("the user is a member of the tenant {} already", tenant.slug),
                          "There is nothing to do.");
    }
    if (change.count(memberships, "left_at IS NULL") >= tenant.max_seats) {
      throw ConflictError(
          fmt::format("all {} seats of the tenant {} are taken", tenant.max_seats, tenant.slug),
          fmt::format("Give it more: nerve-db tenant update {} --seats N", tenant.slug));
    }
    // A unique index knows whether the user has a primary tenant elsewhere, which is not to be seen from
    // here.
    auto joined = change.try_insert(memberships, wanted);
    if (!joined) {
      wanted.is_primary = false;
      joined = change.insert(memberships, wanted);
    }
    change.publish(MemberJoined{scope.tenant, user});
    return *joined;
  });
}

Membership Members::leave(const Scope& scope, const UserId& user) {
  return store_.change(scope, [&](Change& change) {
    const auto before = change.find_where_locked(memberships, current_of_user, {{"user", user}});
    if (!before) throw_no_member();
    Membership after = *before;
    after.left_at = change.now();
    after.is_primary = false;
    change.publish(MemberLeft{scope.tenant, user});
    return change.update(memberships, *before, after);
  });
}

Membership Members::set_primary(const Scope& scope, const UserId& user) {
  // Another tenant may be the primary one until now.
  const Scope all = scope.across("a user has one primary tenant");
  return store_.change(all, [&](Change& change) {
    const auto all_of_user = change.select_owned_locked(memberships, current_of_user, {{"user", user}});
    const auto here = std::ranges::find(all_of_user, scope.tenant, &Owned<Membership>::tenant);
    if (here == all_of_user.end()) throw_no_member();
    for (const Owned<Membership>& one : all_of_user) {
      if (one.tenant == scope.tenant || !one.record.is_primary) continue;
      Membership after = one.record;
      after.is_primary = false;
      change.update_owned(memberships, one, after);
    }
    Membership after = here->record;
    after.is_primary = true;
    return change.update_owned(memberships, *here, after);
  });
}

std::vector<Owned<Membership>> Members::of_user(const Scope& scope, const UserId& user) {
  return store_.read(scope.across("the tenants of a user are asked for"), [&](Reader& reader) {
    return reader.select_owned(memberships, current_of_user, {{"user", user}});
  });
}

}  // namespace nerve::tenancy
