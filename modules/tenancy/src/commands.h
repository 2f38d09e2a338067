// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/command.h"

namespace nerve::tenancy {

/// nerve-db tenant create, list, show, rename, delete and restore
Command tenant_command();

}  // namespace nerve::tenancy
