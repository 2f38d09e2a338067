// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/id.h"

/// The ids of records that more than one module names.
namespace nerve {

using TenantId = Id<struct TenantTag>;
using UserId = Id<struct UserTag>;

/// The tenant that owns what belongs to none: the nil UUID. A migration makes it, and nothing removes it.
inline constexpr TenantId system_tenant{};

}  // namespace nerve
