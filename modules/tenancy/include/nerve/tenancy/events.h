// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/record_ids.h"

#include <string>

/// What other modules can hear of tenants (DomainEvents of the core store).
namespace nerve::tenancy {

struct TenantCreated {
  TenantId tenant;
  std::string slug;
};

/// Its rows are still there, and it can be restored.
struct TenantRemoved {
  TenantId tenant;
};

struct TenantRestored {
  TenantId tenant;
};

struct MemberJoined {
  TenantId tenant;
  UserId user;
};

struct MemberLeft {
  TenantId tenant;
  UserId user;
};

}  // namespace nerve::tenancy
