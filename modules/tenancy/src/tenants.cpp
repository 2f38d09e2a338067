// SPDX-License-Identifier: Apache-2.0
#include "nerve/tenancy/tenants.h"

#include "tenant_store.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"
#include "nerve/db/short_id.h"
#include "nerve/tenancy/events.h"
#include "nerve/validate/fields.h"
#include "nerve/validate/slug.h"

#include <fmt/format.h>

#include <utility>

namespace nerve::tenancy {

namespace {

constexpr std::size_t tenant_name_length_max = 255;
constexpr std::size_t tier_length_max = 20;
constexpr std::int64_t seats_max = 1'000'000;
/// Slugs that the nearest one is looked for in.
constexpr std::int64_t candidates_max = 1000;

NewTenant checked(const NewTenant& given) {
  validate::Fields fields("tenant");
  NewTenant tenant = given;
  tenant.name = fields.name("name", given.name, tenant_name_length_max);
  if (given.slug.empty()) tenant.slug = validate::slug_of(tenant.name);
  if (given.slug.empty() && tenant.slug.empty() && !tenant.name.empty()) {
    fields.require(false, "slug", "required",
                   "cannot be made from this name: it has no ASCII letter or digit");
  } else if (!tenant.name.empty() || !given.slug.empty()) {
    fields.slug("slug", tenant.slug);
  }
  tenant.primary_domain = fields.optional_domain("primary_domain", given.primary_domain);
  tenant.billing_email = fields.optional_email("billing_email", given.billing_email);
  tenant.subscription_tier = fields.name("subscription_tier", given.subscription_tier, tier_length_max);
  fields.require(given.max_seats > 0 && given.max_seats <= seats_max, "max_seats", "range",
                 fmt::format("must be from 1 to {}", seats_max));
  fields.require(given.max_domains > 0 && given.max_domains <= seats_max, "max_domains", "range",
                 fmt::format("must be from 1 to {}", seats_max));
  fields.finish();
  return tenant;
}

/// Says which of the two unique fields is taken.
[[noreturn]] void throw_taken(db::Transaction& transaction, const NewTenant& tenant) {
  if (const auto other = read_tenant_by_slug(transaction, tenant.slug)) {
    throw ConflictError(
        fmt::format("{} tenant has the slug {} already", other->deleted_at ? "a deleted" : "a", tenant.slug),
        other->deleted_at ? "Restore that one, or choose another slug." : "Choose another slug.");
  }
  if (tenant.slug == "system") {
    throw ConflictError("the slug system belongs to the system tenant", "Choose another slug.");
  }
  throw ConflictError("a tenant has this primary domain already",
                      "Leave it out, or choose another domain; a deleted tenant keeps its own.");
}

}  // namespace

Tenant require_live_tenant(db::Transaction& transaction, const TenantId& id) {
  auto tenant = lock_tenant(transaction, id);
  if (tenant && !tenant->deleted_at) return std::move(*tenant);
  throw NotFoundError(
      tenant ? fmt::format("the tenant {} is deleted", tenant->slug) : "there is no tenant with this id",
      tenant ? "Restore it first." : "`nerve-db tenant list` shows the tenants.");
}

Tenant Tenants::create(const NewTenant& given) {
  const NewTenant tenant = checked(given);
  const auto id = new_id<TenantTag>();
  return store_.database.write([&](db::Transaction& transaction) {
    if (!insert_tenant(transaction, id, tenant, store_.clock.now())) throw_taken(transaction, tenant);
    store_.events.publish(transaction, TenantCreated{id, tenant.slug});
    return *read_tenant(transaction, id);
  });
}

Tenant Tenants::rename(const TenantId& id, std::string_view name) {
  validate::Fields fields("tenant");
  const std::string clean = fields.name("name", name, tenant_name_length_max);
  fields.finish();
  return store_.database.write([&](db::Transaction& transaction) {
    Tenant before = require_live_tenant(transaction, id);
    if (before.name == clean) return before;
    set_name(transaction, id, clean);
    store_.events.publish(transaction, TenantRenamed{id, before.name, clean});
    return *read_tenant(transaction, id);
  });
}

Tenant Tenants::set_status(const TenantId& id, TenantStatus status) {
  return store_.database.write([&](db::Transaction& transaction) {
    require_live_tenant(transaction, id);
    tenancy::set_status(transaction, id, status);
    return *read_tenant(transaction, id);
  });
}

Tenant Tenants::erase(const TenantId& id) {
  return store_.database.write([&](db::Transaction& transaction) {
    require_live_tenant(transaction, id);
    set_deleted(transaction, id, store_.clock.now());
    store_.events.publish(transaction, TenantDeleted{id});
    return *read_tenant(transaction, id);
  });
}

Tenant Tenants::restore(const TenantId& id) {
  return store_.database.write([&](db::Transaction& transaction) {
    const auto tenant = lock_tenant(transaction, id);
    if (!tenant) {
      throw NotFoundError("there is no tenant with this id",
                          "`nerve-db tenant list --all` shows the tenants.");
    }
    if (!tenant->deleted_at) {
      throw ConflictError(fmt::format("the tenant {} is not deleted", tenant->slug),
                          "There is nothing to do.");
    }
    set_deleted(transaction, id, std::nullopt);
    store_.events.publish(transaction, TenantRestored{id});
    return *read_tenant(transaction, id);
  });
}

Tenant Tenants::find(std::string_view text) {
  return store_.database.read([&](db::Transaction& transaction) {
    if (auto tenant = read_tenant_by_slug(transaction, text)) return std::move(*tenant);
    if (const auto id = db::find_id(transaction, "tenants", text)) {
      if (auto tenant = read_tenant(transaction, TenantId(*id))) return std::move(*tenant);
    }
    const std::vector<std::string> known = slugs(transaction, candidates_max);
    const std::vector<std::string_view> candidates(known.begin(), known.end());
    const auto meant = closest_match(text, candidates);
    db::throw_not_found({.noun = "tenant",
                         .text = text,
                         .hint = meant ? fmt::format("Did you mean {}?", *meant)
                                       : "`nerve-db tenant list --all` shows the tenants."});
  });
}

std::optional<Tenant> Tenants::get(const TenantId& id) {
  return store_.database.read([&](db::Transaction& transaction) { return read_tenant(transaction, id); });
}

TenantPage Tenants::list(const TenantQuery& query) {
  return read_page(query.limit, &Tenant::id, [&](std::int64_t limit) {
    TenantQuery rows = query;
    rows.limit = limit;
    return store_.database.read(
        [&](db::Transaction& transaction) { return list_tenants(transaction, rows); });
  });
}

std::int64_t Tenants::count(db::Visibility visibility) {
  return store_.database.read(
      [&](db::Transaction& transaction) { return count_tenants(transaction, visibility); });
}

}  // namespace nerve::tenancy
