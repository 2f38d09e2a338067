// SPDX-License-Identifier: Apache-2.0
#include "tenant_store.h"

#include "nerve/db/dialect.h"

#include <fmt/format.h>

namespace nerve::tenancy {

namespace {

constexpr std::string_view columns =
    "id, slug, name, status, primary_domain, subscription_tier, max_seats, max_domains, billing_email, "
    "created_at, updated_at, deleted_at";

std::vector<Tenant> read_tenants(db::Transaction& transaction, const std::string& rest,
                                 std::vector<db::Parameter> parameters) {
  parameters.emplace_back("system", system_tenant);
  std::vector<Tenant> tenants;
  transaction.each<TenantId, std::string, std::string, TenantStatus, std::optional<std::string>, std::string,
                   std::int64_t, std::int64_t, std::optional<std::string>, Timestamp, Timestamp,
                   std::optional<Timestamp>>(
      fmt::format("SELECT {} FROM tenants WHERE id <> :system AND {}", columns, rest),
      db::Parameters(std::span<const db::Parameter>(parameters)),
      [&](const TenantId& id, std::string slug, std::string name, TenantStatus status,
          std::optional<std::string> primary_domain, std::string subscription_tier, std::int64_t max_seats,
          std::int64_t max_domains, std::optional<std::string> billing_email, Timestamp created_at,
          Timestamp updated_at, std::optional<Timestamp> deleted_at) {
        tenants.push_back({id, std::move(slug), std::move(name), status, std::move(primary_domain),
                           std::move(subscription_tier), max_seats, max_domains, std::move(billing_email),
                           created_at, updated_at, deleted_at});
      });
  return tenants;
}

std::optional<Tenant> first_tenant(std::vector<Tenant> tenants) {
  if (tenants.empty()) return std::nullopt;
  return std::move(tenants.front());
}

}  // namespace

bool insert_tenant(db::Transaction& transaction, const TenantId& id, const NewTenant& tenant, Timestamp now) {
  return transaction.execute(
             "INSERT INTO tenants (id, slug, name, primary_domain, subscription_tier, max_seats, "
             "max_domains, "
             "billing_email, created_at, updated_at) VALUES (:id, :slug, :name, :primary_domain, "
             ":subscription_tier, :max_seats, :max_domains, :billing_email, :now, :now) ON CONFLICT DO "
             "NOTHING",
             {{"id", id},
              {"slug", tenant.slug},
              {"name", tenant.name},
              {"primary_domain", tenant.primary_domain},
              {"subscription_tier", tenant.subscription_tier},
              {"max_seats", tenant.max_seats},
              {"max_domains", tenant.max_domains},
              {"billing_email", tenant.billing_email},
              {"now", now}}) == 1;
}

std::optional<Tenant> read_tenant(db::Transaction& transaction, const TenantId& id) {
  return first_tenant(read_tenants(transaction, "id = :id", {{"id", id}}));
}

std::optional<Tenant> read_tenant_by_slug(db::Transaction& transaction, std::string_view slug) {
  return first_tenant(read_tenants(transaction, "slug = :slug", {{"slug", slug}}));
}

std::optional<Tenant> lock_tenant(db::Transaction& transaction, const TenantId& id) {
  return first_tenant(read_tenants(
      transaction, fmt::format("id = :id{}", db::lock_row_clause(transaction.dialect())), {{"id", id}}));
}

std::vector<Tenant> list_tenants(db::Transaction& transaction, const TenantQuery& query) {
  // The system tenant's id is the least of all, so it serves as the cursor before the first page.
  return read_tenants(
      transaction,
      fmt::format("id > :after AND {} ORDER BY id LIMIT :limit", db::visibility_condition(query.visibility)),
      {{"after", query.after.value_or(system_tenant)}, {"limit", query.limit}});
}

std::int64_t count_tenants(db::Transaction& transaction, db::Visibility visibility) {
  return transaction.one<std::int64_t>(fmt::format("SELECT count(*) FROM tenants WHERE id <> :system AND {}",
                                                   db::visibility_condition(visibility)),
                                       {{"system", system_tenant}});
}

std::vector<std::string> slugs(db::Transaction& transaction, std::int64_t limit) {
  std::vector<std::string> found;
  transaction.each<std::string>("SELECT slug FROM tenants WHERE id <> :system ORDER BY slug LIMIT :limit",
                                {{"system", system_tenant}, {"limit", limit}},
                                [&](std::string slug) { found.push_back(std::move(slug)); });
  return found;
}

void set_name(db::Transaction& transaction, const TenantId& id, std::string_view name) {
  transaction.execute("UPDATE tenants SET name = :name WHERE id = :id", {{"name", name}, {"id", id}});
}

void set_status(db::Transaction& transaction, const TenantId& id, TenantStatus status) {
  transaction.execute("UPDATE tenants SET status = :status WHERE id = :id", {{"status", status}, {"id", id}});
}

void set_deleted(db::Transaction& transaction, const TenantId& id,
                 const std::optional<Timestamp>& deleted_at) {
  transaction.execute("UPDATE tenants SET deleted_at = :deleted_at WHERE id = :id",
                      {{"deleted_at", deleted_at}, {"id", id}});
}

}  // namespace nerve::tenancy
