// SPDX-License-Identifier: Apache-2.0
#include "nerve/tenancy/tenants.h"

#include "nerve/core/error.h"
#include "nerve/tenancy/events.h"
#include "nerve/tenancy/members.h"
#include "nerve/validate/fields.h"
#include "nerve/validate/slug.h"

#include <fmt/format.h>

#include <utility>

namespace nerve::tenancy {

namespace {

constexpr std::size_t tenant_name_length_max = 255;
constexpr std::size_t tier_length_max = 20;
constexpr std::int64_t seats_max = 1'000'000;

/// A tenant with every field in its canonical form.
Tenant checked(Tenant tenant) {
  validate::Fields fields("tenant");
  const bool has_slug = !tenant.slug.empty();
  tenant.name = fields.name("name", tenant.name, tenant_name_length_max);
  if (!has_slug) tenant.slug = validate::slug_of(tenant.name);
  if (!has_slug && tenant.slug.empty() && !tenant.name.empty()) {
    fields.require(false, "slug", "required",
                   "cannot be made from this name: it has no ASCII letter or digit");
  } else if (!tenant.name.empty() || has_slug) {
    fields.slug("slug", tenant.slug);
  }
  tenant.primary_domain = fields.optional_domain("primary_domain", tenant.primary_domain);
  for (std::string& domain : tenant.additional_domains) domain = fields.domain("additional_domains", domain);
  tenant.billing_email = fields.optional_email("billing_email", tenant.billing_email);
  tenant.subscription_tier = fields.name("subscription_tier", tenant.subscription_tier, tier_length_max);
  if (tenant.subscription_status) {
    tenant.subscription_status =
        fields.name("subscription_status", *tenant.subscription_status, tier_length_max);
  }
  fields.integer("max_seats", tenant.max_seats, validate::Field().range<std::int64_t>(1, seats_max));
  fields.integer("max_domains", tenant.max_domains, validate::Field().range<std::int64_t>(1, seats_max));
  const std::int64_t domains = std::ssize(tenant.additional_domains) + (tenant.primary_domain ? 1 : 0);
  fields.require(
      domains <= tenant.max_domains, "additional_domains", "max_domains",
      fmt::format("are {} domains with the primary one, and it may have {}", domains, tenant.max_domains));
  fields.finish();
  return tenant;
}

[[noreturn]] void throw_domain_taken() {
  throw ConflictError("a tenant has this primary domain already",
                      "Leave it out, or choose another domain; a removed tenant keeps its own.");
}

/// Says which of the two unique fields is taken.
[[noreturn]] void throw_taken(Change& change, const Tenant& tenant) {
  if (const auto other =
          change.find_where(tenants, "slug = :slug", {{"slug", tenant.slug}}, db::Visibility::all)) {
    const bool is_removed = other->deleted_at.has_value();
    throw ConflictError(
        fmt::format("{} tenant has the slug {} already", is_removed ? "a removed" : "a", tenant.slug),
        is_removed ? "Restore that one, or choose another slug." : "Choose another slug.");
  }
  if (tenant.slug == "system")
    throw ConflictError("the slug system belongs to the system tenant", "Choose another slug.");
  throw_domain_taken();
}

/// An update of a tenant meets no other unique key than that of the domain.
template <class Work>
Tenant told_as_taken(Work&& work) {
  try {
    return work();
  } catch (const DatabaseError& error) {
    if (error.kind() == ErrorKind::conflict) throw_domain_taken();
    throw;
  }
}

void require_seats(Change& change, const Tenant& tenant) {
  const std::int64_t taken = change.count(memberships, "left_at IS NULL");
  if (taken <= tenant.max_seats) return;
  throw ConflictError(fmt::format("{} seats of the tenant {} are taken", taken, tenant.slug),
                      "Let members leave first, or give it as many seats.");
}

}  // namespace

Tenant require_active_tenant(Change& change) {
  Tenant tenant = change.hold(tenants, change.scope().tenant);
  require_active(tenant);
  return tenant;
}

void require_active(const Tenant& tenant) {
  if (!tenant.is_suspended()) return;
  throw DeniedError(fmt::format("the tenant {} is suspended", tenant.slug),
                    "Its data stays; `nerve-db tenant update` makes it active again.");
}

Tenant Tenants::create(const Scope& scope, const Tenant& given) {
  const Tenant tenant = checked(given);
  return store_.change(scope, [&](Change& change) {
    const auto made = change.try_insert(tenants, tenant);
    if (!made) throw_taken(change, tenant);
    change.publish(TenantCreated{made->id, made->slug});
    return *made;
  });
}

Tenant Tenants::update(const Scope& scope, const TenantId& id, const std::function<void(Tenant&)>& edit) {
  // A tenant's members are seen in its own scope only; who acts for another one finds nothing.
  const Scope own = scope.reach == Reach::tenant ? scope : scope.narrowed_to(id);
  return store_.change(own, [&](Change& change) {
    const Tenant before = change.require(tenants, id);
    Tenant wanted = before;
    edit(wanted);
    wanted = checked(std::move(wanted));
    if (wanted.max_seats < before.max_seats) require_seats(change, wanted);
    return told_as_taken([&] { return change.update(tenants, before, wanted); });
  });
}

Tenant Tenants::remove(const Scope& scope, const TenantId& id) {
  return store_.change(scope, [&](Change& change) {
    Tenant tenant = change.remove(tenants, id);
    change.publish(TenantRemoved{id});
    return tenant;
  });
}

Tenant Tenants::restore(const Scope& scope, const TenantId& id) {
  return store_.change(scope, [&](Change& change) {
    Tenant tenant = change.restore(tenants, id);
    change.publish(TenantRestored{id});
    return tenant;
  });
}

std::optional<Tenant> Tenants::get(const Scope& scope, const TenantId& id) {
  return store_.read(scope, [&](Reader& reader) { return reader.find(tenants, id, db::Visibility::all); });
}

}  // namespace nerve::tenancy
