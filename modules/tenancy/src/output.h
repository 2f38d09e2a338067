// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/json.h"
#include "nerve/core/output.h"
#include "nerve/tenancy/tenants.h"

namespace nerve::tenancy {

Json tenant_json(const Tenant& tenant);
void show_tenant(Output& output, const Tenant& tenant);
void show_tenants(Output& output, const TenantPage& page);

}  // namespace nerve::tenancy
