// SPDX-License-Identifier: Apache-2.0
#include "nerve/tenancy/module.h"

#include "commands.h"
#include "records.h"

namespace nerve::tenancy {

const Module definition{
    .name = "tenancy",
    .description = "tenants, who belongs to them, and where they want to be told of events",
    .version = "0.2.0",
    .placement = Placement::core,
    .depends_on = {"workspace"},
    .records = {&tenants, &memberships, &webhooks},
    .views = {"companies", "organizations", "user_organizations"},
    .commands = &commands};

}  // namespace nerve::tenancy
