// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/record.h"
#include "nerve/record_ids.h"
#include "nerve/store.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace nerve::tenancy {

using MembershipId = Id<struct MembershipTag>;

/// What a member is in a tenant; what that permits is for others to say.
enum class MemberRole : std::uint8_t { owner, admin, analyst, member, viewer };

/// A user's time in a tenant. Who comes back begins a new one.
struct Membership {
  MembershipId id = {};
  UserId user_id = {};
  MemberRole role = MemberRole::member;
  bool is_primary = false;  ///< of all tenants of the user, the one to begin with
  Timestamp joined_at = {};
  std::optional<Timestamp> left_at = {};
  Timestamp created_at = {};
  Timestamp updated_at = {};
  std::optional<Timestamp> deleted_at = {};
};

extern const Record<Membership> memberships;

/// Who belongs to the tenant of a scope. Users are known by their ids only: that they exist is checked by the
/// module that has them. Every change is one transaction that publishes the events of events.h.
class Members {
 public:
  /// Of the core store.
  explicit Members(const OpenStore& store) : store_(store) {}

  /// The first tenant of a user is the primary one. Throws ConflictError for somebody who is a member already
  /// and where all seats are taken, and what require_active_tenant() throws.
  Membership join(const Scope& scope, const UserId& user, MemberRole role);
  /// Throws NotFoundError for somebody who is no member.
  Membership leave(const Scope& scope, const UserId& user);
  /// Makes this tenant the user's primary one, and no other. Throws NotFoundError.
  Membership set_primary(const Scope& scope, const UserId& user);

  /// The current tenants of a user, whatever the scope, in the order in which they were joined.
  std::vector<Owned<Membership>> of_user(const Scope& scope, const UserId& user);

 private:
  OpenStore store_;
};

}  // namespace nerve::tenancy

namespace nerve::db {

template <>
inline constexpr std::string_view enum_texts<tenancy::MemberRole>[] = {"owner", "admin", "analyst", "member",
                                                                       "viewer"};

}  // namespace nerve::db
