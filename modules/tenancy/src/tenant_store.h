// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/transaction.h"
#include "nerve/tenancy/tenants.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::tenancy {

/// False where the slug or the domain is taken.
bool insert_tenant(db::Transaction& transaction, const TenantId& id, const NewTenant& tenant, Timestamp now);
/// None of these sees the system tenant.
std::optional<Tenant> read_tenant(db::Transaction& transaction, const TenantId& id);
std::optional<Tenant> read_tenant_by_slug(db::Transaction& transaction, std::string_view slug);
/// The row is locked until the transaction ends.
std::optional<Tenant> lock_tenant(db::Transaction& transaction, const TenantId& id);
std::vector<Tenant> list_tenants(db::Transaction& transaction, const TenantQuery& query);
std::int64_t count_tenants(db::Transaction& transaction, db::Visibility visibility);
std::vector<std::string> slugs(db::Transaction& transaction, std::int64_t limit);

void set_name(db::Transaction& transaction, const TenantId& id, std::string_view name);
void set_status(db::Transaction& transaction, const TenantId& id, TenantStatus status);
void set_deleted(db::Transaction& transaction, const TenantId& id,
                 const std::optional<Timestamp>& deleted_at);

}  // namespace nerve::tenancy
