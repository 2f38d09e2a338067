// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/time.h"
#include "nerve/db/codec.h"
#include "nerve/db/soft_delete.h"
#include "nerve/page.h"
#include "nerve/record_ids.h"
#include "nerve/store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nerve::tenancy {

/// A suspended tenant keeps its data; who serves its users turns them away.
enum class TenantStatus : std::uint8_t { active, suspended };

/// Whose data it is: a company, an organization, a customer.
struct Tenant {
  TenantId id;
  std::string slug;  ///< its name in commands and addresses, unique for good
  std::string name;
  TenantStatus status = TenantStatus::active;
  std::optional<std::string> primary_domain;  ///< in ASCII form, unique
  std::string subscription_tier;
  std::int64_t max_seats = 1;
  std::int64_t max_domains = 1;
  std::optional<std::string> billing_email;
  Timestamp created_at;
  Timestamp updated_at;
  std::optional<Timestamp> deleted_at;
};

/// What a tenant begins with.
struct NewTenant {
  std::string name;
  std::string slug = {};  ///< empty: made from the name
  std::optional<std::string> primary_domain = std::nullopt;
  std::string subscription_tier = "basic";
  std::int64_t max_seats = 1;
  std::int64_t max_domains = 1;
  std::optional<std::string> billing_email = std::nullopt;
};

struct TenantQuery {
  std::int64_t limit = page_limit_default;
  std::optional<TenantId> after = std::nullopt;  ///< the cursor: `next` of the page before
  db::Visibility visibility = db::Visibility::live;
};

/// By id, which is the order in which they were made.
using TenantPage = Page<Tenant, TenantId>;

/// For the transactions of other modules that write what a tenant owns: the tenant, whose row is locked until
/// the transaction ends, so that nobody deletes it meanwhile. Throws NotFoundError for one that is not there
/// or deleted, and for the system tenant.
Tenant require_live_tenant(db::Transaction& transaction, const TenantId& id);

/// The tenants of a workspace. The system tenant is not among them: no function finds, lists or changes it.
///
/// Every change is one transaction, in which the event of events.h is published. Safe for many threads.
class Tenants {
 public:
  /// Of the core store.
  explicit Tenants(const OpenStore& store) : store_(store) {}

  /// Throws ValidationError with every field that is wrong, ConflictError for a slug or domain that is taken,
  /// also by a deleted tenant, because that one can be restored.
  Tenant create(const NewTenant& tenant);

  /// Throws NotFoundError, also for a deleted one, and ValidationError.
  Tenant rename(const TenantId& id, std::string_view name);
  Tenant set_status(const TenantId& id, TenantStatus status);
  /// Marks it as deleted. Throws NotFoundError.
  Tenant erase(const TenantId& id);
  /// Throws NotFoundError, ConflictError where it is not deleted.
  Tenant restore(const TenantId& id);

  /// The tenant that people mean: by its slug, its id, or at least 8 characters of the id's end; deleted ones
  /// too. Throws NotFoundError that names the nearest slug, ConflictError when several ids end so.
  Tenant find(std::string_view text);
  std::optional<Tenant> get(const TenantId& id);
  TenantPage list(const TenantQuery& query = {});
  std::int64_t count(db::Visibility visibility = db::Visibility::live);

 private:
  OpenStore store_;
};

}  // namespace nerve::tenancy

namespace nerve::db {

template <>
inline constexpr std::string_view enum_texts<tenancy::TenantStatus>[] = {"active", "suspended"};

}  // namespace nerve::db
