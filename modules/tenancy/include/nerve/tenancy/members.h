// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/time.h"
#include "nerve/db/codec.h"
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
  MembershipId id;
  TenantId tenant;
  UserId user;
  MemberRole role = MemberRole::member;
  bool is_primary = false;  ///< of all tenants of the user, the one to begin with
  Timestamp joined_at;
  std::optional<Timestamp> left_at;
};

struct MemberQuery {
  static constexpr std::int64_t limit_default = 100;

  std::int64_t limit = limit_default;
  std::optional<MembershipId> after = std::nullopt;
  bool includes_former = false;
};

/// Who belongs to which tenant. Users are known by their ids only: that they exist is checked by the module
/// that has them. Every change is one transaction that publishes the events of events.h.
class Members {
 public:
  /// Of the core store.
  explicit Members(const OpenStore& store) : store_(store) {}

  /// The first tenant of a user is the primary one. Throws NotFoundError for a tenant that is not there or
  /// deleted, ConflictError for somebody who is a member already.
  Membership join(const TenantId& tenant, const UserId& user, MemberRole role);
  /// Throws NotFoundError for somebody who is no member.
  Membership leave(const TenantId& tenant, const UserId& user);
  /// Makes this tenant the user's primary one, and no other. Throws NotFoundError.
  Membership set_primary(const TenantId& tenant, const UserId& user);

  /// In the order of their ids, at most `limit`.
  std::vector<Membership> of_tenant(const TenantId& tenant, const MemberQuery& query = {});
  std::vector<Membership> of_user(const UserId& user, const MemberQuery& query = {});

 private:
  OpenStore store_;
};

}  // namespace nerve::tenancy

namespace nerve::db {

template <>
inline constexpr std::string_view enum_texts<tenancy::MemberRole>[] = {"owner", "admin", "analyst", "member",
                                                                       "viewer"};

}  // namespace nerve::db
