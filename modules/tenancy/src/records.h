// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/tenancy/members.h"
#include "nerve/tenancy/tenants.h"

namespace nerve::tenancy {

extern const RecordType& webhooks;

}  // namespace nerve::tenancy
