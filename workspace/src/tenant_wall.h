// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/database.h"
#include "nerve/module.h"
#include "nerve/placement.h"

#include <span>

namespace nerve::workspace {

/// Looks whether row-level security stands between the tenants of a store on PostgreSQL, and holds the role
/// that is connected. Throws DeniedError for a superuser and a role with BYPASSRLS, whom nothing holds;
/// IntegrityError that names the table for one of tenants without policies, or without FORCE, where they
/// would not hold the owner. Nothing is looked at on SQLite, whose statements are bounded by core alone.
void require_tenant_wall(db::Database& database, std::span<const Module* const> modules, Store store);

}  // namespace nerve::workspace
