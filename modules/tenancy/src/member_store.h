// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/transaction.h"
#include "nerve/tenancy/members.h"

#include <optional>
#include <vector>

namespace nerve::tenancy {

/// False where the user is a member of the tenant already.
bool insert_membership(db::Transaction& transaction, const Membership& membership);
std::optional<Membership> current_membership(db::Transaction& transaction, const TenantId& tenant,
                                             const UserId& user);
bool has_primary(db::Transaction& transaction, const UserId& user);
void end_membership(db::Transaction& transaction, const MembershipId& id, Timestamp now);
/// Makes one membership the primary one, and takes that from the user's others.
void make_primary(db::Transaction& transaction, const UserId& user, const MembershipId& id);
std::vector<Membership> members_of(db::Transaction& transaction, const TenantId& tenant,
                                   const MemberQuery& query);
std::vector<Membership> memberships_of(db::Transaction& transaction, const UserId& user,
                                       const MemberQuery& query);

}  // namespace nerve::tenancy
