// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/record.h"
#include "nerve/record_ids.h"
#include "nerve/store.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::tenancy {

enum class TenantStatus : std::uint8_t { active, suspended };

/// Whose data it is: a company, an organization, a customer.
struct Tenant {
  TenantId id = {};
  std::string slug = {};  ///< its name in commands and addresses, unique for good; empty: made from the name
  std::string name = {};
  TenantStatus status = TenantStatus::active;
  std::optional<std::string> primary_domain = {};    ///< in ASCII form, unique
  std::vector<std::string> additional_domains = {};  ///< in ASCII form
  std::string subscription_tier = "basic";
  std::optional<std::string> subscription_status =
      {};                        ///< as billing has it; "suspended" suspends the tenant
  std::int64_t max_seats = 1;    ///< current members at most
  std::int64_t max_domains = 1;  ///< the primary one included
  std::optional<std::string> billing_email = {};
  std::optional<UserId> owner_user_id = {};
  Timestamp created_at = {};
  Timestamp updated_at = {};
  std::optional<Timestamp> deleted_at = {};

  /// It keeps its data; nobody joins it, and who serves its users turns them away.
  bool is_suspended() const {
    return status == TenantStatus::suspended || subscription_status == "suspended";
  }
};

/// The system tenant is not among them: no function finds, lists or changes it.
extern const Record<Tenant> tenants;

/// For changes of other modules that write what a tenant owns: the tenant of the scope, which nobody changes
/// or removes until the transaction ends. Throws NotFoundError where it is removed, DeniedError where it is
/// suspended.
Tenant require_active_tenant(Change& change);
/// Throws DeniedError for a tenant that is suspended.
void require_active(const Tenant& tenant);

/// The tenants of a workspace. Every change is one transaction, in which the event of events.h is published.
/// Safe for many threads. A scope of one tenant sees that tenant only.
class Tenants {
 public:
  /// Of the core store.
  explicit Tenants(const OpenStore& store) : store_(store) {}

  /// Throws ValidationError with every field that is wrong, ConflictError for a slug or domain that is taken,
  /// also by a removed tenant, because that one can be restored.
  Tenant create(const Scope& scope, const Tenant& tenant);
  /// Changes what `edit` changes. Throws what create() throws, NotFoundError, and ConflictError for fewer
  /// seats than there are members.
  Tenant update(const Scope& scope, const TenantId& id, const std::function<void(Tenant&)>& edit);
  /// Throws NotFoundError.
  Tenant remove(const Scope& scope, const TenantId& id);
  /// Throws NotFoundError, ConflictError where it is not removed.
  Tenant restore(const Scope& scope, const TenantId& id);

  std::optional<Tenant> get(const Scope& scope, const TenantId& id);

 private:
  OpenStore store_;
};

}  // namespace nerve::tenancy

namespace nerve::db {

template <>
inline constexpr std::string_view enum_texts<tenancy::TenantStatus>[] = {"active", "suspended"};

}  // namespace nerve::db
